import math

import numpy as np
import pytest
import torch

from notes.detection.hits import as_thresholds, check_rule, match_at_thresholds, match_detections

UNIT = torch.tensor([[0.0, 0.0, 1.0, 1.0]])


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


@pytest.mark.parametrize(("rule", "expected"), [("coco", 1), ("voc2010", 0), ("voc2007", 0)])
def test_of_equal_overlaps_coco_takes_the_last_and_voc_the_first(rule, expected):
    truths = torch.tensor([[0.0, 0.0, 10.0, 1.0], [4.0, 0.0, 14.0, 1.0]])
    between = torch.tensor([[2.0, 0.0, 12.0, 1.0]])
    scores = torch.ones(1)
    assert match_detections(between, scores, truths, rule=rule).tolist() == [expected]


def test_an_ignored_box_is_found_by_many_and_never_in_place_of_another():
    truths = UNIT.repeat(2, 1)
    ignored = torch.tensor([False, True])
    scores = torch.tensor([0.9, 0.8, 0.7])
    for rule, expected in [("coco", [0, 1, 1]), ("voc2010", [0, -1, -1])]:
        found = match_detections(UNIT.repeat(3, 1), scores, truths, rule=rule, ignored=ignored)
        assert found.tolist() == expected
    found = match_detections(
        UNIT.repeat(3, 1), scores, truths, rule="voc2010", ignored=ignored.flip(0)
    )
    assert found.tolist() == [0, 0, 0]


def test_a_detection_inside_of_a_crowd_finds_it():
    inside = torch.tensor([[0.4, 0.4, 0.5, 0.5]])
    options = {"scores": torch.ones(1), "true_boxes": UNIT}
    crowd = torch.tensor([True])
    assert match_detections(inside, **options, ignored=crowd).tolist() == [0]
    assert match_detections(inside, **options, ignored=crowd, rule="voc2010").tolist() == [-1]
    assert match_detections(inside, **options).tolist() == [-1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_overlaps_of_half_precision_are_not_rounded(dtype):
    truth = torch.tensor([[0, 0, 128, 128]], dtype=dtype)
    box = torch.tensor([[0, 0, 127, 64.5]], dtype=dtype)  # 0.49997 of it, in half precision 0.5
    assert match_detections(box, torch.ones(1), truth).tolist() == [-1]
    assert match_detections(box, torch.ones(1), truth, iou_threshold=0.4999).tolist() == [0]


def test_boxes_without_area_find_nothing():
    flat = torch.tensor([[0.5, 0.0, 0.5, 1.0], [0.3, 0.3, 0.3, 0.3]])
    assert match_detections(flat, torch.ones(2), UNIT, iou_threshold=0.01).tolist() == [-1, -1]
    assert match_detections(flat, torch.ones(2), flat, iou_threshold=0.01).tolist() == [-1, -1]


def test_overlaps_of_single_precision_are_not_rounded_either():
    truth = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    box = torch.tensor([[0.0, 0.0, 1.0, math.nextafter(0.5, 0) - 3e-8]])  # a bit of float32 less
    assert match_detections(box, torch.ones(1), truth).tolist() == [-1]
    assert match_detections(box, torch.ones(1), truth, iou_threshold=0.49999996).tolist() == [0]


@pytest.mark.parametrize(
    "number",
    [0.6, np.float32(0.6), np.float16(0.6), np.float64(0.6), torch.tensor(0.6), np.array(0.6)],
)
def test_a_threshold_may_be_any_kind_of_number(number):
    truth = torch.tensor([[0.0, 0.0, 10.0, 1.0]], dtype=torch.float64)
    box, missed = truth * torch.tensor([1, 1, 0.6, 1]), truth * torch.tensor([1, 1, 0.59, 1])
    boxes, scores = torch.cat([missed, box]), torch.tensor([0.9, 0.8])
    assert match_detections(boxes, scores, truth, iou_threshold=number).tolist() == [-1, 0]
    assert as_thresholds(number) == as_thresholds([number]) == [0.6]


@pytest.mark.parametrize(
    "numbers",
    [
        np.array([0.5, 1], np.float32),
        torch.tensor([0.5, 1.0]),
        (0.5, 1),
        [torch.tensor(0.5), np.int64(1)],
    ],
)
def test_several_thresholds_may_be_any_kind_of_numbers(numbers):
    assert as_thresholds(numbers) == [0.5, 1]


def test_a_threshold_just_beyond_its_range_is_shown_with_all_digits():
    with pytest.raises(ValueError, match=r"iou_threshold must lie in \[0, 1\], got 1\.0000001"):
        match_detections(UNIT, torch.ones(1), UNIT, iou_threshold=np.float32(1.0000001))
    with pytest.raises(ValueError, match=r"scores must lie in \[0, 1\], got 1\.0000001"):
        match_detections(UNIT, torch.tensor([1.0000001]), UNIT)


def test_the_thresholds_are_answered_one_by_one():
    boxes = torch.tensor([[0.0, 0.0, 1.0, 0.7], [0.0, 0.0, 1.0, 0.9]])
    scores, every = torch.tensor([0.9, 0.8]), torch.ones(2, 1, dtype=torch.bool)
    passed = torch.tensor([False])
    found = match_at_thresholds(boxes, scores, UNIT, every, passed, [0.5, 0.8, 0.95], "coco")
    assert found.tolist() == [[0, -1], [-1, 0], [-1, -1]]


@pytest.mark.parametrize("rule", ["coco", "voc2010", "voc2007"])
def test_a_rule_has_a_name(rule):
    check_rule(rule)
    with pytest.raises(ValueError, match="rule must be one of coco, voc2010, voc2007, got VOC"):
        check_rule("VOC")


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
        ({"iou_threshold": "0.5"}, TypeError, "iou_threshold must be a number, got '0'"),
        ({"iou_threshold": [[0.5]]}, TypeError, r"iou_threshold must be a number, got \[0\.5\]"),
        ({"iou_threshold": True}, TypeError, "iou_threshold must be a number, got True"),
        ({"iou_threshold": []}, ValueError, "iou_threshold must hold at least one number"),
        ({"ignored": torch.ones(1)}, TypeError, "ignored must be a tensor of booleans, got"),
        ({"ignored": torch.ones(2).bool()}, ValueError, r"ignored must have shape \(1,\), got"),
        (
            {"ignored": torch.ones(1, device="meta").bool()},
            ValueError,
            "ignored must be on the device of true_boxes",
        ),
        ({"rule": "voc"}, ValueError, "rule must be one of coco, voc2010, voc2007, got voc"),
    ],
)
def test_match_detections_rejects(change, error, message):
    with pytest.raises(error, match=message):
        match_detections(**{"boxes": UNIT, "scores": torch.ones(1), "true_boxes": UNIT} | change)
