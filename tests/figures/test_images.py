import matplotlib.pyplot as plt
import pytest
import torch

from notes.figures.images import draw_image, draw_images


def colors(ax):
    """What matplotlib shows of each image in the axes, in levels from 0 to 255."""
    return [image.to_rgba(image.get_array(), bytes=True)[..., :3] for image in ax.images]


def places(ax):
    """Left, bottom, right and top of each panel on the figure, in inches."""
    ax.figure.canvas.draw()
    inches = ax.figure.dpi_scale_trans.inverted()
    return [panel.get_window_extent().transformed(inches).extents for panel in ax.child_axes]


def test_an_image_fills_the_axes_up_to_its_outer_edges():
    ax = draw_image(torch.rand(3, 10, 40))
    assert ax.get_xlim() == (0, 40)
    assert ax.get_ylim() == (10, 0)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((10, 20), (7, 3.5)), ((20, 10), (7, 7)), ((1, 1000), (7, 1))],
    ids=["wide", "high", "a line"],
)
def test_a_new_figure_has_the_form_of_the_image_within_limits(shape, size):
    assert list(draw_image(torch.rand(3, *shape)).figure.get_size_inches()) == list(size)


def test_gray_keeps_its_brightness_and_bytes_are_understood():
    ax = draw_image(torch.full((1, 2, 2), 0.5))
    draw_image(torch.full((1, 2, 2), 51, dtype=torch.uint8), ax)
    draw_image(torch.ones(1, 2, 2, dtype=torch.bool), ax)
    assert [int(levels[0, 0, 0]) for levels in colors(ax)] == pytest.approx([128, 51, 255], abs=1)


def test_a_color_is_drawn_as_it_is():
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1)
    (levels,) = colors(draw_image(red.expand(3, 2, 5)))
    assert levels.shape == (2, 5, 3)
    assert levels[1, 4].tolist() == [255, 0, 0]


def test_a_byte_is_drawn_as_this_very_byte():
    bytes_ = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16).repeat(3, 1, 1)
    (levels,) = colors(draw_image(bytes_))
    assert (levels.transpose(2, 0, 1) == bytes_.numpy()).all()


def test_a_rounding_error_beyond_white_is_white():
    (levels,) = colors(draw_image(torch.full((3, 2, 2), 1.001)))
    assert (levels == 255).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.rand(4, 4), r"image must have shape \(C, H, W\), got \(4, 4\)"),
        (torch.rand(2, 4, 4), "image must have 1 or 3 channels, got 2"),
        (torch.rand(4, 4, 3), "image must have 1 or 3 channels, got 4"),
        (torch.rand(3, 0, 4), r"image must not be empty, got shape \(3, 0, 4\)"),
        (torch.full((3, 4, 4), -0.5), r"image must lie in \[0, 1\] or be bytes, got -0.5"),
        (torch.full((1, 4, 4), 1.003), r"image must lie in \[0, 1\] or be bytes, got 1.003"),
        (torch.full((3, 4, 4), 200), r"image must lie in \[0, 1\] or be bytes, got 200"),
        (torch.full((1, 4, 4), float("nan")), "image must be finite, got nan"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(ValueError, match=message):
        draw_image(image)


@pytest.mark.parametrize("draw", [draw_image, draw_images])
def test_complex_numbers_are_refused(draw):
    images = torch.zeros(1, 3, 2, 2, dtype=torch.complex64)
    with pytest.raises(TypeError, match=r"must be real numbers, got torch\.complex64"):
        draw(images if draw is draw_images else images[0])


@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 1, 6, 7), (5, 3, 6, 7)])
def test_images_have_a_panel_each_in_rows_from_the_top(shape):
    ax = draw_images(torch.rand(shape), columns=3)
    assert [panel.images[0].get_array().shape[:2] for panel in ax.child_axes] == [(6, 7)] * 5
    left, bottom, right, top = zip(*places(ax), strict=True)
    assert left[0] < right[0] < left[1] < right[1] < left[2]
    assert left[3:] == pytest.approx(left[:2])
    assert len({round(y, 6) for y in bottom[:3]}) == 1
    assert top[3] < bottom[0]


