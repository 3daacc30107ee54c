import contextlib
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval, Params

from notes.detection.detections import Detections
from notes.detection.evaluation import (
    COCO_THRESHOLDS,
    average_precision,
    mean_average_precision,
    precision_recall_curve,
)

RULES = ["coco", "voc2010", "voc2007"]
UNIT = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
PADDING = [-1.0] * 5
# Right, wrong, right, right, wrong; five objects, so two are never found.
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5])
CORRECT = torch.tensor([True, False, True, True, False])


def one(box, score=0.9, label=0):
    return Detections(torch.tensor([box]), torch.tensor([score]), torch.tensor([label]))


def draw(seed, size=(16, 16), num_images=3, num_classes=3):
    """Objects and detections on whole pixels, so that overlaps and scores are often equal.

    Many detections are an object, or half of one.
    """
    generator = torch.Generator().manual_seed(seed)

    def integers(high, *shape):
        return torch.randint(0, high, shape, generator=generator)

    def boxes(*shape):
        x, y = (integers(side, *shape, 2).sort(dim=-1).values for side in size)
        sides = torch.stack([x, y], dim=-1)  # (..., 2, 2): first and last, x and y
        return torch.cat([sides[..., 0, :], sides[..., 1, :] + 1], dim=-1).double()

    labels = torch.cat([integers(num_classes + 1, num_images, 5, 1) - 1.0, boxes(num_images, 5)], 2)
    ignored = torch.rand(num_images, 5, generator=generator) < 0.3
    detections = []
    for rows in labels:
        count = int(integers(12))
        found = rows[integers(5, count), 1:]
        middle = (found[:, :2] + found[:, 2:]) / 2
        kinds = integers(4, count)
        found[:, 2] = torch.where(kinds == 1, middle[:, 0], found[:, 2])
        found[:, 1] = torch.where(kinds == 2, middle[:, 1], found[:, 1])
        found = torch.where((kinds == 3)[:, None], boxes(count), found)
        scores = integers(9, count).double() / 8
        detections.append(Detections(found, scores, integers(num_classes, count)))
    return detections, labels, ignored


def as_shares(detections, labels, size, dtype):
    sides = torch.tensor([*size, *size], dtype=torch.float64)
    labels = torch.cat([labels[..., :1], labels[..., 1:] / sides], dim=2).to(dtype)
    return [x._replace(boxes=(x.boxes / sides).to(dtype)) for x in detections], labels


def sizes_of(labels, size):
    return torch.tensor([size[1], size[0]]).expand(len(labels), 2)


def average_precision_of_coco(detections, labels, ignored, num_classes, thresholds):
    """What COCO's own program says for each class; NaN for a class without objects."""
    truths, results = [], []
    for image, (rows, crowds) in enumerate(zip(labels.tolist(), ignored.tolist(), strict=True)):
        for (label, x1, y1, x2, y2), crowd in zip(rows, crowds, strict=True):
            if label >= 0:
                box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
                place = {"id": len(truths) + 1, "image_id": image, "category_id": int(label)}
                truths.append(box | place | {"iscrowd": int(crowd)})
    for image, found in enumerate(detections):
        for (x1, y1, x2, y2), score, label in zip(*(part.tolist() for part in found), strict=True):
            place = {"image_id": image, "category_id": label, "score": score}
            results.append(place | {"bbox": [x1, y1, x2 - x1, y2 - y1]})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(len(labels))],
            "annotations": truths,
            "categories": [{"id": label} for label in range(num_classes)],
        }
        coco.createIndex()
        program = COCOeval(coco, coco.loadRes(results), "bbox")
        program.params.iouThrs = np.array(thresholds)
        program.evaluate()
        program.accumulate()
    precision = program.eval["precision"][:, :, :, 0, -1]  # (thresholds, 101, K)
    return np.where((precision > -1).all(axis=(0, 1)), precision.mean(axis=(0, 1)), math.nan)


def overlap_of_voc(box, truth):
    width = min(box[2], truth[2]) - max(box[0], truth[0])
    height = min(box[3], truth[3]) - max(box[1], truth[1])
    if width <= 0 or height <= 0:
        return -math.inf
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (box, truth)]
    return width * height / (sum(areas) - width * height)


