import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from notes.figures.history import draw_history

HISTORY = {"train_loss": [2.0, 1.0], "train_accuracy": [0.5, 0.6], "val_loss": [2.0, 1.5]}


def curves(ax):
    return {line.get_label(): list(line.get_ydata()) for line in ax.lines}


def test_training_and_validation_are_drawn_over_the_epochs():
    ax = draw_history(HISTORY)
    assert curves(ax) == {"training": [2.0, 1.0], "validation": [2.0, 1.5]}
    assert list(ax.lines[0].get_xdata()) == [1, 2]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_the_legend_says_which_is_which():
    legend = draw_history(HISTORY).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_another_quantity_can_be_asked_for():
    ax = draw_history(HISTORY, quantity="accuracy")
    assert curves(ax) == {"training": [0.5, 0.6]}
    assert ax.get_ylabel() == "accuracy"


def test_validation_alone_is_enough():
    assert curves(draw_history({"val_loss": [1.0], "train_loss": []})) == {"validation": [1.0]}


def test_a_single_epoch_can_be_seen_as_a_dot():
    assert draw_history({"train_loss": [2.0]}).lines[0].get_marker() == "o"


@pytest.mark.parametrize("num_epochs", [1, 3, 20, 200])
def test_epochs_are_marked_by_whole_numbers(num_epochs):
    ticks = draw_history({"train_loss": [1.0] * num_epochs}).get_xticks()
    assert all(tick == int(tick) for tick in ticks)


def test_epochs_are_whole_also_on_axes_with_ticks_of_their_own():
    ax = plt.subplots()[1]
    ax.set_xticks([0.5, 1.5])
    draw_history({"train_loss": [3.0, 2.0, 1.0]}, ax)
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_a_training_that_went_wrong_is_drawn_with_a_gap():
    ax = draw_history({"train_loss": [1.0, float("nan"), 0.5]})
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, True, False]


def test_tensors_and_arrays_are_numbers_too():
    ax = draw_history({"train_loss": torch.tensor([2.0, 1.0]), "val_loss": np.array([2.0, 1.5])})
    assert curves(ax) == {"training": [2.0, 1.0], "validation": [2.0, 1.5]}


@pytest.mark.parametrize(
    ("history", "got"),
    [({}, r"\{\}"), ({"train_loss": []}, r"\{'train_loss': 0\}"), ({"loss": [1.0]}, "'loss': 1")],
)
def test_a_history_without_epochs_is_refused(history, got):
    message = f"history must hold an epoch of train_loss or val_loss, got .*{got}"
    with pytest.raises(ValueError, match=message):
        draw_history(history)


def test_an_unknown_quantity_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match=r"train_f1 or val_f1, got \{'train_loss': 2, 'train_acc"):
        draw_history(HISTORY, quantity="f1")
