import detection_detect
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.detection.boxes import clip_boxes
from notes.detection.detections import Detections, detect
from notes.detection.offsets import decode_offsets, encode_offsets

# The book's example: three anchors near the dog, one on the cat.
BOOK_ANCHORS = torch.tensor(
    [
        [0.1, 0.08, 0.52, 0.92],
        [0.08, 0.2, 0.56, 0.95],
        [0.15, 0.3, 0.62, 0.91],
        [0.55, 0.2, 0.9, 0.88],
    ]
)
BOOK_PROBABILITIES = torch.tensor(
    [[[0.0, 0.9, 0.1], [0.0, 0.8, 0.2], [0.0, 0.7, 0.3], [0.0, 0.1, 0.9]]]
)
BOOK_OFFSETS = torch.zeros(1, 4, 4)
BOOK = {
    "class_probabilities": BOOK_PROBABILITIES,
    "offsets": BOOK_OFFSETS,
    "anchors": BOOK_ANCHORS,
}


def test_detections_are_boxes_scores_and_classes():
    found = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    boxes, scores, classes = found
    assert (boxes.shape, scores.shape, classes.shape) == ((0, 4), (0,), (0,))
    assert found.boxes is boxes
    assert found.scores is scores
    assert found.classes is classes


def draw(seed, num_images=2, num_anchors=12, num_classes=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(num_images, num_anchors, num_classes + 1, generator=generator)
    offsets = torch.randn(num_images, num_anchors, 4, generator=generator)
    corners = torch.rand(num_anchors, 2, generator=generator) / 2
    sides = 0.2 + torch.rand(num_anchors, 2, generator=generator) / 4
    anchors = torch.cat([corners, corners + sides], dim=1)
    return logits.softmax(dim=2).to(dtype), offsets.to(dtype), anchors.to(dtype)


def equal(ours, theirs):
    return len(ours) == len(theirs) and all(
        torch.equal(one, other)
        for image, expected in zip(ours, theirs, strict=True)
        for one, other in zip(image, expected, strict=True)
    )


def test_the_books_example_gives_a_dog_and_a_cat():
    (found,) = detect(**BOOK)
    assert found.classes.tolist() == [0, 1]
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.9]))
    torch.testing.assert_close(found.boxes, BOOK_ANCHORS[[0, 3]])


def test_boxes_are_the_decoded_offsets():
    target = torch.tensor([[0.2, 0.2, 0.4, 0.6]])
    offsets = encode_offsets(BOOK_ANCHORS[:1], target)[None]
    (found,) = detect(BOOK_PROBABILITIES[:, :1], offsets, BOOK_ANCHORS[:1])
    torch.testing.assert_close(found.boxes, target)


def test_boxes_end_at_the_edges_of_the_image():
    anchors = torch.tensor([[-0.2, 0.1, 0.5, 1.3], [1.1, 0.2, 1.4, 0.6]])
    (found,) = detect(BOOK_PROBABILITIES[:, :2], torch.zeros(1, 2, 4), anchors)
    torch.testing.assert_close(found.boxes, clip_boxes(anchors))
    for seed in range(10):
        for boxes, _, _ in detect(*draw(seed)):
            assert torch.equal(boxes, clip_boxes(boxes))


def test_boxes_are_cut_off_before_they_are_compared():
    # Half of the second box lies outside; what is left of it is the first.
    anchors = torch.tensor([[0.5, 0.0, 1.0, 1.0], [0.5, 0.0, 1.5, 1.0]])
    (found,) = detect(torch.full((1, 2, 2), 0.5), torch.zeros(1, 2, 4), anchors, iou_threshold=0.6)
    assert found.boxes.tolist() == [[0.5, 0.0, 1.0, 1.0]]


def test_the_background_is_never_detected_but_lowers_the_score():
    probabilities = torch.tensor([[[0.98, 0.015, 0.005], [0.2, 0.3, 0.5]]])
    (found,) = detect(probabilities, BOOK_OFFSETS[:, :2], BOOK_ANCHORS[[0, 3]])
    assert found.classes.tolist() == [1, 0]
    torch.testing.assert_close(found.scores, torch.tensor([0.5, 0.015]))
    (sure,) = detect(probabilities, BOOK_OFFSETS[:, :2], BOOK_ANCHORS[[0, 3]], score_threshold=0.5)
    assert sure.classes.tolist() == [1]  # exactly at the threshold it stays


