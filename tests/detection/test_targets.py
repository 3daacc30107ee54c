"""Targets: the class and the offsets that a detector should answer at each anchor."""

import pytest
import torch
from detection_targets import loop_targets, make_anchors, make_labels
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.detection.offsets import decode_offsets
from notes.detection.targets import make_image_targets, make_targets

HALVES = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]])
PADDING = [-1.0, 0.0, 0.0, 0.0, 0.0]
# The example of the notes: a dog (0) and a cat (1), and five anchors.
LABELS = torch.tensor([[0, 0.1, 0.08, 0.52, 0.92], [1, 0.55, 0.2, 0.9, 0.88]])
ANCHORS = torch.tensor(
    [
        [0.0, 0.1, 0.2, 0.3],
        [0.15, 0.2, 0.4, 0.4],
        [0.63, 0.05, 0.88, 0.98],
        [0.66, 0.45, 0.8, 0.8],
        [0.57, 0.3, 0.92, 0.9],
    ]
)


def random_case(num_images, num_anchors, most_boxes, seed):
    """Small cases with many ties; padding anywhere."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 8, (num_anchors, 2), generator=generator)
    sides = torch.randint(1, 5, (num_anchors, 2), generator=generator)
    anchors = torch.cat([corners, corners + sides], dim=1) / 8
    corners = torch.randint(0, 9, (num_images, most_boxes, 2, 2), generator=generator) / 8
    boxes = torch.cat([corners.amin(dim=2), corners.amax(dim=2)], dim=2)
    classes = torch.randint(-1, 3, (num_images, most_boxes, 1), generator=generator)
    return anchors, torch.cat([classes, boxes], dim=2)


def assert_equal(found, expected):
    for part, right in zip(found, expected, strict=True):
        assert part.dtype == right.dtype
        assert torch.equal(part, right)


def test_the_example_of_the_notes():
    classes, offsets, positive = make_targets(ANCHORS, LABELS[None])
    assert classes.tolist() == [[0, 1, 2, 0, 2]]
    assert positive.tolist() == [[False, True, True, False, True]]
    expected = [
        [0, 0, 0, 0],
        [1.40, 10.00, 2.59, 7.18],
        [-1.20, 0.27, 1.68, -1.57],
        [0, 0, 0, 0],
        [-0.57, -1.00, 0.00, 0.63],
    ]
    assert torch.allclose(offsets, torch.tensor([expected]), atol=0.005)


@pytest.mark.parametrize("make", [make_targets, loop_targets])
def test_padding_has_no_part_in_the_targets(make):
    padded = torch.tensor([[PADDING, LABELS[0].tolist(), [-1.0] * 5, LABELS[1].tolist()]])
    assert_equal(make(ANCHORS, padded), make_targets(ANCHORS, LABELS[None]))


def test_positive_anchors_lead_back_to_the_boxes():
    anchors, labels = make_anchors().double(), make_labels(num_images=4, most_boxes=10).double()
    classes, offsets, positive = make_targets(anchors, labels)
    for rows, image in zip(labels, range(4), strict=True):
        chosen = positive[image]
        boxes = decode_offsets(anchors[chosen], offsets[image, chosen])
        found = torch.cat([classes[image, chosen, None] - 1, boxes], dim=1)
        objects = rows[rows[:, 0] >= 0]
        distances = torch.cdist(found, objects)
        assert distances.amin(dim=1).max() < 1e-5  # each is a labeled box
        assert distances.amin(dim=0).max() < 1e-5  # and each labeled box is among them


@pytest.mark.parametrize("make", [make_targets, loop_targets])
def test_half_an_overlap_is_enough_if_no_threshold_is_given(make):
    anchors = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.45, 1.0]])
    labels = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 1.0]]])
    assert make(anchors, labels).positive.tolist() == [[True, True, False]]
    assert make_image_targets(anchors, labels[0]).positive.tolist() == [True, True, False]


def test_background_has_class_zero_and_no_offsets():
    classes, offsets, positive = make_targets(make_anchors(), make_labels(4, most_boxes=10))
    assert torch.equal(classes > 0, positive)
    assert (offsets[~positive] == 0).all()
    assert positive.any(dim=1).all()


def test_a_lower_threshold_adds_positives_and_changes_none():
    anchors, labels = make_anchors(), make_labels(4, most_boxes=10)
    strict, loose = (make_targets(anchors, labels, threshold) for threshold in (0.6, 0.4))
    assert (loose.positive | ~strict.positive).all()
    assert loose.positive.sum() > strict.positive.sum()
    assert torch.equal(loose.classes[strict.positive], strict.classes[strict.positive])


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(torch.zeros(3, 0, 5), id="no rows"),
        pytest.param(torch.tensor([[PADDING, PADDING]] * 3), id="only padding"),
    ],
)
def test_without_boxes_all_is_background(labels):
    classes, offsets, positive = make_targets(HALVES, labels)
    assert torch.equal(classes, torch.zeros(3, 2, dtype=torch.int64))
    assert torch.equal(offsets, torch.zeros(3, 2, 4))
    assert torch.equal(positive, torch.zeros(3, 2, dtype=torch.bool))


def test_an_empty_batch_and_no_anchors_give_empty_targets():
    labels = LABELS[None]
    assert [part.shape for part in make_targets(HALVES, labels[:0])] == [(0, 2), (0, 2, 4), (0, 2)]
    assert [part.shape for part in make_targets(HALVES[:0], labels)] == [(1, 0), (1, 0, 4), (1, 0)]


def test_a_label_without_area_gives_finite_targets():
    labels = torch.tensor([[[0.0, 0.25, 0.5, 0.25, 0.5]]])
    classes, offsets, _ = make_targets(HALVES, labels)
    assert classes.tolist() == [[1, 0]]
    assert offsets.isfinite().all()


def test_inputs_may_need_gradients():
    anchors = ANCHORS.clone().requires_grad_()
    targets = make_targets(anchors, LABELS[None])
    assert_equal([part.detach() for part in targets], make_targets(ANCHORS, LABELS[None]))
    targets.offsets.sum().backward()
    assert (anchors.grad.abs().sum(dim=1) > 0).tolist() == [False, True, True, False, True]


@pytest.mark.parametrize("make", [make_targets, loop_targets])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_offsets_have_the_precision_of_the_anchors(make, dtype):
    targets = make(ANCHORS.to(dtype), LABELS[None].to(dtype))
    assert targets.offsets.dtype == dtype
    assert targets.classes.tolist() == [[0, 1, 2, 0, 2]]


@pytest.mark.parametrize("make", [make_targets, make_image_targets])
def test_nothing_is_left_on_the_default_device(make):
    labels = LABELS[None] if make is make_targets else LABELS
    expected = make(ANCHORS, labels)
    with torch.device("meta"):
        assert_equal(make(ANCHORS, labels), expected)


@pytest.mark.parametrize(
    ("anchors", "labels", "message"),
    [
        (HALVES[0], torch.zeros(1, 1, 5), r"anchors must have shape \(N, 4\), got \(4,\)"),
        (HALVES[:, [0, 1, 0, 3]], torch.zeros(1, 1, 5), "anchors must have an area"),
        (HALVES / 0, torch.zeros(1, 1, 5), "anchors must be finite, got nan"),
        (HALVES, torch.zeros(1, 5), r"labels must have shape \(B, M, 5\), got \(1, 5\)"),
        (HALVES, torch.zeros(1, 1, 4), r"labels must have shape \(B, M, 5\), got \(1, 1, 4\)"),
        (HALVES, torch.full((1, 1, 5), torch.inf), "labels must be finite, got inf"),
        (HALVES, torch.tensor([[[0.5, *HALVES[0]]]]), "labels must have whole numbers as classes"),
        (
            HALVES,
            torch.tensor([[[1e9, *HALVES[0]]]]),
            "classes of labels must lie in .*, got 1000000000$",
        ),
        (HALVES * 1e20, LABELS[None], "anchors must have sides of at most 4.61"),
        (HALVES, LABELS[None] * 1e20, "classes of labels must lie in"),
        (HALVES, torch.tensor([[[0, -1e20, 0, 0, 1]]]), "boxes of labels must have sides"),
    ],
)
def test_what_is_no_batch_is_refused(anchors, labels, message):
    with pytest.raises(ValueError, match=message):
        make_targets(anchors, labels)


def test_the_form_for_one_image_refuses_what_the_form_for_a_batch_refuses():
    with pytest.raises(ValueError, match=r"labels must have shape \(M, 5\), got \(1, 2, 5\)"):
        make_image_targets(ANCHORS, LABELS[None])
    with pytest.raises(ValueError, match=r"^labels must have whole numbers as classes, got 0\.5"):
        make_image_targets(ANCHORS, LABELS + torch.tensor([0.5, 0.0, 0.0, 0.0, 0.0]))
    with pytest.raises(ValueError, match="anchors must have an area"):
        make_image_targets(torch.zeros(1, 4), LABELS)


@pytest.mark.parametrize("make", [make_targets, make_image_targets])
def test_a_threshold_outside_0_to_1_is_refused(make):
    labels = LABELS[None] if make is make_targets else LABELS
    with pytest.raises(ValueError, match=r"iou_threshold must lie in \[0, 1\], got -0.1"):
        make(HALVES, labels, -0.1)


def test_mixed_precisions_are_refused():
    with pytest.raises(TypeError, match=r"labels must have the dtype of anchors, torch\.float32"):
        make_targets(ANCHORS, LABELS[None].double())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 6), st.integers(0, 99_999))
def test_a_batch_equals_its_images_one_by_one(num_images, num_anchors, most_boxes, seed):
    anchors, labels = random_case(num_images, num_anchors, most_boxes, seed)
    batch = make_targets(anchors, labels)
    for index, rows in enumerate(labels):
        assert_equal([part[index] for part in batch], make_image_targets(anchors, rows))


@pytest.mark.parametrize("num_images", [1, 5, 32])
def test_targets_equal_those_of_a_loop_bit_by_bit(num_images):
    anchors, labels = make_anchors(), make_labels(num_images, most_boxes=10)
    assert_equal(make_targets(anchors, labels), loop_targets(anchors, labels))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 6), st.integers(0, 99_999))
def test_targets_of_small_batches_equal_those_of_a_loop(num_images, num_anchors, most_boxes, seed):
    anchors, labels = random_case(num_images, num_anchors, most_boxes, seed)
    assert_equal(make_targets(anchors, labels), loop_targets(anchors, labels))