def average_precision_of_voc(detections, labels, ignored, label, threshold, rule):
    """VOCevaldet.m of the development kit, line by line, for one class."""
    number_of_truths = int(((labels[..., 0] == label) & ~ignored).sum())
    if number_of_truths == 0:
        return math.nan
    answers = [
        (score, image, box)
        for image, found in enumerate(detections)
        for box, score, mine in zip(*(part.tolist() for part in found), strict=True)
        if mine == label
    ]
    right, wrong, seen = [], [], set()
    for _, image, box in sorted(answers, key=lambda answer: -answer[0]):
        best, place = -math.inf, None
        for row, truth in enumerate(labels[image].tolist()):
            if truth[0] == label and overlap_of_voc(box, truth[1:]) > best:
                best, place = overlap_of_voc(box, truth[1:]), row
        is_found = best >= threshold
        is_difficult = is_found and bool(ignored[image, place])
        right.append(is_found and not is_difficult and (image, place) not in seen)
        wrong.append(not right[-1] and not is_difficult)
        seen |= {(image, place)} if right[-1] else set()
    right, wrong = np.cumsum(right), np.cumsum(wrong)
    recall, precision = right / number_of_truths, right / np.maximum(right + wrong, 1)
    if rule == "voc2007":
        levels = np.arange(11) / 10
        return sum(max(precision[recall >= x], default=0) for x in levels) / 11
    recall, precision = np.array([0, *recall, 1]), np.array([0, *precision, 0])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope[1:]).sum())


def test_precision_and_recall_by_hand():
    precision, recall = precision_recall_curve(SCORES, CORRECT, num_truths=5)
    assert precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5])
    assert recall.tolist() == pytest.approx([1 / 5, 1 / 5, 2 / 5, 3 / 5, 3 / 5])
    assert precision.dtype == recall.dtype == torch.float64


def test_the_order_of_the_detections_does_not_matter():
    shuffled = torch.tensor([3, 0, 4, 2, 1])
    ours = precision_recall_curve(SCORES[shuffled], CORRECT[shuffled], 5)
    for part, expected in zip(ours, precision_recall_curve(SCORES, CORRECT, 5), strict=True):
        assert torch.equal(part, expected)


def test_equal_scores_count_in_the_order_given():
    precision, _ = precision_recall_curve(torch.full((2,), 0.5), torch.tensor([False, True]), 1)
    assert precision.tolist() == [0, 0.5]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # Recall 0 to 0.2 at precision 1, 0.2 to 0.6 at 0.75, nothing above.
        pytest.param("voc2010", 0.2 * 1 + 0.4 * 0.75, id="the area"),
        pytest.param("coco", (21 * 1 + 40 * 0.75) / 101, id="0 to 0.2, then 0.21 to 0.6"),
        pytest.param("voc2007", (3 * 1 + 4 * 0.75) / 11, id="0 to 0.2, then 0.3 to 0.6"),
    ],
)
def test_average_precision_by_hand(rule, expected):
    curve = precision_recall_curve(SCORES, CORRECT, num_truths=5)
    assert average_precision(*curve, rule) == pytest.approx(expected)


@pytest.mark.parametrize("rule", RULES)
def test_average_precision_at_its_ends(rule):
    every = precision_recall_curve(SCORES, torch.ones(5, dtype=torch.bool), 5)
    assert average_precision(*every, rule) == pytest.approx(1)
    none = precision_recall_curve(SCORES, torch.zeros(5, dtype=torch.bool), 5)
    assert average_precision(*none, rule) == 0
    no_detections = precision_recall_curve(torch.zeros(0), torch.zeros(0, dtype=torch.bool), 5)
    assert average_precision(*no_detections, rule) == 0


@pytest.mark.parametrize("num_truths", [10, 20, 30, 50, 70])
def test_a_recall_of_a_tenth_reaches_the_level_of_a_tenth(num_truths):
    # 3 of 10 is 0.3; a level that was added up from 0.1 would lie above it.
    for tenth in range(1, 10):
        count = tenth * num_truths // 10
        curve = precision_recall_curve(
            torch.linspace(1, 0.5, count), torch.ones(count, dtype=torch.bool), num_truths
        )
        assert average_precision(*curve, "voc2007") == pytest.approx((tenth + 1) / 11)


