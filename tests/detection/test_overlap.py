import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from notes.detection import _unchecked, overlap
from notes.detection.overlap import box_iou, generalized_box_iou

UNIT = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
FUNCTIONS = [box_iou, generalized_box_iou]
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]

steps = st.integers(0, 6)
cells = st.tuples(steps, steps, steps, steps).map(
    lambda box: (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))
)
cell_boxes = st.lists(cells, min_size=1, max_size=6)


def random_boxes(num_boxes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(num_boxes, 2, 2, generator=generator)
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)


def covered(box):
    """The unit squares inside of a box with whole corners."""
    x1, y1, x2, y2 = box
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


@pytest.mark.parametrize(
    ("other", "iou", "generalized"),
    [
        pytest.param([0.0, 0.0, 1.0, 1.0], 1.0, 1.0, id="identical"),
        pytest.param([0.5, 0.0, 1.0, 1.0], 0.5, 0.5, id="half of it"),
        pytest.param([0.5, 0.0, 1.5, 1.0], 1 / 3, 1 / 3, id="shifted by half"),
        pytest.param([0.5, 0.5, 1.5, 1.5], 1 / 7, 1 / 7 - 0.5 / 2.25, id="shifted both ways"),
        pytest.param([0.25, 0.25, 0.75, 0.75], 0.25, 0.25, id="inside"),
        pytest.param([1.0, 0.0, 2.0, 1.0], 0.0, 0.0, id="shared edge"),
        pytest.param([2.0, 0.0, 3.0, 1.0], 0.0, -1 / 3, id="apart"),
        pytest.param([2.0, 2.0, 3.0, 3.0], 0.0, -7 / 9, id="apart both ways"),
        pytest.param([0.5, 0.0, 0.5, 1.0], 0.0, 0.0, id="a line inside"),
    ],
)
def test_overlaps_match_the_values_computed_by_hand(other, iou, generalized):
    boxes = torch.tensor([other])
    assert box_iou(UNIT, boxes).item() == pytest.approx(iou)
    assert generalized_box_iou(UNIT, boxes).item() == pytest.approx(generalized)


@settings(derandomize=True, max_examples=100)
@given(first=cell_boxes, second=cell_boxes)
def test_the_overlap_is_the_share_of_the_squares_that_both_cover(first, second):
    expected = [
        [len(covered(a) & covered(b)) / max(1, len(covered(a) | covered(b))) for b in second]
        for a in first
    ]
    result = box_iou(torch.tensor(first).double(), torch.tensor(second).double())
    assert result.tolist() == expected


@settings(derandomize=True, max_examples=50)
@given(first=cell_boxes, second=cell_boxes)
def test_overlaps_are_symmetric_and_within_their_bounds(first, second):
    boxes1, boxes2 = torch.tensor(first).float(), torch.tensor(second).float()
    for function, lowest in zip(FUNCTIONS, (0, -1), strict=True):
        result = function(boxes1, boxes2)
        assert torch.equal(result, function(boxes2, boxes1).T)
        assert result.min() >= lowest
        assert result.max() <= 1
    assert (generalized_box_iou(boxes1, boxes2) <= box_iou(boxes1, boxes2) + 1e-6).all()


@settings(derandomize=True, max_examples=50)
@given(rows=cell_boxes, shift=st.integers(-8, 8), scale=st.sampled_from([0.25, 2.0, 64.0]))
def test_a_shift_and_another_unit_change_nothing(rows, shift, scale):
    boxes = torch.tensor(rows).float()
    moved = (boxes + shift) * scale
    for function in FUNCTIONS:
        assert torch.equal(function(moved, moved), function(boxes, boxes))


def test_the_generalized_overlap_falls_with_the_distance():
    distances = torch.tensor([1.0, 2.0, 10.0, 1000.0])
    boxes = UNIT + distances[:, None] * torch.tensor([1.0, 0.0, 1.0, 0.0])
    values = generalized_box_iou(UNIT, boxes)[0]
    assert (values.diff() < 0).all()
    assert values[-1].item() == pytest.approx(-0.998, abs=1e-3)