def test_a_dog_removes_a_cat_only_if_classes_do_not_count():
    probabilities = torch.tensor([[[0.0, 0.9, 0.1], [0.0, 0.2, 0.8]]])
    anchors = BOOK_ANCHORS[:1].repeat(2, 1)
    (both,) = detect(probabilities, BOOK_OFFSETS[:, :2], anchors)
    assert both.classes.tolist() == [0, 1]
    (one,) = detect(probabilities, BOOK_OFFSETS[:, :2], anchors, class_agnostic=True)
    assert one.classes.tolist() == [0]


def test_the_best_are_kept_if_there_are_too_many():
    probabilities, offsets, anchors = draw(0)
    every = detect(probabilities, offsets, anchors)
    few = detect(probabilities, offsets, anchors, max_detections=2)
    assert min(len(image.scores) for image in every) > 2
    assert equal(few, [Detections(*(part[:2] for part in image)) for image in every])


def test_a_hundred_are_kept_if_no_number_is_given_and_one_if_it_is_one():
    left = torch.arange(101.0)[:, None]
    anchors = left * torch.tensor([1.0, 0.0, 1.0, 0.0]) + torch.tensor([0.0, 0.0, 0.5, 1.0])
    anchors = anchors * torch.tensor([1 / 101, 1.0, 1 / 101, 1.0])
    probabilities, offsets = torch.full((1, 101, 2), 0.5), torch.zeros(1, 101, 4)
    (found,) = detect(probabilities, offsets, anchors)
    torch.testing.assert_close(found.boxes, anchors[:100])
    (found,) = detect(probabilities, offsets, anchors, max_detections=1)
    torch.testing.assert_close(found.boxes, anchors[:1])


def test_an_image_without_likely_objects_has_no_detections_but_keeps_its_place():
    probabilities = torch.cat([torch.tensor([[[1.0, 0.0, 0.0]] * 4]), BOOK_PROBABILITIES])
    empty, found = detect(probabilities, BOOK_OFFSETS.repeat(2, 1, 1), BOOK_ANCHORS)
    assert [tuple(part.shape) for part in empty] == [(0, 4), (0,), (0,)]
    assert empty.classes.dtype == torch.int64
    assert len(found.scores) == 2


def test_no_images_and_no_anchors():
    assert detect(torch.zeros(0, 4, 3), torch.zeros(0, 4, 4), BOOK_ANCHORS) == []
    nothing = detect(torch.zeros(2, 0, 3), torch.zeros(2, 0, 4), torch.zeros(0, 4))
    assert [len(image.scores) for image in nothing] == [0, 0]


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    score_threshold=st.floats(0, 1),
    iou_threshold=st.floats(0, 1),
    class_agnostic=st.booleans(),
)
def test_dropping_unlikely_boxes_first_changes_nothing(
    seed, score_threshold, iou_threshold, class_agnostic
):
    outputs = draw(seed)
    rules = {"iou_threshold": iou_threshold, "class_agnostic": class_agnostic}
    every = detect(*outputs, score_threshold=0, **rules)
    late = [
        Detections(*(part[image.scores >= score_threshold] for part in image)) for image in every
    ]
    assert equal(detect(*outputs, score_threshold=score_threshold, **rules), late)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 10**6), class_agnostic=st.booleans())
def test_images_do_not_see_each_other(seed, class_agnostic):
    probabilities, offsets, anchors = draw(seed)
    batch = detect(probabilities, offsets, anchors, class_agnostic=class_agnostic)
    alone = [
        detect(probabilities[i : i + 1], offsets[i : i + 1], anchors, class_agnostic=class_agnostic)
        for i in range(2)
    ]
    assert equal(batch, [image for (image,) in alone])
    for image in batch:
        assert (image.scores.diff() <= 0).all()
        assert ((image.classes >= 0) & (image.classes < 3)).all()


@pytest.mark.parametrize("seed", range(5))
def test_detections_agree_with_torchvision(seed):
    probabilities, offsets, anchors = draw(seed)
    for image, (probs, deltas) in zip(
        detect(probabilities, offsets, anchors),
        zip(probabilities, offsets, strict=True),
        strict=True,
    ):
        scores, classes = probs[:, 1:].max(dim=1)
        boxes = clip_boxes(decode_offsets(anchors, deltas))
        keep = torchvision.ops.batched_nms(boxes, scores, classes, 0.5)
        keep = keep[scores[keep] >= 0.01]
        assert torch.equal(image.boxes, boxes[keep])
        assert torch.equal(image.classes, classes[keep])