@pytest.mark.parametrize("tenth", range(1, 11))
def test_a_recall_just_below_a_tenth_does_not_reach_its_level(tenth):
    count = 10 * tenth - 1
    curve = precision_recall_curve(
        torch.linspace(1, 0.5, count), torch.ones(count, dtype=torch.bool), 100
    )
    assert average_precision(*curve, "voc2007") == pytest.approx(tenth / 11)


@pytest.mark.parametrize("rule", RULES)
def test_a_curve_may_be_every_second_number_of_a_tensor(rule):
    precision, recall = precision_recall_curve(SCORES, CORRECT, num_truths=5)
    spaced = (torch.stack([part, part], dim=1)[:, 0] for part in (precision, recall))
    assert average_precision(*spaced, rule) == average_precision(precision, recall, rule)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(correct=st.lists(st.booleans(), max_size=20), missing=st.integers(1, 5))
def test_average_precision_gains_by_what_is_right_and_loses_by_what_is_wrong(correct, missing):
    scores = torch.linspace(0.9, 0.5, len(correct))
    num_truths = sum(correct) + missing
    for rule in RULES:
        before = average_precision(
            *precision_recall_curve(scores, torch.tensor(correct, dtype=torch.bool), num_truths),
            rule,
        )
        assert 0 <= before <= 1
        for answer in (True, False):
            longer = torch.tensor([answer, *correct])
            first = torch.cat([torch.ones(1), scores])
            after = average_precision(*precision_recall_curve(first, longer, num_truths), rule)
            assert after >= before - 1e-12 if answer else after <= before + 1e-12
        wrong = torch.tensor([*correct, False])
        last = torch.cat([scores, torch.zeros(1)])
        same = average_precision(*precision_recall_curve(last, wrong, num_truths), rule)
        assert same == pytest.approx(before)


def test_mean_over_classes_leaves_out_those_without_objects():
    labels = torch.tensor([[[0, 0.0, 0.0, 1.0, 1.0], PADDING], [[1, 0.0, 0.0, 1.0, 1.0], PADDING]])
    found = [one([0.0, 0.0, 1.0, 1.0]), one([0.0, 0.0, 1.0, 1.0], label=2)]
    mean, per_class = mean_average_precision(found, labels, num_classes=4)
    assert mean == 0.5
    assert isinstance(mean, float)
    torch.testing.assert_close(
        per_class, torch.tensor([1, 0, math.nan, math.nan]).double(), equal_nan=True
    )


def test_a_right_box_of_the_wrong_class_or_image_is_wrong():
    labels = torch.tensor([[[0, 0.0, 0.0, 1.0, 1.0]], [PADDING]])
    here, there = one([0.0, 0.0, 1.0, 1.0], label=1), one([0.0, 0.0, 1.0, 1.0])
    assert mean_average_precision([here, there], labels, num_classes=2).mean == 0
    assert mean_average_precision([there, here], labels, num_classes=2).mean == 1


@pytest.mark.parametrize(("height", "expected"), [(0.5, 1), (0.45, 0)])
def test_half_an_overlap_is_enough_if_no_threshold_is_given(height, expected):
    found = one([0.0, 0.0, 1.0, height])
    labels = torch.tensor([[[0, 0.0, 0.0, 1.0, 1.0]]])
    assert mean_average_precision([found], labels, num_classes=1).mean == expected


def test_several_thresholds_are_averaged():
    labels = torch.tensor([[[0, 0.0, 0.0, 1.0, 1.0]]])
    found = [one([0.0, 0.0, 1.0, 0.72])]  # found at 0.5, 0.55, 0.6, 0.65 and 0.7
    result = mean_average_precision(found, labels, num_classes=1, iou_threshold=COCO_THRESHOLDS)
    assert result.mean == pytest.approx(0.5)


@pytest.mark.parametrize("rule", RULES)
def test_without_objects_there_is_no_mean(rule):
    labels = torch.tensor([[PADDING]])
    result = mean_average_precision([one([0.0, 0.0, 1.0, 1.0])], labels, num_classes=2, rule=rule)
    assert math.isnan(result.mean)
    assert result.per_class.isnan().all()
    nothing = mean_average_precision([], torch.zeros(0, 3, 5), num_classes=2, rule=rule)
    assert math.isnan(nothing.mean)
    assert nothing.per_class.shape == (2,)


