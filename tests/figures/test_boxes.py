import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Text

from notes.figures.boxes import draw_boxes
from notes.figures.images import draw_image
from notes.figures.style import COLORS

TWO = torch.tensor([[0.1, 0.2, 0.5, 0.6], [0.3, 0.0, 0.9, 0.5]])


@pytest.fixture
def ax():
    return plt.subplots()[1]


def sides(patch):
    x, y = patch.get_xy()
    return [x, y, x + patch.get_width(), y + patch.get_height()]


def test_a_box_is_drawn_where_its_corners_are(ax):
    draw_boxes(torch.tensor([[10.0, 20.0, 30.0, 60.0]]), ax)
    assert [sides(patch) for patch in ax.patches] == [[10, 20, 30, 60]]


def test_shares_of_an_image_become_pixels(ax):
    draw_boxes(torch.tensor([[0.25, 0.5, 0.75, 1.0]]), ax, image_size=(10, 40))
    assert sides(ax.patches[0]) == [10, 5, 30, 10]


def test_the_size_of_the_image_is_not_rounded_to_the_precision_of_the_boxes(ax):
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.bfloat16)
    draw_boxes(whole, ax, image_size=(427, 641))
    assert sides(ax.patches[0]) == [0, 0, 641, 427]


def test_each_label_stands_at_the_upper_left_corner_of_its_box(ax):
    draw_boxes(TWO, ax, labels=["cat", "dog"])
    assert [text.get_text() for text in ax.texts] == ["cat", "dog"]
    positions = [xy for text in ax.texts for xy in text.get_position()]
    assert positions == pytest.approx([0.1, 0.2, 0.3, 0.0])


def test_an_empty_label_is_not_drawn(ax):
    draw_boxes(TWO, ax, labels=["", "dog"])
    assert [text.get_text() for text in ax.texts] == ["dog"]


@pytest.fixture
def drawn_places(ax, monkeypatch):
    """Draws the axes; left, top and right of each label, with those of the axes as 0, 0 and 1."""

    def places():
        found = {}

        def draw(text, renderer):
            frame, own = ax.bbox, text.get_window_extent(renderer)
            width, height = frame.width, frame.height
            found[text.get_text()] = (
                (own.x0 - frame.x0) / width,
                (frame.y1 - own.y1) / height,
                (own.x1 - frame.x0) / width,
            )

        with monkeypatch.context() as patch:
            patch.setattr(Text, "draw", draw)
            ax.figure.canvas.draw()
        return found

    return places


def test_a_label_stands_above_its_box_and_in_the_axes_where_the_image_ends(ax, drawn_places):
    draw_image(torch.rand(3, 100, 100), ax)
    boxes = torch.tensor([[0.2, 0.5, 0.9, 0.9], [0.6, 0.0, 0.9, 0.5], [0.9, 0.7, 1.0, 0.8]])
    draw_boxes(boxes, ax, labels=["above", "top", "to the right"], image_size=100)
    places = drawn_places()
    left, top, right = places["above"]
    assert left == pytest.approx(0.2)
    assert 0.4 < top < 0.5
    left, top, right = places["top"]
    assert left == pytest.approx(0.6)
    assert 0 < top < 0.05
    left, top, right = places["to the right"]
    assert left < 0.9
    assert 0.95 < right < 1


def test_the_limits_that_count_are_those_at_the_end(ax, drawn_places):
    draw_boxes(torch.tensor([[1.0, 5.2, 2.0, 9.0], [1.0, 2.0, 2.0, 9.0]]), ax, labels=["a", "b"])
    ax.set(xlim=(0, 5), ylim=(10, 5))
    places = drawn_places()
    assert 0 < places["a"][1] < 0.04
    assert places["a"] == pytest.approx(places["b"], abs=0.05)
    ax.set(ylim=(10, 0))
    assert drawn_places()["b"][1] < 0.2 < drawn_places()["a"][1] < 0.52


def test_the_label_of_a_box_out_of_sight_stays_there(ax, drawn_places):
    draw_boxes(torch.tensor([[1.0, 1.0, 2.0, 2.0]]), ax, labels=["far away"])
    ax.set(xlim=(5, 6), ylim=(6, 5))
    assert drawn_places()["far away"][0] < -1