def test_panels_have_the_form_of_the_images_and_fill_a_new_figure():
    ax = draw_images(torch.rand(9, 4, 8))
    assert list(ax.figure.get_size_inches()) == [7.0, 2 * 7.0 / 8 / 2]
    for left, bottom, right, top in places(ax):
        assert right - left == pytest.approx(2 * (top - bottom))
        assert right - left == pytest.approx(0.94 * 7.0 / 8)
        assert left >= 0 <= bottom


def test_titles_stand_above_the_images_and_inside_the_figure():
    ax = draw_images(torch.rand(3, 4, 4), titles=["a", "b", 3], columns=2)
    assert [panel.get_title() for panel in ax.child_axes] == ["a", "b", "3"]
    assert list(ax.figure.get_size_inches()) == [7.0, 2 * (3.5 + 0.25)]
    ax.figure.canvas.draw()
    boxes = [panel.title.get_window_extent() for panel in ax.child_axes]
    panels = [panel.get_window_extent() for panel in ax.child_axes]
    assert all(box.y0 >= panel.y1 for box, panel in zip(boxes, panels, strict=True))
    assert boxes[0].y1 <= ax.figure.bbox.y1
    assert boxes[2].y1 <= panels[0].y0


@pytest.mark.parametrize("size", [(7.0, 3.6), (2.0, 6.0), (0.5, 0.3)])
def test_titles_find_room_on_axes_of_any_form(size):
    _, ax = plt.subplots(figsize=size)
    draw_images(torch.rand(4, 4, 4), ax, titles=list("abcd"), columns=2)
    ax.figure.canvas.draw()
    tops = [panel.get_window_extent().y1 for panel in ax.child_axes]
    assert tops[0] > tops[2]
    if min(size) > 1:
        title = ax.child_axes[2].title.get_window_extent()
        assert title.y1 <= ax.child_axes[0].get_window_extent().y0


def test_each_gray_image_uses_its_own_limits_unless_they_share_some():
    images = torch.tensor([[[0.25, 0.5]], [[-3.0, 3.0]]])
    own = draw_images(images)
    shared = draw_images(images, limits=(0.0, 1.0))
    assert [panel.images[0].get_clim() for panel in own.child_axes] == [(0.25, 0.5), (-3, 3)]
    assert [panel.images[0].get_clim() for panel in shared.child_axes] == [(0, 1), (0, 1)]


def test_an_image_is_drawn_alike_alone_and_beside_others():
    photos = torch.rand(2, 3, 4, 5)
    (alone,) = colors(draw_image(photos[1]))
    (beside,) = colors(draw_images(photos).child_axes[1])
    assert (alone == beside).all()


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.zeros(4, 4), {}, r"images must have shape \(B, C, H, W\), got \(4, 4\)"),
        (torch.zeros(2, 2, 4, 4), {}, "images must have 1 or 3 channels, got 2"),
        (torch.zeros(0, 4, 4), {}, r"images must not be empty, got shape \(0, 4, 4\)"),
        (torch.zeros(2, 1, 0, 4), {}, r"images must not be empty, got shape \(2, 1, 0, 4\)"),
        (torch.full((2, 3, 4, 4), 7.0), {}, r"images must lie in \[0, 1\] or be bytes, got 7"),
        (torch.full((2, 4, 4), float("inf")), {}, "images must be finite, got inf"),
        (torch.zeros(2, 4, 4), {"titles": ["a"]}, "titles must be as many as images, 2, got 1"),
        (torch.zeros(2, 4, 4), {"columns": 0}, "columns must be at least 1, got 0"),
        (torch.zeros(2, 4, 4), {"limits": (1, 1)}, r"limits must rise .*, got \(1, 1\)"),
        (torch.zeros(2, 4, 4), {"limits": (0, float("nan"))}, "limits must rise .*, got"),
        (torch.zeros(2, 3, 4, 4), {"limits": (0, 1)}, "limits must .* belong to gray images"),
    ],
)
def test_what_are_no_images_is_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        draw_images(images, **options)
