import math

import pytest
import torch
from torchvision.ops import masks_to_boxes

from notes.detection.shapes import (
    SHAPES,
    Pose,
    mask_boxes,
    shape_coordinates,
    shape_extents,
    shape_masks,
)

ELLIPSE, RECTANGLE, TRIANGLE, STAR = range(4)
ONE, ZERO = torch.ones(1), torch.zeros(1)


def draw(index, size=64, *, stretch=1.0, angle=0.0, scale=0.4, origin=(0.5, 0.5)):
    numbers = torch.tensor([[stretch], [angle], [scale]])
    pose = Pose(*numbers, torch.tensor([origin]))
    return shape_masks(torch.tensor([index]), *shape_coordinates(pose, size))[0]


@pytest.mark.parametrize(
    ("index", "area"),
    [
        pytest.param(ELLIPSE, math.pi, id="ellipse"),
        pytest.param(RECTANGLE, 2, id="rectangle"),
        pytest.param(TRIANGLE, 3 * math.sqrt(3) / 4, id="triangle"),
        # Ten triangles between the middle, a corner and the next corner of the inner pentagon.
        pytest.param(
            STAR,
            5 * math.sin(math.tau / 10) * math.cos(math.tau / 5) / math.cos(math.tau / 10),
            id="star",
        ),
    ],
)
@pytest.mark.parametrize("stretch", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("angle", [0.0, 1.0])
def test_a_shape_covers_its_area_however_it_lies(index, area, stretch, angle):
    mask = draw(index, 400, stretch=stretch, angle=angle, scale=0.3)
    assert mask.float().mean().item() == pytest.approx(area * 0.3**2, rel=0.01)


def test_a_triangle_points_up_until_it_is_turned():
    widths = draw(TRIANGLE).sum(dim=1)
    widths = widths[widths > 0]
    assert (widths.diff() >= 0).all()
    turned = draw(TRIANGLE, angle=math.pi).sum(dim=1)
    assert torch.equal(turned[turned > 0], widths.flip(0))


def test_stretching_makes_a_shape_wide():
    x1, y1, x2, y2 = mask_boxes(draw(RECTANGLE, 100, stretch=2.0, scale=0.3)[None])[0]
    assert (x2 - x1) / (y2 - y1) == pytest.approx(2, abs=0.1)


def test_the_origin_moves_a_shape():
    left = draw(STAR, 100, scale=0.2, origin=(0.3, 0.5))
    right = draw(STAR, 100, scale=0.2, origin=(0.6, 0.5))
    assert torch.equal(left.roll(30, dims=1), right)


@pytest.mark.parametrize("index", range(len(SHAPES)))
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0, 5.5])
def test_extents_are_those_of_the_drawn_shape(index, angle):
    low, high = shape_extents(torch.tensor([index]), 1.3 * ONE, angle * ONE)
    box = mask_boxes(draw(index, 1000, stretch=1.3, angle=angle, scale=0.3)[None])[0] / 1000
    expected = 0.5 + 0.3 * torch.cat([low, high], dim=1)[0]
    # The tip of a star is thinner than a pixel.
    torch.testing.assert_close(box, expected, atol=0.006, rtol=0)


def test_a_class_that_is_no_shape_is_rejected():
    with pytest.raises(ValueError, match=r"classes must lie in \[0, 4\), got 4"):
        shape_extents(torch.tensor([4]), ONE, ZERO)
    with pytest.raises(ValueError, match=r"classes must lie in \[0, 4\), got 9"):
        shape_masks(torch.tensor([9]), torch.zeros(1, 2, 2), torch.zeros(1, 2, 2))


def test_shapes_that_do_not_fit_are_rejected():
    with pytest.raises(ValueError, match=r"stretches must have shape \(1,\), got \(2,\)"):
        shape_extents(torch.tensor([0]), torch.ones(2), ZERO)
    with pytest.raises(ValueError, match=r"v must have shape \(1, 2, 2\), got \(1, 2, 3\)"):
        shape_masks(torch.tensor([0]), torch.zeros(1, 2, 2), torch.zeros(1, 2, 3))
    with pytest.raises(ValueError, match="image_size must be greater than 0, got 0"):
        draw(ELLIPSE, 0)


def test_the_box_of_a_mask_ends_after_its_last_pixel():
    mask = torch.zeros(2, 4, 6, dtype=torch.bool)
    mask[0, 1, 2:5] = True
    mask[1, 3, 5] = True
    assert mask_boxes(mask).tolist() == [[2, 1, 5, 2], [5, 3, 6, 4]]


def test_the_box_of_an_empty_mask_is_zero():
    assert mask_boxes(torch.zeros(1, 3, 3, dtype=torch.bool)).tolist() == [[0, 0, 0, 0]]
    assert mask_boxes(torch.zeros(0, 3, 3, dtype=torch.bool)).shape == (0, 4)


def test_what_is_no_mask_is_rejected():
    with pytest.raises(ValueError, match=r"masks must have shape \(N, H, W\), got \(3, 3\)"):
        mask_boxes(torch.zeros(3, 3, dtype=torch.bool))
    with pytest.raises(TypeError, match=r"masks must be a tensor of booleans, got torch\.float32"):
        mask_boxes(torch.zeros(1, 3, 3))


def test_boxes_agree_with_torchvision_up_to_its_last_pixel():
    masks = torch.rand(50, 12, 9, generator=torch.Generator().manual_seed(0)) < 0.05
    masks = masks[masks.flatten(1).any(dim=1)]
    torchvisions = masks_to_boxes(masks) + torch.tensor([0, 0, 1, 1])
    assert torch.equal(mask_boxes(masks), torchvisions)
