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
    match_detections,
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


def draw(seed, num_images=3, num_classes=3):
    """Objects and detections on a grid, so that overlaps and scores are often equal."""
    generator = torch.Generator().manual_seed(seed)

    def boxes(*shape):
        corners = torch.randint(0, 8, (*shape, 2), generator=generator)
        sides = torch.randint(1, 8, (*shape, 2), generator=generator)
        return torch.cat([corners, corners + sides], dim=-1).double() / 16

    classes = torch.randint(-1, num_classes, (num_images, 5, 1), generator=generator)
    labels = torch.cat([classes.double(), boxes(num_images, 5)], dim=2)
    detections = []
    for rows in labels:
        size = int(torch.randint(0, 12, (), generator=generator))
        copied = rows[torch.randint(5, (size,), generator=generator)]
        is_copy = torch.rand(size, generator=generator) < 0.6
        scores = torch.randint(0, 9, (size,), generator=generator).double() / 8
        found = torch.randint(0, num_classes, (size,), generator=generator)
        detections.append(
            Detections(torch.where(is_copy[:, None], copied[:, 1:], boxes(size)), scores, found)
        )
    return detections, labels


def average_precision_of_coco(detections, labels, num_classes, thresholds):
    """What COCO's own program says for each class; NaN for a class without objects."""
    truths, results = [], []
    for image, rows in enumerate(labels.tolist()):
        for label, x1, y1, x2, y2 in rows:
            if label >= 0:
                box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
                place = {"id": len(truths) + 1, "image_id": image, "category_id": int(label)}
                truths.append(box | place | {"iscrowd": 0})
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


def test_each_object_is_found_once_by_the_best_detection():
    boxes = torch.tensor([[0.0, 0.0, 1.0, 0.9], [0.0, 0.0, 1.0, 0.8], [5.0, 5.0, 6.0, 6.0]])
    found = match_detections(boxes, torch.tensor([0.7, 0.9, 0.8]), UNIT)
    assert found.tolist() == [-1, 0, -1]


@pytest.mark.parametrize(("rule", "expected"), [("coco", [0, 1]), ("voc2010", [0, -1])])
def test_a_duplicate_may_find_a_neighbor_by_the_rule_of_coco_only(rule, expected):
    truths = torch.tensor([[0.0, 0.0, 10.0, 1.0], [3.0, 0.0, 13.0, 1.0]])
    detected = torch.tensor([[0.0, 0.0, 10.0, 1.0], [1.0, 0.0, 11.0, 1.0]])
    found = match_detections(detected, torch.tensor([0.9, 0.8]), truths, rule=rule)
    assert found.tolist() == expected


@pytest.mark.parametrize("part", range(1, 11))
def test_exactly_at_the_threshold_a_box_is_found(part):
    truth = torch.tensor([[0.0, 0.0, 10.0, 1.0]])
    box = torch.tensor([[0.0, 0.0, part, 1.0]])
    score = torch.tensor([0.5])
    assert match_detections(box, score, truth, iou_threshold=part / 10).tolist() == [0]
    if part < 10:
        assert match_detections(box, score, truth, iou_threshold=part / 10 + 1e-6).tolist() == [-1]


def test_matching_nothing_and_with_nothing():
    no_boxes = torch.zeros(0, 4)
    assert match_detections(UNIT, torch.ones(1), no_boxes).tolist() == [-1]
    nothing = match_detections(no_boxes, torch.zeros(0), UNIT)
    assert nothing.shape == (0,)
    assert nothing.dtype == torch.int64


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
    matches = match_detections(found.boxes, found.scores, UNIT)
    assert matches.tolist() == [expected - 1]


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


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_mean_average_precision_agrees_with_pycocotools(seed):
    detections, labels = draw(seed)
    if not sum(len(image.scores) for image in detections):
        return  # pycocotools refuses an empty list
    for thresholds in ([0.5], COCO_THRESHOLDS):
        ours = mean_average_precision(detections, labels, num_classes=3, iou_threshold=thresholds)
        theirs = average_precision_of_coco(detections, labels, 3, thresholds)
        np.testing.assert_allclose(ours.per_class.numpy(), theirs, atol=1e-9)
        assert ours.mean == pytest.approx(np.nanmean(theirs), nan_ok=True)


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=10, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_images_and_objects_does_not_matter(rule, seed):
    detections, labels = draw(seed)
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
    detections, labels = draw(1)
    for rule in RULES:
        expected = mean_average_precision(detections, labels, num_classes=3, rule=rule)
        with torch.device("meta"):
            result = mean_average_precision(detections, labels, num_classes=3, rule=rule)
        torch.testing.assert_close(result.per_class, expected.per_class, equal_nan=True)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"boxes": UNIT[0]}, ValueError, r"boxes must have shape \(N, 4\)"),
        ({"scores": torch.ones(2)}, ValueError, r"scores must have shape \(1,\), got \(2,\)"),
        ({"scores": torch.tensor([1.5])}, ValueError, r"scores must lie in \[0, 1\], got 1.5"),
        ({"true_boxes": [[0, 0, 1, 1]]}, TypeError, "true_boxes must be a tensor, got list"),
        ({"true_boxes": UNIT[0]}, ValueError, r"true_boxes must have shape \(M, 4\), got \(4,\)"),
        ({"true_boxes": UNIT.flip(1)}, ValueError, "true_boxes must have x1 <= x2"),
        ({"true_boxes": UNIT.double()}, TypeError, "true_boxes must have the dtype of boxes"),
        ({"true_boxes": UNIT.to("meta")}, ValueError, "true_boxes must be on the device of boxes"),
        ({"scores": torch.ones(1, device="meta")}, ValueError, "scores must be on the device of"),
        ({"iou_threshold": 1.1}, ValueError, r"iou_threshold must lie in \[0, 1\], got 1.1"),
        ({"rule": "voc"}, ValueError, "rule must be one of coco, voc2010, voc2007, got voc"),
    ],
)
def test_match_detections_rejects(change, error, message):
    with pytest.raises(error, match=message):
        match_detections(**{"boxes": UNIT, "scores": torch.ones(1), "true_boxes": UNIT} | change)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scores": SCORES[:, None]}, ValueError, r"scores must have shape \(N,\), got \(5, 1\)"),
        ({"scores": SCORES * 2}, ValueError, r"scores must lie in \[0, 1\], got 1.8"),
        ({"correct": CORRECT[:4]}, ValueError, r"correct must have shape \(5,\), got \(4,\)"),
        ({"correct": CORRECT.long()}, TypeError, "correct must be a tensor of booleans, got torch"),
        ({"correct": CORRECT.to("meta")}, ValueError, "correct must be on the device of scores"),
        ({"num_truths": 2}, ValueError, "num_truths must be at least 1 and the .*, 3, got 2"),
    ],
)
def test_precision_recall_curve_rejects(change, error, message):
    with pytest.raises(error, match=message):
        precision_recall_curve(**{"scores": SCORES, "correct": CORRECT, "num_truths": 5} | change)


def test_precision_recall_curve_rejects_a_class_without_objects():
    with pytest.raises(ValueError, match=r"num_truths must be at least 1 .* 0, got 0"):
        precision_recall_curve(SCORES, torch.zeros(5, dtype=torch.bool), 0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"precision": SCORES[None]}, ValueError, r"precision must have shape \(N,\)"),
        ({"recall": SCORES[:2]}, ValueError, r"recall must have shape \(5,\), got \(2,\)"),
        ({"recall": SCORES}, ValueError, "recall must not fall"),
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
        ({"rule": "best"}, ValueError, "rule must be one of coco, voc2010, voc2007, got best"),
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
