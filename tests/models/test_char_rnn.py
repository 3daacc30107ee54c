import math

import pytest
import torch
from torch import nn

from notes.inspect import summarize
from notes.models.char_rnn import CharacterRNN, NameClassifier, OneHotRNN

HELLO = torch.tensor([[1, 0, 2, 2, 3]])  # e, h, l, o are 0, 1, 2, 3
OHLOL = torch.tensor([[3, 1, 2, 3, 2]])
CELLS = pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])


@pytest.mark.parametrize(
    ("cell", "recurrent", "total"), [("rnn", 304, 380), ("gru", 912, 988), ("lstm", 1_216, 1_292)]
)
def test_the_parameters_are_those_of_the_notes(cell, recurrent, total):
    model = CharacterRNN(4, cell=cell)
    assert sum(p.numel() for p in model.recurrent.parameters()) == recurrent
    assert summarize(model, (5,), dtype=torch.long).num_parameters == total


@CELLS
def test_there_are_logits_for_every_character(cell):
    assert CharacterRNN(4, cell=cell)(HELLO).shape == (1, 5, 4)


@CELLS
def test_an_answer_depends_only_on_what_was_read_so_far(cell):
    torch.manual_seed(0)
    model, other_end = CharacterRNN(4, cell=cell), HELLO.clone()
    other_end[0, 3:] = 0
    first, second = model(HELLO), model(other_end)
    torch.testing.assert_close(first[:, :3], second[:, :3])
    assert not torch.allclose(first[:, 3:], second[:, 3:])


def test_one_hot_scores_are_those_of_a_loop_over_a_cell():
    torch.manual_seed(0)
    model, cell = OneHotRNN(4), nn.RNNCell(4, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in model.recurrent.named_parameters()})
    hidden, scores = torch.zeros(1, 4), []
    for character in HELLO[0]:
        hidden = cell(torch.eye(4)[character][None], hidden)
        scores.append(hidden)
    torch.testing.assert_close(model(HELLO), torch.stack(scores, dim=1))


def test_one_hot_scores_cannot_push_the_loss_below_its_bound():
    best = torch.full((1, 4), -1.0)
    best[0, 2] = 1.0  # the most that a tanh can say for class 2
    loss = nn.functional.cross_entropy(best, torch.tensor([2])).item()
    assert loss == pytest.approx(math.log(1 + 3 * math.exp(-2)), abs=1e-6)
    assert loss == pytest.approx(0.3408, abs=5e-5)
    assert OneHotRNN(4)(HELLO).abs().max() < 1


@pytest.mark.parametrize(
    ("cell", "steps"), [("rnn", 15), ("gru", 40), ("lstm", 40)], ids=["rnn", "gru", "lstm"]
)
def test_it_learns_to_answer_hello_with_ohlol(memorizes, cell, steps):
    assert memorizes(CharacterRNN(4, cell=cell), HELLO, OHLOL, lr=0.05, steps=steps)


def test_the_padding_of_a_short_name_changes_nothing():
    torch.manual_seed(0)
    model, lengths = NameClassifier(5, 3), torch.tensor([2, 4])
    names = torch.tensor([[1, 2, 0, 0], [3, 1, 4, 2]])
    padded_otherwise = torch.tensor([[1, 2, 4, 4], [3, 1, 4, 2]])
    torch.testing.assert_close(model(names, lengths), model(padded_otherwise, lengths))
    alone = model(names[:1, :2], lengths[:1])
    torch.testing.assert_close(model(names, lengths)[:1], alone)


def test_the_last_character_of_a_name_counts_and_the_order_of_a_batch_does_not():
    torch.manual_seed(0)
    model, lengths = NameClassifier(5, 3), torch.tensor([2, 3])
    names = torch.tensor([[1, 2, 0], [3, 1, 4]])
    logits = model(names, lengths)
    torch.testing.assert_close(model(names.flip(0), lengths.flip(0)), logits.flip(0))
    assert not torch.allclose(model(names, torch.tensor([1, 3]))[0], logits[0])


def test_it_memorizes_one_batch_of_names(memorizes, labels):
    names, lengths = torch.randint(1, 9, (8, 6)), torch.tensor([6, 5, 4, 3, 6, 5, 4, 3])
    assert memorizes(NameClassifier(9, 10), names, lengths, labels, lr=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 0}, "vocabulary_size must be at least 1, got 0"),
        ({"embedding_dim": 0}, "embedding_dim must be at least 1, got 0"),
        ({"hidden_size": 0}, "hidden_size must be at least 1, got 0"),
        ({"num_layers": 0}, "num_layers must be at least 1, got 0"),
        ({"cell": "elman"}, r"cell must be one of \['gru', 'lstm', 'rnn'\], got 'elman'"),
    ],
)
def test_a_character_network_refuses_what_it_cannot_build(options, message):
    with pytest.raises(ValueError, match=message):
        CharacterRNN(**{"vocabulary_size": 4, **options})


@pytest.mark.parametrize("name", ["vocabulary_size", "num_classes", "embedding_dim", "hidden_size"])
def test_a_name_classifier_refuses_what_it_cannot_build(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        NameClassifier(**{"vocabulary_size": 4, "num_classes": 3, name: 0})


def test_a_one_hot_network_refuses_an_empty_vocabulary():
    with pytest.raises(ValueError, match="vocabulary_size must be at least 1, got 0"):
        OneHotRNN(0)


@pytest.mark.parametrize("model", [OneHotRNN(4), CharacterRNN(4)])
@pytest.mark.parametrize(
    ("characters", "error", "message"),
    [
        (HELLO[0], ValueError, r"characters must have shape \(B, T\), got \(5,\)"),
        (HELLO + 1, ValueError, r"characters must lie in \[0, 4\), got 4"),
        (HELLO.float(), TypeError, "characters must be a tensor of integers, got torch.float32"),
    ],
)
def test_what_is_no_text_is_refused(model, characters, error, message):
    with pytest.raises(error, match=message):
        model(characters)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5, 5], r"lengths must have shape \(1,\), got \(2,\)"),
        ([0], r"lengths must be at least 1, got \[0\]"),
        ([6], r"lengths must lie in \[0, 6\), got 6"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        NameClassifier(4, 3)(HELLO, torch.tensor(lengths))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_characters_and_lengths_may_be_small_integers(dtype):
    torch.manual_seed(0)
    for model in (OneHotRNN(4), CharacterRNN(4)):
        assert torch.equal(model(HELLO.to(dtype)), model(HELLO))
    classifier, lengths = NameClassifier(4, 3), torch.tensor([120])
    name = HELLO.repeat(1, 60)  # 300 characters, more than a byte counts
    expected = classifier(name, lengths)
    assert torch.equal(classifier(name.to(dtype), lengths.to(dtype)), expected)


def test_lengths_that_are_no_integers_are_refused():
    with pytest.raises(TypeError, match=r"lengths must be a tensor of integers, got torch.float32"):
        NameClassifier(4, 3)(HELLO, torch.tensor([2.5]))
