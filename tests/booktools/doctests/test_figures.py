import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from booktools.doctests.figures import (
    DARK_PAPER,
    LIGHT_INK,
    MAX_FIGURE_TOLERANCE,
    darken,
    distance,
    save_figures,
)
from booktools.pages.blocks import DEFAULT_FIGURE_TOLERANCE
from notes.figures.style import COLORS, INK, STYLE


@pytest.fixture(autouse=True)
def _style():
    mpl.use("Agg")
    with plt.style.context(STYLE):
        yield
    plt.close("all")


def color(value):
    return pytest.approx(mpl.colors.to_rgb(value), abs=1e-6)


def draw(values=(1, 2, 4, 3), title="loss 0.51"):
    axes = plt.subplots()[1]
    axes.plot(values, label="training")
    axes.set(title=title, xlabel="epoch", ylabel="loss")
    axes.legend()


def save(folder, draw=draw, **kwargs):
    plt.close("all")
    folder.mkdir()
    draw(**kwargs)
    save_figures(folder)
    return folder / "0.png"


def test_a_figure_is_sharp_small_and_opaque(tmp_path):
    with Image.open(save(tmp_path / "a")) as picture:
        assert picture.width == 1050
        assert picture.convert("RGBA").getextrema()[3] == (255, 255)
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert (tmp_path / "a" / "0.png").stat().st_size < 40_000
    assert (tmp_path / "a" / "0.dark.png").stat().st_size < 40_000


def test_the_dark_twin_has_no_background_and_no_dark_ink(tmp_path):
    save(tmp_path / "a")
    levels = np.asarray(Image.open(tmp_path / "a" / "0.dark.png").convert("RGBA"))
    assert levels[0, 0, 3] == 0
    opaque = levels[levels[..., 3] > 250][:, :3]
    assert opaque.max(axis=1).min() > 100


def test_all_open_figures_are_saved(tmp_path):
    draw()
    draw()
    assert save_figures(tmp_path) == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        "0.png",
        "0.dark.png",
        "1.png",
        "1.dark.png",
    }


