"""Multilayer perceptrons: dense layers with something bent between them.

Source: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors" (1986),
https://doi.org/10.1038/323533a0. Differs from the paper: ReLU unless asked otherwise, and dropout
(Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html).

Shapes: `B` batch, `D` features of one input, `K` outputs.
"""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from notes.checks import as_integer, check_probability

# --8<-- [start:mlp]
DROPOUT_SIZES = (784, 256, 256, 10)  # with dropout 0.2 and 0.5, for Fashion-MNIST
MNIST_SIZES = (784, 512, 256, 128, 64, 10)
DIABETES_SIZES = (8, 6, 4, 1)  # with sigmoids; one logit says ill or healthy

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def mlp(
    sizes: Sequence[int],
    *,
    activation: Literal["relu", "sigmoid", "tanh"] = "relu",
    dropout: Sequence[float] = (),
) -> nn.Sequential:
    """A chain of dense layers: `(B, …)` inputs with `D` numbers each to `(B, K)` outputs.

    Nothing stands behind the last layer: the outputs are logits, or plain numbers in regression.

    Args:
        sizes: `D`, then the features of each hidden layer, then `K`.
        activation: The non-linearity after every layer but the last.
        dropout: One probability for each hidden layer, applied after its activation; empty for
            none.

    Returns:
        `nn.Flatten`, so that images can go in as they are, and the layers.

    Raises:
        ValueError: If there are fewer than two sizes, one is not positive, the activation is not
            known, or `dropout` has the wrong length or a value outside [0, 1].

    Examples:
        >>> mlp((20, 256, 10), dropout=(0.5,))
        Sequential(
          (0): Flatten(start_dim=1, end_dim=-1)
          (1): Linear(in_features=20, out_features=256, bias=True)
          (2): ReLU()
          (3): Dropout(p=0.5, inplace=False)
          (4): Linear(in_features=256, out_features=10, bias=True)
        )

    Explained in:
        [Models][models]
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must have at least 2 entries, got {tuple(sizes)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {activation!r}")
    num_hidden = len(sizes) - 2
    if dropout and len(dropout) != num_hidden:
        raise ValueError(
            f"dropout must have one value for each of the {num_hidden} hidden layers, "
            f"got {tuple(dropout)}"
        )
    sizes = [as_integer(f"sizes[{number}]", size) for number, size in enumerate(sizes)]
    for number, p in enumerate(dropout):
        check_probability(f"dropout[{number}]", p)
    layers: list[nn.Module] = [nn.Flatten()]  # (B, D)
    for number in range(num_hidden):
        layers += [nn.Linear(sizes[number], sizes[number + 1]), ACTIVATIONS[activation]()]
        if dropout:
            layers.append(nn.Dropout(dropout[number]))
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


# --8<-- [end:mlp]