def test_boxes_have_the_colors_of_the_book_in_turn(ax):
    draw_boxes(TWO[:1].expand(7, 4), ax)
    drawn = [to_hex(patch.get_edgecolor()) for patch in ax.patches]
    assert drawn == [*COLORS, COLORS[0]]


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        pytest.param("#ff0000", ["#ff0000", "#ff0000"], id="one for all"),
        pytest.param(["#ff0000", "#00ff00"], ["#ff0000", "#00ff00"], id="one for each"),
    ],
)
def test_colors_can_be_chosen(ax, colors, expected):
    draw_boxes(TWO, ax, labels=["cat", "dog"], colors=colors)
    assert [to_hex(patch.get_edgecolor()) for patch in ax.patches] == expected
    frames = [to_hex(text.get_bbox_patch().get_edgecolor()) for text in ax.texts]
    assert frames == expected


def test_outlines_have_a_rim_on_a_photo_and_none_on_a_plot(ax):
    draw_boxes(TWO[:1], ax)
    draw_image(torch.rand(3, 4, 4), ax)
    draw_boxes(TWO[:1], ax)
    plain, rimmed = ax.patches
    assert not plain.get_path_effects()
    assert len(rimmed.get_path_effects()) == 2


def test_the_line_is_what_was_asked_for(ax):
    draw_boxes(TWO[:1], ax, linewidth=1.0, linestyle="--")
    assert ax.patches[0].get_linewidth() == 1.0
    assert ax.patches[0].get_linestyle() == "--"


def test_no_box_draws_nothing(ax):
    draw_boxes(torch.zeros(0, 4), ax, labels=[])
    assert not ax.patches
    assert not ax.texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"boxes": TWO[0]}, r"boxes must have shape \(N, 4\), got \(4,\)", id="rank"),
        pytest.param({"labels": ["cat"]}, r"labels must be as many as boxes, 2, got 1", id="label"),
        pytest.param({"colors": []}, r"colors must hold at least one color, got none", id="color"),
        pytest.param({"linewidth": 0}, r"linewidth must be greater than 0, got 0", id="line"),
        pytest.param(
            {"image_size": (9, 0)}, r"image_size must be at least 1, got \(9, 0\)", id="size"
        ),
        pytest.param(
            {"boxes": torch.tensor([[0.5, 0.5, 0.25, 0.75]])},
            r"boxes must have x1 <= x2 and y1 <= y2, got \[0.5, 0.5, 0.25, 0.75\] at index 0",
            id="turned",
        ),
        pytest.param(
            {"boxes": torch.full((1, 4), float("nan"))}, "boxes must be finite, got nan", id="nan"
        ),
    ],
)
def test_unfit_arguments_are_refused(ax, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_boxes(**({"boxes": TWO, "ax": ax} | arguments))


def test_boxes_of_whole_pixels_may_be_integers(ax):
    draw_boxes(torch.tensor([[10, 20, 30, 60]]), ax)
    assert sides(ax.patches[0]) == [10, 20, 30, 60]


def test_one_number_is_the_size_of_a_square_image(ax):
    draw_boxes(torch.tensor([[0.25, 0.5, 0.75, 1.0]]), ax, image_size=40)
    assert sides(ax.patches[0]) == [10, 20, 30, 40]


def test_numbers_are_labels_too_and_zero_is_one_of_them(ax):
    draw_boxes(TWO, ax, labels=range(2))
    assert [text.get_text() for text in ax.texts] == ["0", "1"]


@pytest.mark.parametrize(
    ("boxes", "size", "shown"),
    [
        (torch.tensor([[10.0, 20.0, 30.0, 60.0]]), None, [10, 20, 30, 60]),
        (torch.tensor([[0.5, 0.5, 0.6, 0.6]]), (100, 200), [0, 0, 200, 100]),
        (torch.tensor([[-0.1, 0.5, 0.6, 0.6]]), (100, 200), [-20, 0, 200, 100]),
        (torch.zeros(0, 4), (100, 200), [0, 0, 200, 100]),
        (torch.zeros(0, 4), None, [0, 0, 1, 1]),
        (torch.tensor([[3.0, 3.0, 3.0, 3.0]]), None, [3, 3, 3, 3]),
    ],
    ids=["boxes", "image", "both", "image alone", "nothing", "a point"],
)
def test_a_new_figure_shows_all_boxes_and_the_whole_image_with_y_down(boxes, size, shown):
    ax = draw_boxes(boxes, image_size=size)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert left < shown[0] <= shown[2] < right
    assert top < shown[1] <= shown[3] < bottom
    assert ax.get_aspect() == 1
