"""A batch is matched as its images are one by one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.detection import _batch_matching
from notes.detection._batch_matching import match_batch
from notes.detection.matching import match_anchors

HALVES = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]])
LEFT, RIGHT = [7.0, 0.0, 0.0, 0.5, 1.0], [2.0, 0.5, 0.0, 1.0, 1.0]
PADDING = [-1.0] * 5


def as_map(pairs, num_images, num_anchors):
    """For each anchor in each image the row of its label, or -1."""
    matches = torch.full((num_images, num_anchors), -1)
    images, anchors, rows = pairs
    matches[images, anchors] = rows
    return matches


def match_one_by_one(anchors, labels, threshold):
    images = []
    for rows in labels:
        real = (rows[:, 0] >= 0).nonzero().flatten()
        matches = match_anchors(anchors, rows[real, 1:], threshold)
        images.append(torch.cat([real, real.new_tensor([-1])])[matches])  # -1 finds the -1
    return torch.stack(images)


def random_boxes(*shape, sides, generator):
    corners = torch.randint(0, sides + 1, (*shape, 2, 2), generator=generator) / sides
    return torch.cat([corners.amin(dim=-2), corners.amax(dim=-2)], dim=-1)


def random_case(num_images, num_anchors, most_boxes, seed, sides=8):
    """Corners on a coarse grid, so that ties are frequent; padding anywhere, full of numbers."""
    generator = torch.Generator().manual_seed(seed)
    anchors = random_boxes(num_anchors, sides=sides, generator=generator)
    boxes = random_boxes(num_images, most_boxes, sides=sides, generator=generator)
    classes = torch.randint(-2, 3, (num_images, most_boxes, 1), generator=generator)
    return anchors, torch.cat([classes, boxes], dim=2)


def test_pairs_by_hand():
    images, anchors, rows = match_batch(
        HALVES, torch.tensor([[PADDING, LEFT], [PADDING, PADDING], [RIGHT, LEFT]]), 0.5
    )
    found = sorted(zip(images.tolist(), anchors.tolist(), rows.tolist(), strict=True))
    assert found == [(0, 0, 1), (2, 0, 1), (2, 1, 0)]


def test_an_image_is_matched_the_same_in_whatever_company():
    anchors, labels = random_case(num_images=20, num_anchors=30, most_boxes=6, seed=0)
    together = as_map(match_batch(anchors, labels, 0.5), 20, 30)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(as_map(match_batch(anchors, labels[order], 0.5), 20, 30), together[order])


@pytest.mark.parametrize("at_a_time", [1, 30, 89, 90, 600])
def test_how_many_images_are_matched_at_a_time_does_not_matter(monkeypatch, at_a_time):
    anchors, labels = random_case(num_images=20, num_anchors=30, most_boxes=6, seed=0)
    together = as_map(match_batch(anchors, labels, 0.5), 20, 30)
    monkeypatch.setattr(_batch_matching, "AT_A_TIME", at_a_time)
    assert torch.equal(as_map(match_batch(anchors, labels, 0.5), 20, 30), together)


@pytest.mark.parametrize("with_box", [0, 20, 39])
def test_of_many_images_a_single_one_may_have_a_box(with_box, monkeypatch):
    monkeypatch.setattr(_batch_matching, "AT_A_TIME", 16 * len(HALVES))
    labels = torch.tensor([[PADDING]] * 40)
    labels[with_box] = torch.tensor([LEFT])
    images, anchors, rows = match_batch(HALVES, labels, 0.5)
    assert (images.tolist(), anchors.tolist(), rows.tolist()) == ([with_box], [0], [0])


def test_the_numbers_in_padding_do_not_matter():
    anchors, labels = random_case(num_images=8, num_anchors=30, most_boxes=6, seed=0)
    padding = labels[:, :, 0] < 0
    assert padding.any()
    other = labels.clone()
    other[padding] = torch.tensor([-1.0, 1e30, 9.0, -1e30, -9.0])
    for threshold in (0, 0.5):
        expected = as_map(match_batch(anchors, labels, threshold), 8, 30)
        assert torch.equal(as_map(match_batch(anchors, other, threshold), 8, 30), expected)


@pytest.mark.parametrize(
    ("anchors", "labels"),
    [
        pytest.param(HALVES, torch.zeros(0, 3, 5), id="no images"),
        pytest.param(HALVES, torch.zeros(2, 0, 5), id="no rows"),
        pytest.param(HALVES, torch.tensor([[PADDING]]), id="only padding"),
        pytest.param(torch.zeros(0, 4), torch.tensor([[LEFT]]), id="no anchors"),
    ],
)
def test_where_there_is_nothing_there_are_no_pairs(anchors, labels):
    for part in match_batch(anchors, labels, 0.5):
        assert part.shape == (0,)
        assert part.dtype == torch.int64


def test_more_boxes_than_anchors_leave_boxes_without_an_anchor():
    labels = torch.tensor([[RIGHT, LEFT, [0.0, 0.0, 0.0, 0.4, 0.9], [0.0, 0.0, 0.0, 0.5, 0.9]]])
    assert as_map(match_batch(HALVES[:1], labels, 0.5), 1, 1).tolist() == [[1]]


def test_overlaps_of_boxes_and_anchors_without_area_are_zero_not_nan():
    anchors = torch.cat([torch.full((1, 4), 0.5), HALVES])
    labels = torch.tensor([[[0.0, 0.5, 0.5, 0.5, 0.5], LEFT]])
    assert as_map(match_batch(anchors, labels, 0.5), 1, 3).tolist() == [[0, 1, -1]]


def test_anchors_whose_area_is_too_small_for_the_precision_are_matched():
    anchors = torch.tensor([[0.0, 0.0, 1e-30, 1e-30], [0.0, 0.0, 1.0, 1.0]])
    labels = torch.tensor([[[0.0, 0.0, 0.0, 1e-30, 1e-30], [0.0, 0.0, 0.0, 1.0, 1.0]]])
    assert as_map(match_batch(anchors, labels, 0.5), 1, 2).tolist() == [[0, 1]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_precision_is_taken(dtype):
    anchors, labels = random_case(num_images=5, num_anchors=20, most_boxes=4, seed=0)
    anchors, labels = anchors.to(dtype), labels.to(dtype)
    expected = match_one_by_one(anchors, labels, 0.5)
    assert torch.equal(as_map(match_batch(anchors, labels, 0.5), 5, 20), expected)


def test_boxes_that_need_a_gradient_are_matched_and_stay_as_they_are():
    anchors, labels = HALVES.clone().requires_grad_(), torch.tensor([[PADDING, LEFT]])
    copies = anchors.detach().clone(), labels.clone()
    assert match_batch(anchors, labels.requires_grad_(), 0.5)[2].tolist() == [1]
    assert torch.equal(anchors, copies[0])
    assert torch.equal(labels, copies[1])


@pytest.mark.parametrize("labels", [[[PADDING, LEFT]], [[PADDING]]])
def test_nothing_is_left_on_the_default_device(labels):
    labels = torch.tensor(labels)
    expected = match_batch(HALVES, labels, 0.5)
    with torch.device("meta"):
        assert all(map(torch.equal, match_batch(HALVES, labels, 0.5), expected))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_overlaps_that_half_precision_cannot_tell_apart_are_told_apart(dtype):
    # (1 - step)^2 is more than 1 - 2 * step, but rounds to it.
    step = torch.finfo(dtype).eps / 2
    anchors = torch.tensor([[0, 0, 1 - 2 * step, 1], [0, 0, 1 - step, 1 - step]], dtype=dtype)
    labels = torch.tensor([[[0, 0, 0, 1, 1]]], dtype=dtype)
    assert match_batch(anchors, labels, 1.0)[1].tolist() == [1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(0, 6),
    st.integers(0, 99_999),
    st.sampled_from([0, 0.25, 0.5, 1]),
    st.sampled_from([2, 8, 64]),
)
def test_a_batch_is_matched_as_one_image_after_the_other(
    num_images, num_anchors, most_boxes, seed, threshold, sides
):
    anchors, labels = random_case(num_images, num_anchors, most_boxes, seed, sides)
    expected = match_one_by_one(anchors, labels, threshold)
    found = match_batch(anchors, labels, threshold)
    assert torch.equal(as_map(found, len(labels), num_anchors), expected)
    pairs = list(zip(found[0].tolist(), found[1].tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
