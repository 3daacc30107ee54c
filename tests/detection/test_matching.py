"""Each box gets the anchor it overlaps most, each remaining anchor the box above the threshold."""

import pytest
import torch
from detection_targets import match_in_a_loop
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from notes.detection import matching
from notes.detection.matching import match_anchors

WHOLE = [0.0, 0.0, 1.0, 1.0]
LEFT, RIGHT = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]


def random_boxes(count, seed, sides=64):
    """Corners on a coarse grid, so that equal overlaps are frequent."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, sides + 1, (count, 2, 2), generator=generator) / sides
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)


def test_matches_by_hand():
    anchors = torch.tensor([WHOLE, LEFT, RIGHT, [0.5, 0.0, 1.0, 0.9]])
    boxes = torch.tensor([RIGHT, [0.0, 0.0, 0.5, 0.8]])
    assert match_anchors(anchors, boxes).tolist() == [0, 1, 0, 0]
    assert match_anchors(anchors, boxes, iou_threshold=0.6).tolist() == [-1, 1, 0, 0]
    assert match_anchors(anchors, boxes, iou_threshold=0.95).tolist() == [-1, 1, 0, -1]


def test_a_box_takes_its_anchor_even_below_the_threshold():
    small = torch.tensor([[0.1, 0.1, 0.2, 0.2]])
    assert match_anchors(torch.tensor([RIGHT, WHOLE]), small).tolist() == [-1, 0]


def test_a_box_that_comes_second_takes_its_second_best_anchor():
    anchors = torch.tensor([LEFT, WHOLE, RIGHT])
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.9], LEFT])
    assert match_anchors(anchors, boxes).tolist() == [1, 0, -1]


def test_what_a_box_takes_overwrites_what_the_threshold_gave():
    # The anchor overlaps the first box more, but that one takes another anchor for itself.
    anchors = torch.tensor([[0.0, 0.0, 1.0, 0.9], WHOLE])
    boxes = torch.tensor([WHOLE, [0.0, 0.0, 0.7, 0.9]])
    assert match_anchors(anchors, boxes).tolist() == [1, 0]


def test_of_equal_overlaps_the_first_anchor_then_the_first_box_wins():
    assert match_anchors(torch.tensor([LEFT, LEFT]), torch.tensor([LEFT]), 1.0).tolist() == [0, 0]
    anchors = torch.tensor([WHOLE, WHOLE, WHOLE])
    assert match_anchors(anchors, torch.tensor([LEFT, RIGHT])).tolist() == [0, 1, 0]


def test_the_threshold_itself_is_enough():
    anchors = torch.tensor([LEFT, WHOLE])
    assert match_anchors(anchors, torch.tensor([LEFT]), iou_threshold=0.5).tolist() == [0, 0]


def test_half_an_overlap_is_enough_if_no_threshold_is_given():
    anchors = torch.tensor([WHOLE, LEFT, [0.0, 0.0, 0.45, 1.0]])
    assert match_anchors(anchors, torch.tensor([WHOLE])).tolist() == [0, 0, -1]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_boxes_does_not_matter_without_ties(seed):
    torch.manual_seed(seed)
    anchors, boxes = (torch.rand(n, 4).sort(dim=1).values[:, [0, 1, 3, 2]] for n in (30, 6))
    anchors, boxes = (torch.cat([x[:, :2], x[:, :2] + x[:, 2:]], dim=1) for x in (anchors, boxes))
    order = torch.randperm(6)
    renamed = match_anchors(anchors, boxes[order], 0.4)
    expected = match_anchors(anchors, boxes, 0.4)
    assert torch.equal(torch.where(renamed >= 0, order[renamed], -1), expected)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 12), st.integers(0, 6), st.integers(0, 9999), st.sampled_from([0, 0.3, 0.5]))
def test_the_rules_of_the_matching_hold(num_anchors, num_boxes, seed, threshold):
    anchors, boxes = random_boxes(num_anchors, seed), random_boxes(num_boxes, seed + 1)
    matches = match_anchors(anchors, boxes, threshold)
    assert matches.shape == (num_anchors,)
    # As many boxes as there are anchors for have at least one.
    assert len(matches[matches >= 0].unique()) == min(num_anchors, num_boxes)
    iou = box_iou(anchors, boxes).nan_to_num()  # torchvision gives NaN for two empty boxes
    assert (iou[matches < 0] < threshold).all()
    # Another box than the one it overlaps most has chosen the anchor, and chooses only once.
    chosen = [
        box
        for anchor, box in enumerate(matches.tolist())
        if box >= 0 and iou[anchor, box] < iou[anchor].max()
    ]
    assert len(chosen) == len(set(chosen))


def test_without_boxes_all_anchors_are_background():
    assert match_anchors(torch.tensor([LEFT, RIGHT]), torch.zeros(0, 4)).tolist() == [-1, -1]


def test_without_anchors_there_is_nothing_to_match():
    assert match_anchors(torch.zeros(0, 4), torch.tensor([LEFT])).shape == (0,)
    assert match_anchors(torch.zeros(0, 4), torch.zeros(0, 4)).dtype == torch.int64


def test_more_boxes_than_anchors_leave_boxes_without_an_anchor():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.6], LEFT, [0.0, 0.0, 0.4, 1.0]])
    assert match_anchors(torch.tensor([LEFT]), boxes).tolist() == [1]


def test_boxes_that_overlap_nothing_take_the_first_free_anchors():
    outside = torch.tensor([[2.0, 2.0, 3.0, 3.0], [5.0, 5.0, 5.0, 5.0]])
    assert match_anchors(torch.tensor([LEFT, RIGHT, WHOLE]), outside).tolist() == [0, 1, -1]


def test_anchors_are_found_beyond_the_integers_that_float32_holds(monkeypatch):
    # The only pair that overlaps is number 2 * anchor + 1; as float32 it would be one less.
    anchor = 2**23
    assert torch.tensor(2 * anchor + 1).float() == 2 * anchor
    iou = torch.zeros(anchor + 2, 2, dtype=torch.float16)
    iou[anchor, 1] = 1
    monkeypatch.setattr(matching, "pairwise_iou", lambda *_: iou)
    matches = match_anchors(torch.zeros(0, 4), torch.zeros(0, 4))
    assert (matches >= 0).nonzero().flatten().tolist() == [0, anchor]
    assert matches[[0, anchor]].tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_precision_is_taken(dtype):
    matches = match_anchors(
        torch.tensor([LEFT, RIGHT], dtype=dtype), torch.tensor([RIGHT]).to(dtype)
    )
    assert matches.tolist() == [-1, 0]
    assert matches.dtype == torch.int64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_overlaps_that_half_precision_cannot_tell_apart_are_told_apart(dtype):
    # (1 - step)^2 is more than 1 - 2 * step, but rounds to it.
    step = torch.finfo(dtype).eps / 2
    anchors = torch.tensor([[0, 0, 1 - 2 * step, 1], [0, 0, 1 - step, 1 - step]], dtype=dtype)
    assert match_anchors(anchors, torch.tensor([WHOLE], dtype=dtype), 1.0).tolist() == [-1, 0]


def test_inputs_stay_as_they_are_and_need_no_gradient():
    anchors = torch.tensor([LEFT, RIGHT], requires_grad=True)
    assert not match_anchors(anchors, torch.tensor([RIGHT])).requires_grad
    assert torch.equal(anchors, torch.tensor([LEFT, RIGHT]))


@pytest.mark.parametrize("boxes", [torch.tensor([RIGHT]), torch.zeros(0, 4)])
def test_nothing_is_left_on_the_default_device(boxes):
    anchors = torch.tensor([LEFT, RIGHT])
    expected = match_anchors(anchors, boxes)
    with torch.device("meta"):
        assert torch.equal(match_anchors(anchors, boxes), expected)


@pytest.mark.parametrize(
    ("anchors", "boxes", "threshold", "message"),
    [
        ([WHOLE], WHOLE, 0.5, r"boxes must have shape \(N, 4\), got \(4,\)"),
        (WHOLE, [WHOLE], 0.5, r"anchors must have shape \(N, 4\), got \(4,\)"),
        ([WHOLE], [[0, 0, 1, float("nan")]], 0.5, "boxes must be finite, got nan"),
        ([[1.0, 0.0, 0.0, 1.0]], [WHOLE], 0.5, "anchors must have x1 <= x2"),
        ([WHOLE], [WHOLE], 1.5, r"iou_threshold must lie in \[0, 1\], got 1.5"),
    ],
)
def test_what_is_no_box_or_no_threshold_is_refused(anchors, boxes, threshold, message):
    with pytest.raises(ValueError, match=message):
        match_anchors(torch.tensor(anchors), torch.tensor(boxes), threshold)


def test_mixed_precisions_are_refused():
    with pytest.raises(TypeError, match=r"boxes must have the dtype of anchors, torch\.float32"):
        match_anchors(torch.tensor([WHOLE]), torch.tensor([WHOLE], dtype=torch.float16))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 12), st.integers(0, 8), st.integers(0, 9999), st.sampled_from([0, 0.3, 0.5]))
def test_matching_agrees_with_the_loop_of_the_notes(num_anchors, num_boxes, seed, threshold):
    anchors, boxes = random_boxes(num_anchors, seed, 8), random_boxes(num_boxes, seed + 1, 8)
    expected = match_in_a_loop(anchors, boxes, threshold)
    assert torch.equal(match_anchors(anchors, boxes, threshold), expected)


@pytest.mark.parametrize("seed", range(5))
def test_matching_agrees_with_torchvision_where_each_box_has_an_anchor_of_its_own(seed):
    cells = torch.arange(8) / 8
    corners = torch.cartesian_prod(cells, cells)
    anchors = torch.cat([corners, corners + 1 / 8], dim=1)
    generator = torch.Generator().manual_seed(seed)
    chosen = anchors[torch.randperm(64, generator=generator)[:5]]
    boxes = chosen + 0.02 * torch.rand(5, 4, generator=generator)
    matcher = Matcher(0.5, 0.5, allow_low_quality_matches=True)
    expected = matcher(box_iou(boxes, anchors))
    assert torch.equal(match_anchors(anchors, boxes), expected)
