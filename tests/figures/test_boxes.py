import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from notes.figures.boxes import draw_boxes, show_image
from notes.figures.style import COLORS

TWO = torch.tensor([[0.1, 0.2, 0.5, 0.6], [0.3, 0.0, 0.9, 0.5]])


@pytest.fixture
def axes():
    yield plt.subplots()[1]
    plt.close("all")


def sides(patch):
    x, y = patch.get_xy()
    return [x, y, x + patch.get_width(), y + patch.get_height()]


def test_a_box_is_drawn_where_its_corners_are(axes):
    draw_boxes(axes, torch.tensor([[10.0, 20.0, 30.0, 60.0]]))
    assert [sides(patch) for patch in axes.patches] == [[10, 20, 30, 60]]


def test_shares_of_an_image_become_pixels(axes):
    draw_boxes(axes, torch.tensor([[0.25, 0.5, 0.75, 1.0]]), image_size=(10, 40))
    assert sides(axes.patches[0]) == [10, 5, 30, 10]


def test_the_size_of_the_image_is_not_rounded_to_the_precision_of_the_boxes(axes):
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.bfloat16)
    draw_boxes(axes, whole, image_size=(427, 641))
    assert sides(axes.patches[0]) == [0, 0, 641, 427]


def test_an_image_fills_the_axes_up_to_its_outer_edges(axes):
    show_image(axes, torch.rand(3, 10, 40))
    assert axes.get_xlim() == (0, 40)
    assert axes.get_ylim() == (10, 0)


def test_gray_keeps_its_brightness_and_bytes_are_understood(axes):
    show_image(axes, torch.full((1, 2, 2), 0.5))
    show_image(axes, torch.full((1, 2, 2), 51, dtype=torch.uint8))
    grays = [image.to_rgba(image.get_array())[0, 0, 0] for image in axes.images]
    assert grays == pytest.approx([0.5, 0.2], abs=0.01)


def test_each_label_stands_at_the_upper_left_corner_of_its_box(axes):
    draw_boxes(axes, TWO, ["cat", "dog"])
    assert [text.get_text() for text in axes.texts] == ["cat", "dog"]
    positions = [xy for text in axes.texts for xy in text.get_position()]
    assert positions == pytest.approx([0.1, 0.2, 0.3, 0.0])


def test_an_empty_label_is_not_drawn(axes):
    draw_boxes(axes, TWO, ["", "dog"])
    assert [text.get_text() for text in axes.texts] == ["dog"]


def test_a_label_stands_above_its_box_unless_the_image_ends_there(axes):
    show_image(axes, torch.rand(3, 10, 10))
    draw_boxes(axes, TWO, ["below the edge", "at the edge"], image_size=(10, 10))
    assert [text.get_verticalalignment() for text in axes.texts] == ["bottom", "top"]


def test_in_an_enlarged_part_of_an_image_its_edge_counts(axes):
    axes.set_ylim(10, 5)
    draw_boxes(axes, torch.tensor([[1.0, 5.2, 2.0, 9.0], [1.0, 6.0, 2.0, 9.0]]), ["at", "below"])
    assert [text.get_verticalalignment() for text in axes.texts] == ["top", "bottom"]


def test_boxes_have_the_colors_of_the_book_in_turn(axes):
    draw_boxes(axes, TWO[:1].expand(7, 4))
    drawn = [to_hex(patch.get_edgecolor()) for patch in axes.patches]
    assert drawn == [*COLORS, COLORS[0]]


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        pytest.param("#ff0000", ["#ff0000", "#ff0000"], id="one for all"),
        pytest.param(["#ff0000", "#00ff00"], ["#ff0000", "#00ff00"], id="one for each"),
    ],
)
def test_colors_can_be_chosen(axes, colors, expected):
    draw_boxes(axes, TWO, ["cat", "dog"], colors)
    assert [to_hex(patch.get_edgecolor()) for patch in axes.patches] == expected
    frames = [to_hex(text.get_bbox_patch().get_edgecolor()) for text in axes.texts]
    assert frames == expected


def test_outlines_have_a_rim_on_a_photo_and_none_on_a_plot(axes):
    draw_boxes(axes, TWO[:1])
    show_image(axes, torch.rand(3, 4, 4))
    draw_boxes(axes, TWO[:1])
    plain, rimmed = axes.patches
    assert not plain.get_path_effects()
    assert len(rimmed.get_path_effects()) == 2


def test_the_line_is_what_was_asked_for(axes):
    draw_boxes(axes, TWO[:1], linewidth=1.0, linestyle="--")
    assert axes.patches[0].get_linewidth() == 1.0
    assert axes.patches[0].get_linestyle() == "--"


def test_boxes_with_a_gradient_can_be_drawn(axes):
    draw_boxes(axes, TWO.clone().requires_grad_())
    assert len(axes.patches) == 2


def test_no_box_draws_nothing(axes):
    draw_boxes(axes, torch.zeros(0, 4), [])
    assert not axes.patches
    assert not axes.texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"boxes": TWO[0]}, r"boxes must have shape \(N, 4\), got \(4,\)", id="rank"),
        pytest.param({"labels": ["cat"]}, r"labels must be as many as boxes, 2, got 1", id="label"),
        pytest.param({"colors": []}, r"colors must hold at least one color, got none", id="color"),
        pytest.param(
            {"image_size": (0, 9)}, r"the height in image_size must be greater than 0", id="height"
        ),
        pytest.param(
            {"image_size": (9, 0)}, r"the width in image_size must be greater than 0", id="width"
        ),
    ],
)
def test_unfit_arguments_are_refused(axes, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_boxes(axes, **({"boxes": TWO} | arguments))


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4), (3, 0, 4)])
def test_what_is_no_image_is_refused(axes, shape):
    with pytest.raises(ValueError, match=r"image must have shape \(3, H, W\) or \(1, H, W\), got"):
        show_image(axes, torch.rand(shape))
