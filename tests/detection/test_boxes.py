import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from notes.checks import check_boxes
from notes.detection.boxes import (
    box_area,
    clip_boxes,
    cxcywh_to_xyxy,
    mask_boxes,
    xywh_to_xyxy,
    xyxy_to_cxcywh,
    xyxy_to_xywh,
)

FUNCTIONS = [box_area, clip_boxes, cxcywh_to_xyxy, xywh_to_xyxy, xyxy_to_cxcywh, xyxy_to_xywh]
TO_SIDES = {xyxy_to_cxcywh: "cxcywh", xyxy_to_xywh: "xywh"}
BACK = {cxcywh_to_xyxy: xyxy_to_cxcywh, xywh_to_xyxy: xyxy_to_xywh}

coordinates = st.floats(-1000, 1000, width=32)
corner_pairs = st.lists(st.tuples(*[coordinates] * 4), min_size=1, max_size=5)


def ordered(rows):
    """Boxes from any corners: the smaller x and y first."""
    corners = torch.tensor(rows).view(-1, 2, 2)
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)


@pytest.mark.parametrize(
    ("convert", "box", "expected"),
    [
        pytest.param(xyxy_to_cxcywh, [10, 20, 30, 60], [20, 40, 20, 40], id="corners to center"),
        pytest.param(cxcywh_to_xyxy, [20, 40, 20, 40], [10, 20, 30, 60], id="center to corners"),
        pytest.param(xyxy_to_xywh, [10, 20, 30, 60], [10, 20, 20, 40], id="corners to sides"),
        pytest.param(xywh_to_xyxy, [10, 20, 20, 40], [10, 20, 30, 60], id="sides to corners"),
        pytest.param(clip_boxes, [-0.5, 0.25, 0.5, 1.5], [0, 0.25, 0.5, 1], id="cut off"),
        pytest.param(clip_boxes, [1.5, -2.0, 2.5, -1.0], [1, 0, 1, 0], id="outside"),
    ],
)
def test_values_computed_by_hand(convert, box, expected):
    assert convert(torch.tensor([box], dtype=torch.float32)).tolist() == [expected]


def test_area_is_width_times_height():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 3.0], [-1.0, -1.0, 1.0, 1.0]])
    assert box_area(boxes).tolist() == [6.0, 4.0]


def test_boxes_are_cut_off_at_the_height_and_the_width_of_the_image():
    assert clip_boxes(torch.tensor([[1.0, 2.0, 90.0, 80.0]]), height=20, width=30).tolist() == [
        [1.0, 2.0, 30.0, 20.0]
    ]


@pytest.mark.parametrize("back", BACK, ids=lambda function: function.__name__)
@settings(derandomize=True, max_examples=50)
@given(rows=corner_pairs)
def test_converting_there_and_back_changes_no_more_than_rounding(back, rows):
    boxes = ordered(rows)
    torch.testing.assert_close(back(BACK[back](boxes)), boxes, rtol=0, atol=2e-4)


@settings(derandomize=True, max_examples=50)
@given(rows=corner_pairs)
def test_the_area_is_the_product_of_the_sides_and_never_negative(rows):
    boxes = ordered(rows)
    width, height = xyxy_to_xywh(boxes)[:, 2:].unbind(dim=1)
    assert torch.equal(box_area(boxes), width * height)
    assert (box_area(boxes) >= 0).all()


@settings(derandomize=True, max_examples=50)
@given(rows=corner_pairs, height=st.floats(0.1, 500), width=st.floats(0.1, 500))
def test_what_was_cut_off_lies_inside_and_is_not_cut_again(rows, height, width):
    clipped = clip_boxes(ordered(rows).double(), height, width)
    check_boxes("clipped", clipped)
    assert clipped.min() >= 0
    assert (clipped[:, 2] <= width).all()
    assert (clipped[:, 3] <= height).all()
    assert torch.equal(clip_boxes(clipped, height, width), clipped)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_dtype_stays_and_no_box_gives_none(function, dtype):
    boxes = torch.tensor([[1.0, 2.0, 3.0, 5.0]], dtype=dtype)
    areas_need_more = function is box_area and dtype.itemsize == 2
    assert function(boxes).dtype == (torch.float32 if areas_need_more else dtype)
    assert len(function(boxes[:0])) == 0


def test_sums_and_areas_of_half_precision_do_not_overflow():
    photo = torch.tensor([[40_000.0, 0.0, 40_960.0, 427.0]], dtype=torch.float16)
    assert box_area(photo).item() == 960 * 427
    assert xyxy_to_cxcywh(photo)[0, 0].item() == pytest.approx(40_480, abs=16)
    assert torch.equal(clip_boxes(photo, height=427, width=70_000), photo)