@pytest.mark.parametrize("rule", RULES)
def test_without_detections_the_mean_is_0(rule):
    none = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    labels = torch.tensor([[[1, 0.0, 0.0, 1.0, 1.0]]])
    assert mean_average_precision([none], labels, num_classes=2, rule=rule).mean == 0


def test_the_thresholds_and_levels_of_coco_are_those_of_its_own_program():
    rules = Params(iouType="bbox")
    np.testing.assert_allclose(COCO_THRESHOLDS, rules.iouThrs)
    for count in range(1, 101):  # a level that is rounded otherwise is reached one object too late
        curve = precision_recall_curve(torch.ones(count), torch.ones(count).bool(), 100)
        expected = np.mean(rules.recThrs <= count / 100)
        assert average_precision(*curve, "coco") == pytest.approx(expected, abs=1e-12)


SIZES = st.sampled_from([(7, 5), (16, 16), (33, 21), (640, 480), (4001, 3001)])


@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 10**6), size=SIZES, with_crowds=st.booleans(), strict=st.booleans())
def test_pixels_and_their_shares_give_the_number_of_pycocotools(seed, size, with_crowds, strict):
    detections, labels, ignored = draw(seed, size)
    if not sum(len(image.scores) for image in detections):
        return  # pycocotools refuses an empty list
    ignored = ignored & with_crowds
    thresholds = COCO_THRESHOLDS if strict else [0.5]
    theirs = average_precision_of_coco(detections, labels, ignored, 3, thresholds)
    options = {"num_classes": 3, "iou_threshold": thresholds, "ignored": ignored}
    single = [x._replace(boxes=x.boxes.float()) for x in detections], labels.float()
    for answer, sizes in [
        ((detections, labels), None),
        (single, None),
        (as_shares(detections, labels, size, torch.float64), sizes_of(labels, size)),
        (as_shares(detections, labels, size, torch.float32), sizes_of(labels, size)),
    ]:
        ours = mean_average_precision(*answer, **options, image_sizes=sizes)
        np.testing.assert_allclose(ours.per_class.numpy(), theirs, atol=1e-9)
        assert ours.mean == pytest.approx(np.nanmean(theirs), nan_ok=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@settings(deadline=None, max_examples=20, derandomize=True)
@given(seed=st.integers(0, 10**6), size=SIZES)
def test_boxes_as_they_are_give_the_number_of_pycocotools_for_them(dtype, seed, size):
    detections, labels, ignored = draw(seed, size)
    detections, labels = as_shares(detections, labels, size, dtype)
    if not sum(len(image.scores) for image in detections):
        return
    theirs = average_precision_of_coco(detections, labels, ignored, 3, COCO_THRESHOLDS)
    options = {"num_classes": 3, "iou_threshold": COCO_THRESHOLDS, "ignored": ignored}
    ours = mean_average_precision(detections, labels, **options)
    np.testing.assert_allclose(ours.per_class.numpy(), theirs, atol=1e-9)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    size=SIZES,
    rule=st.sampled_from(["voc2007", "voc2010"]),
    threshold=st.sampled_from([0.3, 0.5, 0.75]),
)
def test_pixels_and_their_shares_give_the_number_of_the_voc_development_kit(
    seed, size, rule, threshold
):
    detections, labels, ignored = draw(seed, size)
    theirs = [
        average_precision_of_voc(detections, labels, ignored, label, threshold, rule)
        for label in range(3)
    ]
    options = {"num_classes": 3, "iou_threshold": threshold, "rule": rule, "ignored": ignored}
    for dtype in (torch.float64, torch.float32):
        shares = as_shares(detections, labels, size, dtype)
        ours = mean_average_precision(*shares, **options, image_sizes=sizes_of(labels, size))
        np.testing.assert_allclose(ours.per_class.numpy(), theirs, atol=1e-9)
    pixels = mean_average_precision(detections, labels, **options)
    np.testing.assert_allclose(pixels.per_class.numpy(), theirs, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("right", "expected"), [(346, 1), (345.99, 0)])