def test_a_file_does_not_name_the_version_that_drew_it(tmp_path):
    assert b"matplotlib" not in save(tmp_path / "a").read_bytes().lower()


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("0.png", "0.dark.png"):
        first, second = (save(tmp_path / (part + name)).parent / name for part in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_ink_becomes_light_and_data_keeps_its_color():
    axes = plt.subplots()[1]
    (data,) = axes.plot([1, 2])
    (reference,) = axes.plot([2, 1], color="black")
    note = axes.annotate("peak", (0, 1), (1, 2), arrowprops={"color": INK}, bbox={"fc": "white"})
    inside = axes.text(0, 0, "on a bar", color="white")
    legend = axes.legend([data], ["data"], frameon=True)
    darken(axes.figure)
    assert mpl.colors.to_rgb(data.get_color()) == color(COLORS[0])
    assert mpl.colors.to_rgb(reference.get_color()) == color(LIGHT_INK)
    assert mpl.colors.to_rgb(axes.xaxis.label.get_color()) == color(LIGHT_INK)
    assert axes.spines["left"].get_edgecolor()[:3] == color(LIGHT_INK)
    assert mpl.colors.to_rgb(axes.get_xticklabels()[0].get_color()) == color(LIGHT_INK)
    assert note.arrow_patch.get_facecolor()[:3] == color(LIGHT_INK)
    assert note.get_bbox_patch().get_facecolor()[:3] == color(DARK_PAPER)
    assert legend.get_frame().get_facecolor()[:3] == color(DARK_PAPER)
    assert mpl.colors.to_rgb(inside.get_color()) == color("white")


@pytest.mark.parametrize("draw_image", ["imshow", "pcolormesh"])
def test_what_is_drawn_over_an_image_keeps_its_color(draw_image):
    axes = plt.subplots()[1]
    getattr(axes, draw_image)([[0, 1], [1, 0]])
    (line,) = axes.plot([0, 1], color="black")
    points = axes.scatter([0], [0], color="black")
    number = axes.text(0, 0, "3", color="black")
    box = axes.add_patch(plt.Rectangle((0, 0), 1, 1, edgecolor="black", fill=False))
    framed = axes.text(0, 0, "cat", color="black", bbox={"facecolor": "white"})
    title = axes.set_title("digits")
    darken(axes.figure)
    assert mpl.colors.to_rgb(number.get_color()) == color("black")
    assert box.get_edgecolor()[:3] == color("black")
    assert mpl.colors.to_rgb(line.get_color()) == color("black")
    assert points.get_facecolor()[0, :3] == color("black")
    assert framed.get_bbox_patch().get_facecolor()[:3] == color("white")
    assert mpl.colors.to_rgb(title.get_color()) == color(LIGHT_INK)


def test_the_axes_of_a_plot_in_three_dimensions_become_light():
    axes = plt.figure().add_subplot(projection="3d")
    axes.xaxis.line.set_color("black")
    axes.xaxis.pane.set_facecolor("white")
    darken(axes.figure)
    assert mpl.colors.to_rgb(axes.xaxis.line.get_color()) == color(LIGHT_INK)
    assert axes.xaxis.pane.get_facecolor()[:3] == color(DARK_PAPER)


def test_scattered_points_keep_the_colors_that_come_from_numbers():
    axes = plt.subplots()[1]
    numbers = axes.scatter([1, 2], [1, 2], c=[0.0, 1.0], cmap="gray")
    mixed = axes.scatter([1, 2], [2, 1], c=["black", COLORS[1]])
    axes.figure.canvas.draw()
    before = numbers.get_facecolor().copy()
    darken(axes.figure)
    assert np.array_equal(numbers.get_facecolor(), before)
    assert mixed.get_facecolor()[0, :3] == color(LIGHT_INK)
    assert mixed.get_facecolor()[1, :3] == color(COLORS[1])


def draw_boxes(left=0.2, name="cat", labels=("train", "test")):
    """Many things, of which one change is hard to see in the whole picture."""
    _, axes = plt.subplots(2, 3)
    for ax in axes.flat:
        ax.imshow(np.random.default_rng(0).random((40, 40)), cmap="gray")
        ax.set_axis_off()
    box = plt.Rectangle((10 + left, 5), 12, 9, fill=False, edgecolor=COLORS[1], linewidth=2)
    axes[0, 1].add_patch(box)
    axes[0, 1].text(10, 4, name, color="white", bbox={"facecolor": COLORS[0]})
    for label, color in zip(labels, COLORS, strict=False):
        axes[1, 1].plot([1, 2], label=label, color=color)
    axes[1, 1].legend()


@pytest.mark.parametrize(
    ("draw", "change"),
    [
        pytest.param(draw, {"values": (1, 2, 4, 3.2)}, id="one value"),
        pytest.param(draw, {"values": (1, 2)}, id="fewer values"),
        pytest.param(draw, {"title": "loss 0.52"}, id="one digit"),
        pytest.param(draw_boxes, {"left": 0.4}, id="a box moved by a pixel"),
        pytest.param(draw_boxes, {"left": 99}, id="a missing box"),
        pytest.param(draw_boxes, {"name": "car"}, id="one letter"),
        pytest.param(draw_boxes, {"labels": ("test", "train")}, id="a legend turned round"),
    ],
)
def test_another_drawing_is_farther_away_than_any_tolerance(tmp_path, draw, change):
    first, second = save(tmp_path / "a", draw), save(tmp_path / "b", draw, **change)
    assert distance(first, second) > MAX_FIGURE_TOLERANCE
    assert distance(*(path.with_suffix(".dark.png") for path in (first, second))) > (
        MAX_FIGURE_TOLERANCE
    )


def test_rounding_is_nearer_than_the_tolerance(tmp_path):
    first = save(tmp_path / "a")
    second = save(tmp_path / "b", values=(1.000001, 2.000001, 3.999999, 3.000001))
    assert distance(first, second) < DEFAULT_FIGURE_TOLERANCE / 2


def test_the_distance_is_the_mean_of_the_worst_window(tmp_path):
    levels = np.zeros((20, 30, 3), dtype=np.uint8)
    for name, change in (("a", 0), ("b", 64)):
        levels[3:7, 18:22] = change  # 16 of the 64 pixels of a window
        levels[15:17, 2:4] = change
        Image.fromarray(levels).save(tmp_path / f"{name}.png")
    assert distance(tmp_path / "a.png", tmp_path / "b.png") == pytest.approx(16.0)


def test_what_encoding_changes_is_nearer_than_the_tolerance(tmp_path):
    first = save(tmp_path / "a", draw_boxes)
    with Image.open(first) as picture:
        picture.convert("RGB").save(tmp_path / "a.avif", quality=80, subsampling="4:4:4")
    assert distance(first, tmp_path / "a.avif") < DEFAULT_FIGURE_TOLERANCE


def test_pictures_of_different_sizes_are_infinitely_far(tmp_path):
    first = save(tmp_path / "a")
    plt.rcParams["figure.figsize"] = (3, 3)
    assert distance(first, save(tmp_path / "b")) == float("inf")