@pytest.mark.parametrize("function", FUNCTIONS, ids=["iou", "generalized"])
def test_boxes_without_area_overlap_by_zero_and_not_nan(function):
    empty = torch.tensor([[0.2, 0.2, 0.2, 0.2], [0.2, 0.2, 0.2, 0.8]])
    assert function(empty, empty).diagonal().tolist() == [0.0, 0.0]
    assert not function(empty, torch.cat([empty, UNIT])).isnan().any()


def test_boxes_without_area_have_finite_gradients():
    points = torch.tensor([[0.2, 0.2, 0.2, 0.2]], requires_grad=True)
    for function in FUNCTIONS:
        (gradient,) = torch.autograd.grad(function(points, points.detach()).sum(), points)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("function", FUNCTIONS, ids=["iou", "generalized"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_box_gives_an_empty_result_of_the_right_shape_and_dtype(function, dtype):
    boxes = UNIT.to(dtype)
    assert function(boxes[:0], boxes).shape == (0, 1)
    assert function(boxes, boxes[:0]).shape == (1, 0)
    assert function(boxes[:0], boxes[:0]).shape == (0, 0)
    assert function(boxes, boxes).dtype == dtype


def test_half_precision_pixels_do_not_overflow():
    boxes = torch.tensor([[0.0, 0.0, 600.0, 400.0]], dtype=torch.float16)
    half = torch.tensor([[300.0, 0.0, 600.0, 400.0]], dtype=torch.float16)
    assert box_iou(boxes, half).item() == 0.5


@pytest.mark.parametrize("block", [1, 7, 64, 80, 2**16])
@pytest.mark.parametrize(
    ("num1", "num2"),
    [pytest.param(9, 40, id="wide"), pytest.param(40, 9, id="tall"), pytest.param(1, 1, id="one")],
)
def test_blocks_and_the_formula_agree_in_every_bit(monkeypatch, block, num1, num2):
    monkeypatch.setattr(_unchecked, "BLOCK", block)
    boxes1, boxes2 = random_boxes(num1), random_boxes(num2, seed=1)
    boxes1[0, 2:] = boxes1[0, :2]  # no area, twice
    boxes2[0] = boxes1[0]
    blocked = box_iou(boxes1, boxes2)
    formula = box_iou(boxes1.clone().requires_grad_(), boxes2)
    assert formula.requires_grad
    assert not blocked.requires_grad
    assert torch.equal(blocked, formula)
    assert blocked.is_contiguous()


def test_either_argument_may_be_the_one_with_a_gradient():
    boxes = UNIT.clone().requires_grad_()
    assert box_iou(boxes, UNIT).requires_grad
    assert box_iou(UNIT, boxes).requires_grad


def test_without_recording_the_blocks_are_used_for_parameters_too(monkeypatch):
    monkeypatch.delattr(overlap, "_inter_and_union")
    boxes = UNIT.clone().requires_grad_()
    with torch.no_grad():
        assert not box_iou(boxes, UNIT).requires_grad
    with torch.inference_mode():
        assert box_iou(boxes, UNIT).item() == 1


def test_the_boxes_stay_as_they_were():
    boxes1, boxes2 = random_boxes(5), random_boxes(6, seed=1)
    copies = boxes1.clone(), boxes2.clone()
    box_iou(boxes1, boxes2)
    assert torch.equal(boxes1, copies[0])
    assert torch.equal(boxes2, copies[1])


BAD = [
    pytest.param(
        UNIT[0], ValueError, r"boxes2 must have shape \(N, 4\), got \(4,\)", id="a flat box"
    ),
    pytest.param(
        torch.zeros(2, 5), ValueError, r"boxes2 must have shape \(N, 4\), got \(2, 5\)", id="five"
    ),
    pytest.param([[0.0] * 4], TypeError, "boxes2 must be a tensor, got list", id="a list"),
    pytest.param(
        torch.tensor([[0.0, 0.0, 1.0, float("nan")]]),
        ValueError,
        r"boxes2 must be finite, got nan at index \(0, 3\)",
        id="nan",
    ),
    pytest.param(
        torch.tensor([[1.0, 0.0, 0.0, 1.0]]),
        ValueError,
        r"boxes2 must have x1 <= x2 and y1 <= y2, got \[1.0, 0.0, 0.0, 1.0\] at index 0",
        id="turned",
    ),
    pytest.param(
        UNIT.double(), TypeError, "boxes2 must have the dtype of boxes1, torch.float32", id="mixed"
    ),
    pytest.param(
        torch.zeros(1, 4, dtype=torch.int64),
        TypeError,
        "boxes2 must be a floating-point tensor, got torch.int64",
        id="integers",
    ),
    pytest.param(
        torch.tensor([[0.0, 0.0, 1e19, 1e19]]),
        ValueError,
        r"boxes2 must have sides of at most 4.61e\+18, got .* at index 0",
        id="areas that overflow",
    ),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=["iou", "generalized"])
@pytest.mark.parametrize(("boxes2", "error", "message"), BAD)
def test_what_holds_no_boxes_is_refused(function, boxes2, error, message):
    with pytest.raises(error, match=message):
        function(UNIT, boxes2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_areas_that_overflow_are_refused_in_every_precision(dtype):
    huge = torch.tensor([[0.0, -(2.0**100), 1.0, 0.0]], dtype=dtype)
    message = r"boxes2 must have sides of at most 4.61e\+18, got .* at index 0"
    with pytest.raises(ValueError, match=message):
        box_iou(UNIT.to(dtype), huge)


def test_the_areas_of_half_precision_boxes_do_not_overflow():
    largest = torch.tensor([[-65504.0, -65504.0, 65504.0, 65504.0]], dtype=torch.float16)
    for function in FUNCTIONS:
        assert function(largest, largest).item() == 1


def test_the_first_argument_is_checked_too():
    with pytest.raises(ValueError, match=r"boxes1 must have shape \(N, 4\), got \(4,\)"):
        box_iou(UNIT[0], UNIT)


def test_the_largest_sides_and_the_farthest_places_that_are_let_through_give_numbers():
    large, far, farther = 4.6e18, 1e25, 3e38
    boxes = torch.tensor(
        [
            [-large / 2, -large / 2, large / 2, large / 2],
            [0.0, 0.0, large, large],
            [far, far, far + large, far + large],
            [-far, -far, -far, -far + large],
            [farther, 0.0, farther, large],
            [-farther, 0.0, -farther, 0.0],
            [-farther, -farther, -farther, -farther],
        ]
    )
    assert box_iou(boxes, boxes).isfinite().all()
    assert generalized_box_iou(boxes[:2], boxes[:2]).isfinite().all()
    for place in range(2, len(boxes)):
        message = r"boxes2 must have coordinates of at most 4.61e\+18, got [13](\.\d+)?e\+"
        with pytest.raises(ValueError, match=message):
            generalized_box_iou(UNIT, boxes[[0, place]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_overlaps_agree_with_torchvision(dtype):
    boxes1, boxes2 = random_boxes(60).to(dtype), random_boxes(80, seed=1).to(dtype)
    assert torch.equal(box_iou(boxes1, boxes2), ops.box_iou(boxes1, boxes2))
    theirs = ops.generalized_box_iou(boxes1, boxes2)
    torch.testing.assert_close(generalized_box_iou(boxes1, boxes2), theirs)


@pytest.mark.parametrize("function", FUNCTIONS, ids=["iou", "generalized"])
def test_gradients_are_right_for_both_arguments(function):
    boxes1 = random_boxes(4).double().requires_grad_()
    boxes2 = random_boxes(3, seed=1).double().requires_grad_()
    assert torch.autograd.gradcheck(function, (boxes1, boxes2))