def test_a_box_without_area_is_a_box():
    line = torch.tensor([[1.0, 2.0, 1.0, 5.0]])
    check_boxes("boxes", line)
    assert box_area(line).item() == 0
    assert xyxy_to_cxcywh(line).tolist() == [[1.0, 3.5, 0.0, 3.0]]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize(
    ("boxes", "error", "message"),
    [
        pytest.param(
            torch.zeros(4), ValueError, r"boxes must have shape \(N, 4\), got \(4,\)", id="rank"
        ),
        pytest.param(
            torch.zeros(2, 5), ValueError, r"shape \(N, 4\), got \(2, 5\)", id="five numbers"
        ),
        pytest.param([[0, 0, 1, 1]], TypeError, "boxes must be a tensor, got list", id="list"),
        pytest.param(
            torch.zeros(1, 4, dtype=torch.int64),
            TypeError,
            "boxes must be a floating-point tensor, got torch.int64",
            id="integers",
        ),
        pytest.param(
            torch.tensor([[0.0, 0.0, 1.0, float("nan")]]),
            ValueError,
            r"boxes must be finite, got nan at index \(0, 3\)",
            id="nan",
        ),
        pytest.param(
            torch.tensor([[0.0, 0.0, float("inf"), 1.0]]),
            ValueError,
            r"boxes must be finite, got inf at index \(0, 2\)",
            id="infinity",
        ),
    ],
)
def test_what_holds_no_boxes_is_refused(function, boxes, error, message):
    with pytest.raises(error, match=message):
        function(boxes)


@pytest.mark.parametrize(
    "function", [box_area, clip_boxes, *TO_SIDES], ids=lambda function: function.__name__
)
@pytest.mark.parametrize("box", [[0.5, 0.0, 0.4, 1.0], [0.0, 0.5, 1.0, 0.4]])
def test_the_first_turned_box_is_refused_with_its_place(function, box):
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], box, [2.0, 2.0, 1.0, 1.0]])
    message = rf"boxes must have x1 <= x2 and y1 <= y2, got \[{box[0]}, {box[1]}, .*\] at index 1"
    with pytest.raises(ValueError, match=message):
        function(boxes)


@pytest.mark.parametrize("function", BACK, ids=lambda function: function.__name__)
@pytest.mark.parametrize("box", [[0.5, 0.5, -0.1, 0.2], [0.5, 0.5, 0.2, -0.1]])
def test_the_first_negative_side_is_refused_with_its_place(function, box):
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], box, [0.0, 0.0, -1.0, -1.0]])
    with pytest.raises(ValueError, match=r"a width and a height of at least 0, got .* at index 1"):
        function(boxes)


@pytest.mark.parametrize("function", [box_area, cxcywh_to_xyxy])
def test_errors_show_the_box_with_all_its_digits(function):
    with pytest.raises(ValueError, match=r"got \[0.1, 1.0, -2.0, -1e-07\] at index 0"):
        function(torch.tensor([[0.1, 1.0, -2.0, -1e-7]]))


@pytest.mark.parametrize("side", ["height", "width"])
def test_an_image_without_extent_is_refused(side):
    with pytest.raises(ValueError, match=f"{side} must be greater than 0, got 0"):
        clip_boxes(torch.zeros(1, 4), **{side: 0})


@settings(derandomize=True, max_examples=25)
@given(rows=corner_pairs)
def test_conversions_areas_and_clipping_agree_with_torchvision(rows):
    boxes = ordered(rows)
    for convert, name in TO_SIDES.items():
        assert torch.equal(convert(boxes), ops.box_convert(boxes, "xyxy", name))
    for back, to_sides in BACK.items():
        sides = to_sides(boxes)
        expected = ops.box_convert(sides, TO_SIDES[to_sides], "xyxy")
        torch.testing.assert_close(back(sides), expected)
    assert torch.equal(box_area(boxes), ops.box_area(boxes))
    clipped = clip_boxes(boxes, height=20, width=30)
    assert torch.equal(clipped, ops.clip_boxes_to_image(boxes, (20, 30)))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_gradients_are_right(function):
    boxes = torch.tensor([[0.2, 0.3, 0.5, 0.9], [-0.1, 0.1, 0.4, 0.6]], dtype=torch.float64)
    assert torch.autograd.gradcheck(function, boxes.requires_grad_())


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
    torchvisions = ops.masks_to_boxes(masks) + torch.tensor([0, 0, 1, 1])
    assert torch.equal(mask_boxes(masks), torchvisions)
