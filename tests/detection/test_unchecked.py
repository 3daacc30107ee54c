"""The pieces that only other rooms call; what they make possible is tested there."""

import pytest
import torch
import torchvision

from notes.detection import _unchecked
from notes.detection._unchecked import (
    best_of_images,
    check_offsets,
    iou_of_planes,
    keep_best,
    kernel,
    pairwise_iou,
    planes_of,
    settle,
    suppress,
)

SQUARE = torch.tensor([0.0, 0.0, 1.0, 1.0])
ANCHORS = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]])


def draw(size, seed=0):
    """Boxes on a grid, so that many overlaps are equal and some boxes have no area."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 9, (size, 2, 2), generator=generator) / 8
    return corners.sort(dim=1).values.flatten(1), torch.rand(size, generator=generator)


def test_planes_broadcast_as_numbers_do():
    boxes = torch.stack([SQUARE, SQUARE / 2, SQUARE + 5])
    assert iou_of_planes(planes_of(boxes), planes_of(SQUARE)).tolist() == [1, 0.25, 0]
    table = iou_of_planes(planes_of(boxes[:, None]), planes_of(boxes))
    assert torch.equal(table, pairwise_iou(boxes, boxes))


def test_planes_are_computed_in_the_memory_that_is_given():
    boxes, _ = draw(20)
    spaces = torch.empty(3, 20)
    overlaps = iou_of_planes(planes_of(boxes), planes_of(SQUARE), *spaces)
    assert overlaps.data_ptr() == spaces.data_ptr()
    assert torch.equal(overlaps, pairwise_iou(boxes, SQUARE[None])[:, 0])


def test_boxes_without_area_overlap_nothing_not_even_themselves():
    flat = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.0, 0.5, 1.0, 0.5]])
    assert pairwise_iou(flat, torch.cat([flat, SQUARE[None]])).count_nonzero() == 0


def test_the_kernel_keeps_an_overlap_of_exactly_the_threshold():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 6.0, 1.0]])
    scores = torch.tensor([0.9, 0.8])
    assert torchvision.ops.nms(boxes, scores, 0.6).tolist() == [0]
    assert kernel(boxes, scores, 0.6).tolist() == [0, 1]
    assert kernel(boxes.double(), scores.double(), 0.6).tolist() == [0, 1]


@pytest.mark.parametrize("best", [1, 7, 256])
def test_how_many_boxes_are_settled_at_a_time_does_not_matter(monkeypatch, best):
    boxes, scores = draw(60)
    ordered = boxes[scores.argsort(descending=True)]
    expected = settle(ordered, 0.3)
    monkeypatch.setattr(_unchecked, "FEW", 10)
    monkeypatch.setattr(_unchecked, "BEST", best)
    assert torch.equal(settle(ordered, 0.3), expected)
    assert expected.tolist() == sorted(expected.tolist())


def test_scores_in_another_precision_than_the_boxes_keep_their_order():
    boxes = SQUARE.repeat(2, 1)
    scores = torch.tensor([0.5, 0.5 + 1e-12], dtype=torch.float64)  # equal in float32
    assert keep_best(boxes, scores, 0.5).tolist() == [1]


def test_each_group_is_suppressed_by_itself_and_empty_ones_have_their_place():
    boxes, scores = SQUARE.repeat(4, 1), torch.tensor([0.1, 0.2, 0.3, 0.4])
    kept = suppress(boxes, scores, torch.tensor([3, 0, 0, 3]), 5, 0.5)
    assert [one.tolist() for one in kept] == [[2], [], [], [3], []]


def test_the_groups_of_an_image_are_put_together_best_first():
    kept = [torch.tensor(one, dtype=torch.int64) for one in ([4, 1], [0], [], [3], [2], [])]
    scores = torch.tensor([0.5, 0.5, 0.1, 0.2, 0.9])
    found = best_of_images(kept, scores, num_images=2, most=3)
    assert [one.tolist() for one in found] == [[4, 0, 1], [3, 2]]
    assert best_of_images([], scores, num_images=0, most=3) == []


def test_offsets_pass_if_the_boxes_can_be_computed_with():
    for offsets in (torch.zeros(2, 4), torch.full((3, 2, 4), -400.0), torch.zeros(0, 2, 4)):
        check_offsets(ANCHORS, offsets)
    check_offsets(torch.zeros(0, 4), torch.zeros(5, 0, 4))
    # Of the larger anchor this would be too much: what counts is each box by itself.
    check_offsets(1e10 * ANCHORS, torch.tensor([[0, 0, 100.0, 0], [0, 0, 95.0, 0]]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_first_offsets_that_lead_too_far_are_named(dtype):
    offsets = torch.zeros(2, 2, 4, dtype=dtype)
    offsets[1, 0, 3] = 500
    message = r"coordinates of at most 4.61e\+18, got \[0.0, 0.0, 0.0, 500.0\] at index \(1, 0\)"
    with pytest.raises(ValueError, match=message):
        check_offsets(ANCHORS.to(dtype), offsets)
    offsets[0, 1, 2] = float("nan")
    with pytest.raises(ValueError, match=r"offsets must be finite, got nan at index \(0, 1, 2\)"):
        check_offsets(ANCHORS.to(dtype), offsets)
