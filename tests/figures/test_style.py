import matplotlib
import pytest
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from notes.figures.style import COLORS, INK, plot_history, show_images, use_style

WHITE, DARK_PAGE = "#ffffff", "#14171d"


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color1, color2):
    low, high = sorted((luminance(color1), luminance(color2)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("color", COLORS)
def test_data_colors_stand_out_from_the_light_and_the_dark_page(color):
    assert contrast(color, WHITE) >= 3
    assert contrast(color, DARK_PAGE) >= 3


def test_ink_can_be_read_as_small_text_on_white():
    assert contrast(INK, WHITE) >= 7


def test_the_style_is_one_that_matplotlib_knows():
    with plt.rc_context():
        use_style()
        assert plt.rcParams["axes.labelcolor"] == INK


def test_learning_curves_have_one_panel_for_each_quantity():
    plot_history({"train_loss": [2.0, 1.0], "train_accuracy": [0.5, 0.6], "val_loss": [2.0, 1.5]})
    loss, accuracy = plt.gcf().axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[2.0, 1.0], [2.0, 1.5]]
    assert list(loss.lines[0].get_xdata()) == [1, 2]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.5, 0.6]]
    assert (loss.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "accuracy")


def test_learning_curves_say_which_is_which():
    plot_history({"train_loss": [2.0], "val_loss": [1.5]})
    legend = plt.gcf().axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_a_single_epoch_can_be_seen_as_a_dot():
    plot_history({"train_loss": [2.0]})
    assert plt.gcf().axes[0].lines[0].get_marker() == "o"


def test_epochs_are_marked_by_whole_numbers():
    plot_history({"train_loss": [3.0, 2.0, 1.0]})
    assert all(tick == int(tick) for tick in plt.gcf().axes[0].get_xticks())


def test_learning_curves_can_be_drawn_into_given_axes():
    _, ax = plt.subplots()
    plot_history({"train_loss": [1.0]}, [ax])
    assert len(ax.lines) == 1


@pytest.mark.parametrize("history", [{}, {"train_loss": []}])
def test_a_history_without_epochs_is_rejected(history):
    with pytest.raises(ValueError, match="history must hold at least one epoch"):
        plot_history(history)


def test_axes_must_match_the_quantities():
    with pytest.raises(ValueError, match=r"axes must be 1 for \['loss'\], got 0"):
        plot_history({"train_loss": [1.0]}, [])


@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 1, 6, 7), (5, 3, 6, 7)])
def test_images_are_drawn_in_rows(shape):
    figure = show_images(torch.rand(shape), columns=3)
    assert len(figure.axes) == 6
    drawn = [ax.images[0].get_array().shape[:2] for ax in figure.axes if ax.images]
    assert drawn == [(6, 7)] * 5


def test_images_keep_their_size_in_every_row():
    wide = show_images(torch.rand(9, 4, 4))
    assert len(wide.axes) == 2 * 8
    assert list(wide.get_size_inches()) == [7.0, 2 * 7.0 / 8]
    titled = show_images(torch.rand(2, 4, 4), ["a", "b"], columns=1)
    assert list(titled.get_size_inches()) == [7.0, 2 * (7.0 + 0.25)]


def test_gray_images_can_share_their_limits():
    figure = show_images(torch.tensor([[[0.2, 0.4]]]), limits=(0.0, 1.0))
    assert figure.axes[0].images[0].get_clim() == (0.0, 1.0)


def test_titles_stand_above_the_images():
    figure = show_images(torch.rand(2, 4, 4), ["a", "b"])
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]


@pytest.mark.parametrize("shape", [(4, 4), (2, 2, 4, 4), (0, 4, 4)])
def test_images_of_another_shape_are_rejected(shape):
    with pytest.raises(ValueError, match=r"images must have shape .*, got \("):
        show_images(torch.zeros(shape))


def test_titles_must_match_the_images():
    with pytest.raises(ValueError, match="titles must be as many as images, 2, got 1"):
        show_images(torch.zeros(2, 4, 4), ["a"])
