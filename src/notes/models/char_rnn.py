"""Recurrent networks that read one character after the other.

Source: Elman, "Finding Structure in Time" (1990), https://doi.org/10.1207/s15516709cog1402_1;
Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997),
https://doi.org/10.1162/neco.1997.9.8.1735; Cho et al. (2014), https://arxiv.org/abs/1406.1078, for
the GRU. Differs from the notes: the batch comes first.

Shapes: `B` batch, `T` time (characters), `V` vocabulary (different characters), `K` classes.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from notes.checks import as_integer, check_indices, check_shape


# --8<-- [start:one_hot_rnn]
class OneHotRNN(nn.Module):
    """The notes' first network: one-hot characters in, and the hidden state is the score.

    It has as many hidden units as there are characters. The scores are outputs of a `tanh`, so the
    cross-entropy can never fall below `log(1 + (V - 1) * exp(-2))`: 0.3408 for four characters.

    Args:
        vocabulary_size: Number of different characters.

    Raises:
        ValueError: If `vocabulary_size` is not positive.

    Examples:
        >>> hello = torch.tensor([[1, 0, 2, 2, 3]])
        >>> OneHotRNN(4)(hello).shape
        torch.Size([1, 5, 4])

    Explained in:
        [Models][models]
    """

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        vocabulary_size = as_integer("vocabulary_size", vocabulary_size)
        self.vocabulary_size = vocabulary_size
        self.recurrent = nn.RNN(vocabulary_size, vocabulary_size, batch_first=True)

    def forward(self, characters: Tensor) -> Tensor:
        """`(B, T)` character numbers to `(B, T, V)` scores in (-1, 1)."""
        _check_characters(characters, self.vocabulary_size)
        one_hot = F.one_hot(characters.long(), self.vocabulary_size)  # (B, T, V)
        # One-hot numbers are integers; the layer wants the type of its weights.
        scores, _ = self.recurrent(one_hot.to(next(self.parameters()).dtype))
        result: Tensor = scores
        return result


# --8<-- [end:one_hot_rnn]


# --8<-- [start:character_rnn]
RECURRENT = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class CharacterRNN(nn.Module):
    """Embedding, recurrent layers, dense layer: an answer for every character.

    Args:
        vocabulary_size: Number of different characters, in and out.
        embedding_dim: Numbers that stand for one character.
        hidden_size: Features of the hidden state.
        num_layers: Recurrent layers on top of each other.
        cell: `rnn`, `gru` or `lstm`.

    Raises:
        ValueError: If a size is not positive or the cell is not known.

    Examples:
        >>> hello = torch.tensor([[1, 0, 2, 2, 3]])
        >>> CharacterRNN(4)(hello).shape
        torch.Size([1, 5, 4])

    Explained in:
        [Models][models]
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int = 10,
        hidden_size: int = 8,
        num_layers: int = 2,
        *,
        cell: Literal["rnn", "gru", "lstm"] = "rnn",
    ) -> None:
        super().__init__()
        vocabulary_size = as_integer("vocabulary_size", vocabulary_size)
        embedding_dim = as_integer("embedding_dim", embedding_dim)
        hidden_size = as_integer("hidden_size", hidden_size)
        num_layers = as_integer("num_layers", num_layers)
        if cell not in RECURRENT:
            raise ValueError(f"cell must be one of {sorted(RECURRENT)}, got {cell!r}")
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.recurrent = RECURRENT[cell](embedding_dim, hidden_size, num_layers, batch_first=True)
        self.output = nn.Linear(hidden_size, vocabulary_size)

    def forward(self, characters: Tensor) -> Tensor:
        """`(B, T)` character numbers to `(B, T, V)` logits."""
        _check_characters(characters, self.embedding.num_embeddings)
        embedded = self.embedding(characters.long())  # (B, T, embedding_dim)
        hidden, _ = self.recurrent(embedded)  # (B, T, hidden_size)
        logits: Tensor = self.output(hidden)  # (B, T, V)
        return logits


# --8<-- [end:character_rnn]


# --8<-- [start:name_classifier]
class NameClassifier(nn.Module):
    """One answer for a whole name: a GRU reads it in both directions, a dense layer decides.

    Names have different lengths. They are padded to the longest one of the batch, and packing
    keeps the GRU from reading the padding.

    Args:
        vocabulary_size: Number of different characters, the padding included.
        num_classes: Number of logits, one for each class.
        embedding_dim: Numbers that stand for one character.
        hidden_size: Features of the hidden state in each direction.

    Raises:
        ValueError: If a size is not positive.

    Examples:
        >>> names = torch.tensor([[1, 2, 3], [2, 1, 0]])  # the second has two characters
        >>> NameClassifier(4, 3)(names, torch.tensor([3, 2])).shape
        torch.Size([2, 3])

    Explained in:
        [Models][models]
    """

    def __init__(
        self, vocabulary_size: int, num_classes: int, embedding_dim: int = 10, hidden_size: int = 16
    ) -> None:
        super().__init__()
        vocabulary_size = as_integer("vocabulary_size", vocabulary_size)
        num_classes = as_integer("num_classes", num_classes)
        embedding_dim = as_integer("embedding_dim", embedding_dim)
        hidden_size = as_integer("hidden_size", hidden_size)
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.recurrent = nn.GRU(embedding_dim, hidden_size, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * hidden_size, num_classes)

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """`(B, T)` padded character numbers and `(B,)` lengths of 1 to `T` to `(B, K)` logits."""
        _check_characters(characters, self.embedding.num_embeddings)
        check_shape("lengths", lengths, len(characters))
        check_indices("lengths", lengths, characters.shape[1] + 1)
        if (lengths == 0).any():
            raise ValueError(f"lengths must be at least 1, got {lengths.tolist()}")
        packed = pack_padded_sequence(
            self.embedding(characters.long()),
            lengths.long().cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        _, last = self.recurrent(packed)  # (2, B, hidden_size): forwards, backwards
        logits: Tensor = self.output(torch.cat([last[0], last[1]], dim=1))  # (B, K)
        return logits


# --8<-- [end:name_classifier]


def _check_characters(characters: Tensor, vocabulary_size: int) -> None:
    check_shape("characters", characters, "B", "T")
    check_indices("characters", characters, vocabulary_size)
