import math

import pytest
import torch

from notes.detection._shapes import SHAPES, Pose, shape_coordinates, shape_extents, shape_masks
from notes.detection.boxes import mask_boxes

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
