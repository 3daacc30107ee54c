import math

import pytest
import torch
from anchors_loop import anchors_loop
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.detection.anchors import grid_anchors
from notes.detection.boxes import xyxy_to_cxcywh

SIZES, RATIOS = (0.75, 0.5, 0.25), (1.0, 2.0, 0.5)
numbers = st.lists(st.floats(0.05, 4), min_size=1, max_size=3)
sides = st.integers(1, 6)


def test_one_cell_with_one_size_has_one_anchor_in_the_middle():
    assert grid_anchors(1, 1, [0.5], [1.0]).tolist() == [[0.25, 0.25, 0.75, 0.75]]


def test_the_notes_photo_has_two_million_anchors_and_these_five_at_250_250():
    anchors = grid_anchors(561, 728, SIZES, RATIOS)
    assert anchors.shape == (2_042_040, 4)
    expected = [
        [0.0551, 0.0715, 0.6331, 0.8215],
        [0.1514, 0.1965, 0.5367, 0.6965],
        [0.2478, 0.3215, 0.4404, 0.5715],
        [-0.0646, 0.1814, 0.7528, 0.7117],
        [0.1398, -0.0838, 0.5484, 0.9769],
    ]
    found = anchors.view(561, 728, 5, 4)[250, 250]
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=5e-5)


def test_pairs_come_as_sizes_with_the_first_ratio_then_ratios_with_the_first_size():
    height, width = 40, 60
    _, _, w, h = xyxy_to_cxcywh(grid_anchors(height, width, SIZES, RATIOS)[:5]).unbind(dim=1)
    pixel_ratios = (w * width) / (h * height)
    torch.testing.assert_close(pixel_ratios, torch.tensor([1.0, 1.0, 1.0, 2.0, 0.5]))
    side = (w * width * h * height).sqrt() / height  # of a square of the same area
    torch.testing.assert_close(side, torch.tensor([0.75, 0.5, 0.25, 0.75, 0.75]))


@settings(derandomize=True, max_examples=30)
@given(height=sides, width=sides, sizes=numbers, ratios=numbers)
def test_the_sum_of_rows_and_columns_is_what_four_loops_give(height, width, sizes, ratios):
    anchors = grid_anchors(height, width, sizes, ratios, dtype=torch.float64)
    assert anchors.shape == (height * width * (len(sizes) + len(ratios) - 1), 4)
    expected = torch.tensor(anchors_loop(height, width, sizes, ratios), dtype=torch.float64)
    torch.testing.assert_close(anchors, expected, rtol=0, atol=1e-12)


@settings(derandomize=True, max_examples=30)
@given(height=sides, width=sides, sizes=numbers, ratios=numbers)
def test_every_anchor_has_its_cell_in_the_middle(height, width, sizes, ratios):
    anchors = grid_anchors(height, width, sizes, ratios)
    centers = xyxy_to_cxcywh(anchors)[:, :2].view(height, width, -1, 2)
    x = (torch.arange(width) + 0.5) / width
    y = (torch.arange(height) + 0.5) / height
    torch.testing.assert_close(centers[..., 0], x[None, :, None].expand(centers.shape[:3]))
    torch.testing.assert_close(centers[..., 1], y[:, None, None].expand(centers.shape[:3]))


@settings(derandomize=True, max_examples=30)
@given(height=sides, width=sides, sizes=numbers, ratios=numbers)
def test_a_turned_map_has_turned_anchors(height, width, sizes, ratios):
    """A map on its side, with sides as shares of the width, is the same picture transposed."""
    upright = grid_anchors(height, width, sizes, ratios, dtype=torch.float64)
    turned_sizes = [size * height / width for size in sizes]
    turned = grid_anchors(
        width, height, turned_sizes, [1 / ratio for ratio in ratios], dtype=torch.float64
    )
    transposed = turned.view(width, height, -1, 4).transpose(0, 1)[..., [1, 0, 3, 2]]
    torch.testing.assert_close(transposed.reshape(-1, 4), upright)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_dtype_can_be_chosen(dtype):
    anchors = grid_anchors(3, 2, SIZES, RATIOS, dtype=dtype)
    assert anchors.dtype == dtype
    exact = grid_anchors(3, 2, SIZES, RATIOS, dtype=torch.float64)
    tolerance = 3 * torch.finfo(dtype).eps
    torch.testing.assert_close(anchors.double(), exact, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("dtype", "width"), [(torch.bfloat16, 300), (torch.float16, 3000)])
def test_more_cells_than_the_dtype_can_count_are_rounded_once(dtype, width):
    anchors, exact = (
        grid_anchors(1, width, [0.01], [1.0], dtype=one) for one in (dtype, torch.float32)
    )
    assert torch.equal(anchors, exact.to(dtype))


def test_the_default_dtype_is_pytorchs():
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        assert grid_anchors(1, 1, [0.5], [1.0]).dtype == torch.float64
    finally:
        torch.set_default_dtype(before)
    assert grid_anchors(1, 1, [0.5], [1.0]).dtype == before


def test_anchors_are_made_on_the_device_that_was_asked_for():
    anchors = grid_anchors(4, 5, SIZES, RATIOS, device="meta")
    assert anchors.device.type == "meta"
    assert anchors.shape == (100, 4)


def test_anchors_are_one_block_of_memory_that_may_be_written_to():
    anchors = grid_anchors(2, 2, SIZES, RATIOS)
    assert anchors.is_contiguous()
    anchors[0] = 7.0
    assert (anchors[1:] != 7.0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        pytest.param({"height": 0}, ValueError, "height must be greater than 0, got 0", id="none"),
        pytest.param({"width": -1}, ValueError, "width must be greater than 0, got -1", id="less"),
        pytest.param({"width": 2.0}, TypeError, "width must be an integer, got 2.0", id="float"),
        pytest.param({"height": True}, TypeError, "height must be an integer, got True", id="bool"),
        pytest.param(
            {"sizes": ()}, ValueError, "sizes must hold at least one number, got none", id="no size"
        ),
        pytest.param(
            {"ratios": []}, ValueError, "ratios must hold at least one number", id="no ratio"
        ),
        pytest.param(
            {"sizes": [0.5, 0.0]},
            ValueError,
            "each of sizes must be greater than 0, got 0.0",
            id="a size of zero",
        ),
        pytest.param(
            {"ratios": [-2.0]}, ValueError, "each of ratios must be greater than 0", id="negative"
        ),
        pytest.param(
            {"ratios": [math.nan]}, ValueError, "greater than 0, got nan", id="not a number"
        ),
        pytest.param(
            {"sizes": [math.inf]}, ValueError, "each of sizes must be finite, got inf", id="inf"
        ),
        pytest.param(
            {"dtype": torch.int64},
            TypeError,
            "dtype must be a floating-point one, got torch.int64",
            id="integer dtype",
        ),
    ],
)
def test_unfit_arguments_are_refused(arguments, error, message):
    good = {"height": 2, "width": 2, "sizes": SIZES, "ratios": RATIOS}
    with pytest.raises(error, match=message):
        grid_anchors(**(good | arguments))