def test_half_of_a_box_in_pixels_is_half_of_it_in_shares(dtype, right, expected):
    sides = torch.tensor([640, 480, 640, 480], dtype=dtype)
    labels = torch.tensor([[[0, 244, 328, 448, 458]]], dtype=dtype)
    boxes = torch.tensor([[244, 328, right, 458]], dtype=dtype)
    found = Detections(boxes, torch.ones(1), torch.zeros(1, dtype=torch.int64))
    assert mean_average_precision([found], labels, num_classes=1).mean == expected
    labels[..., 1:] /= sides
    shares = [found._replace(boxes=boxes / sides)]
    for image_sizes in (torch.tensor([[480, 640]]), torch.tensor([[480.0, 640.0]])):
        result = mean_average_precision(shares, labels, num_classes=1, image_sizes=image_sizes)
        assert result.mean == expected


def test_shares_without_the_size_are_taken_as_they_are():
    sides = torch.tensor([640.0, 480, 640, 480])
    labels = torch.cat([torch.zeros(1), torch.tensor([244.0, 328, 448, 458]) / sides])[None, None]
    boxes = torch.tensor([[244.0, 328, 346, 458]]) / sides  # overlaps by 0.49999995
    found = Detections(boxes, torch.ones(1), torch.zeros(1, dtype=torch.int64))
    assert mean_average_precision([found], labels, num_classes=1).mean == 0


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    part=st.integers(10, 19),
    sides=st.tuples(st.integers(1, 300), st.integers(1, 200)),
    corner=st.tuples(st.integers(0, 30_000), st.integers(0, 20_000)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_20ths_of_a_box_reach_the_thresholds_of_coco_in_any_image(part, sides, corner, dtype):
    """Corners are hundredths of a pixel, as in COCO's files."""
    size = torch.tensor([6001, 4003, 6001, 4003], dtype=torch.float64)
    x, y = corner[0] / 100, corner[1] / 100
    truth, box = (
        torch.tensor([[x, y, round(x + width * sides[0], 2), y + sides[1]]], dtype=torch.float64)
        for width in (20, part)
    )
    labels = torch.cat([torch.zeros(1, 1), truth / size], dim=1)[None].to(dtype)
    found = Detections((box / size).to(dtype), torch.ones(1), torch.zeros(1, dtype=torch.int64))
    options = {"num_classes": 1, "image_sizes": torch.tensor([[4003, 6001]])}
    for change, expected in ((-1e-9, 1), (1e-4, 0)):
        threshold = part / 20 + change
        result = mean_average_precision([found], labels, iou_threshold=threshold, **options)
        assert result.mean == expected


@pytest.mark.parametrize("rule", RULES)
def test_an_ignored_object_is_neither_found_nor_missed(rule):
    labels = torch.tensor([[[0, 0.0, 0.0, 1.0, 1.0], [0, 5.0, 5.0, 6.0, 6.0]]])
    ignored = torch.tensor([[True, False]])
    found = Detections(
        torch.tensor([[0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 6.0, 6.0]]),
        torch.tensor([0.9, 0.8]),
        torch.tensor([0, 0]),
    )
    for part in (found, Detections(*(x[1:] for x in found))):
        result = mean_average_precision([part], labels, num_classes=1, rule=rule, ignored=ignored)
        assert result.mean == pytest.approx(1)
    everything = torch.ones(1, 2, dtype=torch.bool)
    nothing = mean_average_precision([found], labels, num_classes=1, rule=rule, ignored=everything)
    assert math.isnan(nothing.mean)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("rule", RULES)
def test_curves_of_less_precision_are_summed_in_full(dtype, rule):
    correct = torch.arange(300) % 3 < 2
    precision, recall = precision_recall_curve(torch.linspace(1, 0, 300), correct, 400)
    precision, recall = precision.to(dtype), recall.to(dtype)
    if rule == "voc2010":
        steps = np.diff(recall.tolist(), prepend=0)
        expected = sum(x * precision[i:].max().item() for i, x in enumerate(steps))
    else:
        count = {"coco": 101, "voc2007": 11}[rule]
        levels = [torch.tensor(i / (count - 1)).to(dtype) for i in range(count)]
        best = [max(precision[recall >= level].tolist(), default=0) for level in levels]
        expected = sum(best) / count
    assert average_precision(precision, recall, rule) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("number", [np.int64(3), torch.tensor(3), np.uint8(3)])
def test_numbers_of_classes_and_objects_may_come_from_numpy_and_tensors(number):
    labels = torch.tensor([[[1, 0.0, 0.0, 1.0, 1.0]]])
    result = mean_average_precision(
        [one([0.0, 0.0, 1.0, 1.0], label=1)],
        labels,
        num_classes=number,
        iou_threshold=np.float32(0.5),
    )
    assert result.per_class.isnan().tolist() == [True, False, True]
    assert result.mean == 1
    curve = precision_recall_curve(torch.ones(1), torch.tensor([True]), number)
    assert curve[1].item() == 1 / 3


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=10, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_images_and_objects_does_not_matter(rule, seed):
    detections, labels, _ = draw(seed)
    generator = torch.Generator().manual_seed(seed)
    # Detections of equal score count in their order, so here no two are equal.
    detections = [
        image._replace(scores=torch.rand(len(image.scores), generator=generator).double())
        for image in detections
    ]
    expected = mean_average_precision(detections, labels, num_classes=3, rule=rule)
    turned = mean_average_precision(detections[::-1], labels.flip(0), num_classes=3, rule=rule)
    torch.testing.assert_close(turned.per_class, expected.per_class, equal_nan=True)
    shuffled = [Detections(*(part.flip(0) for part in image)) for image in detections]
    again = mean_average_precision(shuffled, labels, num_classes=3, rule=rule)
    torch.testing.assert_close(again.per_class, expected.per_class, equal_nan=True)


def test_nothing_is_left_on_the_default_device():
    detections, labels, _ = draw(1)
    for rule in RULES:
        expected = mean_average_precision(detections, labels, num_classes=3, rule=rule)
        with torch.device("meta"):
            result = mean_average_precision(detections, labels, num_classes=3, rule=rule)
        torch.testing.assert_close(result.per_class, expected.per_class, equal_nan=True)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scores": SCORES[:, None]}, ValueError, r"scores must have shape \(N,\), got \(5, 1\)"),
        ({"scores": SCORES * 2}, ValueError, r"scores must lie in \[0, 1\], got 1.8"),
        ({"correct": CORRECT[:4]}, ValueError, r"correct must have shape \(5,\), got \(4,\)"),
        ({"correct": CORRECT.long()}, TypeError, "correct must be a tensor of booleans, got torch"),
        ({"correct": CORRECT.to("meta")}, ValueError, "correct must be on the device of scores"),
        ({"num_truths": 2}, ValueError, "num_truths must be at least the .*, 3, got 2"),
    ],
)
def test_precision_recall_curve_rejects(change, error, message):
    with pytest.raises(error, match=message):
        precision_recall_curve(**{"scores": SCORES, "correct": CORRECT, "num_truths": 5} | change)