@pytest.mark.parametrize("num_classes", [1, 20])
def test_detections_agree_with_the_classic_loops(num_classes):
    anchors = detection_detect.make_anchors()[-1348:]  # all but those of the largest map
    outputs = detection_detect.make_outputs(2, num_classes, anchors)
    runs = list(detection_detect.make_contestants(num_classes).values())
    for classic, own in zip(runs[::2], runs[1::2], strict=True):
        expected = classic(*outputs, anchors)
        assert min(len(image.scores) for image in expected) > 0
        assert equal(own(*outputs, anchors), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_of_the_outputs_is_kept(dtype):
    for image in detect(*draw(3, dtype=dtype)):
        assert len(image.boxes) > 0
        assert image.boxes.dtype == image.scores.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_boxes_in_half_precision_are_rounded_once_at_the_end(dtype):
    outputs = draw(3, dtype=dtype)
    expected = detect(*(part.float() for part in outputs))
    for found, right in zip(detect(*outputs), expected, strict=True):
        assert torch.equal(found.boxes, right.boxes.to(dtype))


def test_nothing_is_left_on_the_default_device_and_no_gradient_is_recorded():
    probabilities, offsets, anchors = draw(1)
    expected = detect(probabilities, offsets, anchors)
    offsets.requires_grad_()
    with torch.device("meta"):
        found = detect(probabilities, offsets, anchors)
    assert equal(found, expected)
    assert not found[0].boxes.requires_grad


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"class_probabilities": BOOK_PROBABILITIES[0]},
            ValueError,
            r"class_probabilities must have shape \(B, A, K \+ 1\), got \(4, 3\)",
        ),
        (
            {"class_probabilities": BOOK_PROBABILITIES[:, :, :1]},
            ValueError,
            r"class_probabilities must have the background and at least one class .*\(1, 4, 1\)",
        ),
        (
            {"class_probabilities": BOOK_PROBABILITIES.log()},
            ValueError,
            r"class_probabilities must lie in \[0, 1\], got -inf",
        ),
        (
            {"class_probabilities": BOOK_PROBABILITIES * float("nan")},
            ValueError,
            r"class_probabilities must lie in \[0, 1\], got nan",
        ),
        (
            {"class_probabilities": BOOK_PROBABILITIES.long()},
            TypeError,
            "class_probabilities must be a floating-point tensor",
        ),
        (
            {"offsets": BOOK_OFFSETS.flatten(1)},
            ValueError,
            r"offsets must have shape \(1, 4, 4\), got \(1, 16\)",
        ),
        ({"offsets": BOOK_OFFSETS / 0}, ValueError, "offsets must be finite, got nan"),
        (
            {"offsets": torch.tensor([0.0, 0.0, 500.0, 0.0]).expand(1, 4, 4)},
            ValueError,
            r"^offsets must lead to boxes .*, got \[0.0, 0.0, 500.0, 0.0\] at index \(0, 0\)",
        ),
        ({"offsets": BOOK_OFFSETS.double()}, TypeError, "offsets must have the dtype of class_pr"),
        ({"offsets": BOOK_OFFSETS.to("meta")}, ValueError, "offsets must be on the device of cl"),
        (
            {"anchors": BOOK_ANCHORS[:3]},
            ValueError,
            r"anchors must have shape \(4, 4\), got \(3, 4\)",
        ),
        ({"anchors": BOOK_ANCHORS.to("meta")}, ValueError, "anchors must be on the device of cl"),
        ({"anchors": BOOK_ANCHORS.flip(1)}, ValueError, "anchors must have x1 <= x2 and y1 <= y2"),
        ({"anchors": BOOK_ANCHORS[:, [0, 1, 0, 3]]}, ValueError, "anchors must have an area"),
        ({"iou_threshold": -0.5}, ValueError, r"iou_threshold must lie in \[0, 1\], got -0.5"),
        ({"score_threshold": 1.5}, ValueError, r"score_threshold must lie in \[0, 1\], got 1.5"),
        ({"max_detections": 0}, ValueError, "max_detections must be at least 1, got 0"),
    ],
)
def test_detect_rejects(change, error, message):
    with pytest.raises(error, match=message):
        detect(**BOOK | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": BOOK_OFFSETS / 0}, "offsets must be finite, got nan"),
        (
            {"offsets": BOOK_OFFSETS + 500},
            r"^offsets must lead to boxes .*, got \[500.0, .*\(0, 0\)",
        ),
        ({"anchors": BOOK_ANCHORS.flip(1)}, "anchors must have x1 <= x2"),
        ({"anchors": BOOK_ANCHORS[:, [0, 1, 0, 3]]}, "anchors must have an area"),
    ],
)
def test_broken_outputs_are_refused_where_nothing_is_likely_too(change, message):
    background = torch.tensor([[[1.0, 0.0, 0.0]] * 4])
    with pytest.raises(ValueError, match=message):
        detect(**BOOK | {"class_probabilities": background} | change)