def test_precision_recall_curve_rejects_a_class_without_objects():
    with pytest.raises(ValueError, match="num_truths must be at least 1, got 0"):
        precision_recall_curve(SCORES, torch.zeros(5, dtype=torch.bool), 0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"precision": SCORES[None]}, ValueError, r"precision must have shape \(N,\)"),
        ({"recall": SCORES[:2]}, ValueError, r"recall must have shape \(5,\), got \(2,\)"),
        ({"recall": SCORES}, ValueError, "recall must not fall"),
        (
            {"precision": CORRECT, "recall": CORRECT},
            TypeError,
            "precision must be a floating-point",
        ),
        ({"recall": SCORES.double()}, TypeError, "recall must have the dtype of precision"),
        ({"precision": SCORES * 2}, ValueError, r"precision must lie in \[0, 1\], got 1.8"),
        ({"recall": -SCORES}, ValueError, r"recall must lie in \[0, 1\], got -0.9"),
        ({"rule": "COCO"}, ValueError, "rule must be one of coco, voc2010, voc2007, got COCO"),
    ],
)
def test_average_precision_rejects(change, error, message):
    with pytest.raises(error, match=message):
        average_precision(**{"precision": SCORES, "recall": SCORES.flip(0)} | change)


FOUND = one([0.0, 0.0, 1.0, 1.0])
LABELS = torch.tensor([[[0, 0.0, 0.0, 1.0, 1.0], PADDING]])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"labels": LABELS[0]}, ValueError, r"labels must have shape \(B, M, 5\), got \(2, 5\)"),
        ({"labels": LABELS.long()}, TypeError, "labels must be a floating-point tensor"),
        ({"labels": LABELS / 0}, ValueError, "labels must be finite"),
        ({"labels": LABELS.flip(2)}, ValueError, "labels must have x1 <= x2"),
        (
            {"labels": LABELS + 0.5},
            ValueError,
            "labels must have whole numbers as classes, got 0.5",
        ),
        ({"labels": LABELS + 2}, ValueError, r"classes of labels must lie in \[0, 2\), got 2"),
        ({"detections": []}, ValueError, "detections must be as many as labels, 1, got 0"),
        ({"num_classes": 0}, ValueError, "num_classes must be at least 1, got 0"),
        ({"iou_threshold": []}, ValueError, "iou_threshold must hold at least one number"),
        ({"iou_threshold": [0.5, 2]}, ValueError, r"iou_threshold must lie in \[0, 1\], got 2"),
        ({"num_classes": 2.5}, TypeError, "num_classes must be an integer, got 2.5"),
        ({"ignored": torch.zeros(1, 2)}, TypeError, "ignored must be a tensor of booleans, got"),
        ({"ignored": torch.ones(1, 1).bool()}, ValueError, r"ignored must have shape \(1, 2\)"),
        ({"ignored": torch.ones(1, 2, device="meta").bool()}, ValueError, "ignored must be on"),
        ({"image_sizes": torch.ones(2)}, ValueError, r"image_sizes must have shape \(1, 2\), got"),
        ({"image_sizes": torch.tensor([[9, 0]])}, ValueError, "image_sizes must be greater than 0"),
        ({"image_sizes": torch.ones(1, 2) / 0}, ValueError, "image_sizes must be finite"),
        (
            {"image_sizes": torch.ones(1, 2, device="meta")},
            ValueError,
            "image_sizes must be on the",
        ),
        ({"rule": "best"}, ValueError, "rule must be one of coco, voc2010, voc2007, got best"),
        (
            {"detections": [FOUND[:2]]},
            ValueError,
            r"detections\[0\] must be boxes, scores and classes, got 2 parts",
        ),
        (
            {"detections": [FOUND._replace(classes=torch.tensor([2]))]},
            ValueError,
            r"detections\[0\]\.classes must lie in \[0, 2\), got 2",
        ),
        (
            {"detections": [FOUND._replace(classes=torch.tensor([0.0]))]},
            TypeError,
            r"detections\[0\]\.classes must be a tensor of integers",
        ),
        (
            {"detections": [FOUND._replace(scores=torch.tensor([1.1]))]},
            ValueError,
            r"detections\[0\]\.scores must lie in \[0, 1\], got 1.1",
        ),
        (
            {"detections": [FOUND._replace(scores=torch.tensor([math.nan]))]},
            ValueError,
            r"detections\[0\]\.scores must lie in \[0, 1\], got nan",
        ),
        (
            {"detections": [FOUND._replace(scores=torch.ones(2))]},
            ValueError,
            r"detections\[0\]\.scores must have shape \(1,\), got \(2,\)",
        ),
        (
            {"detections": [FOUND._replace(classes=torch.zeros(2, dtype=torch.int64))]},
            ValueError,
            r"detections\[0\]\.classes must have shape \(1,\), got \(2,\)",
        ),
        (
            {"detections": [FOUND._replace(boxes=[[0, 0, 1, 1]])]},
            TypeError,
            r"detections\[0\]\.boxes must be a tensor, got list",
        ),
        (
            {"detections": [FOUND._replace(boxes=UNIT.flip(1))]},
            ValueError,
            r"detections\[0\]\.boxes must have x1 <= x2",
        ),
        (
            {"detections": [FOUND._replace(boxes=UNIT.double())]},
            TypeError,
            r"detections\[0\]\.boxes must have the dtype of labels",
        ),
        (
            {"detections": [Detections(*(part.to("meta") for part in FOUND))]},
            ValueError,
            r"detections\[0\]\.boxes must be on the device of labels, cpu, got meta",
        ),
        (
            {"detections": [FOUND._replace(scores=torch.ones(1, device="meta"))]},
            ValueError,
            r"detections\[0\]\.scores must be on the device of labels, cpu, got meta",
        ),
        (
            {"detections": [FOUND._replace(classes=torch.zeros(1, device="meta").long())]},
            ValueError,
            r"detections\[0\]\.classes must be on the device of labels, cpu, got meta",
        ),
    ],
)
def test_mean_average_precision_rejects(change, error, message):
    with pytest.raises(error, match=message):
        mean_average_precision(
            **{"detections": [FOUND], "labels": LABELS, "num_classes": 2} | change
        )
