"""How good detections are: precision and recall, average precision, and its mean over classes.

A detection is right if it has the class of an object and overlaps its box enough; each object can
be found once. *Precision* is the share of detections that are right, *recall* the share of objects
that are found. Average precision sums up both, over all score thresholds, in one number.

There are three rules in use:

- `"coco"`: a detection takes the free object that it overlaps most; precision is averaged at the
  101 recalls 0, 0.01, ..., 1.
- `"voc2010"`: a detection takes the object that it overlaps most; if that has been found already,
  the detection is wrong. The area under the curve is exact.
- `"voc2007"`: as `"voc2010"`, with precision averaged at the 11 recalls 0, 0.1, ..., 1.

Shapes: `B` images, `M` most objects in one image, `N` detections, `K` classes.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from notes.checks import (
    check_boxes,
    check_indices,
    check_label_rows,
    check_probabilities,
    check_probability,
    check_same,
    check_shape,
)
from notes.detection.detections import Detections
from notes.detection.overlap import box_iou

Rule = Literal["coco", "voc2010", "voc2007"]
COCO_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


class MeanAveragePrecision(NamedTuple):
    """Average precision of each class, and their mean.

    Attributes:
        mean: Over the classes that have objects, in [0, 1]; NaN if none has.
        per_class: `(K,)` float64 in [0, 1]; NaN for a class without objects.

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """

    mean: float
    per_class: Tensor


# --8<-- [start:match_detections]
def match_detections(
    boxes: Tensor,
    scores: Tensor,
    true_boxes: Tensor,
    *,
    iou_threshold: float = 0.5,
    rule: Rule = "coco",
) -> Tensor:
    """Which true box each detection finds, in one image and for one class.

    Detections choose in the order of their scores. Each true box is found once; whoever comes
    later is a duplicate.

    Args:
        boxes: `(N, 4)` detected boxes, `xyxy`, any unit.
        scores: `(N,)` in [0, 1], in any order.
        true_boxes: `(M, 4)` boxes of the objects in the same unit.
        iou_threshold: The least overlap with which a box is found, in [0, 1].
        rule: `"coco"` lets a detection choose among the boxes that are still free, the others
            among all.

    Returns:
        `(N,)` int64 indices of true boxes; -1 for a detection that finds none.

    Raises:
        TypeError: If a dtype is not a floating-point one, or those of the boxes differ.
        ValueError: If a shape, a box, a score, the threshold or the rule is wrong, or the devices
            differ.

    Source:
        Lin et al., "Microsoft COCO: Common Objects in Context" (2014),
        https://arxiv.org/abs/1405.0312; Everingham et al., "The PASCAL Visual Object Classes (VOC)
        Challenge" (2010), https://doi.org/10.1007/s11263-009-0275-4

    Examples:
        >>> boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9]])
        >>> match_detections(boxes, torch.tensor([0.8, 0.9]), boxes[:1])
        tensor([-1,  0])

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    check_boxes("boxes", boxes)
    check_shape("true_boxes", true_boxes, "M", 4)
    check_same("boxes", boxes, "true_boxes", true_boxes)
    check_boxes("true_boxes", true_boxes)
    check_shape("scores", scores, len(boxes))
    _check_device("scores", scores, "boxes", boxes)
    check_probabilities("scores", scores)
    check_probability("iou_threshold", iou_threshold)
    _check_rule(rule)
    return _match_all(box_iou(boxes, true_boxes), scores, [iou_threshold], rule)[0]


def _match_all(overlaps: Tensor, scores: Tensor, thresholds: Sequence[float], rule: Rule) -> Tensor:
    """For each threshold and each detection the object that it finds, or -1."""
    order = scores.argsort(descending=True, stable=True)
    rows = overlaps[order].tolist()
    rounded = overlaps.new_tensor(thresholds).tolist()  # 0.7 as the overlaps' dtype has it
    found = torch.empty(len(thresholds), len(scores), dtype=torch.int64, device=scores.device)
    found[:, order] = found.new_tensor([_match(rows, threshold, rule) for threshold in rounded])
    return found


def _match(overlaps: list[list[float]], iou_threshold: float, rule: Rule) -> list[int]:
    """For each row of overlaps, best detection first, the column that it finds, or -1."""
    # --8<-- [start:match]
    found: list[int] = []
    free = set(range(len(overlaps[0]))) if overlaps else set()
    for overlap in overlaps:  # of one detection with each object
        choices = free if rule == "coco" else range(len(overlap))
        # Of equal overlaps the last, as COCO's own program has it.
        best = max(choices, key=lambda column: (overlap[column], column), default=-1)
        hit = best in free and overlap[best] >= iou_threshold
        found.append(best if hit else -1)
        free.discard(found[-1])
    return found
    # --8<-- [end:match]


# --8<-- [end:match_detections]


# --8<-- [start:precision_recall_curve]
def precision_recall_curve(
    scores: Tensor, correct: Tensor, num_truths: int
) -> tuple[Tensor, Tensor]:
    """Precision and recall of the best detection alone, of the best two, and so on.

    Detections of equal score count in the order given.

    Args:
        scores: `(N,)` in [0, 1], in any order, from all images.
        correct: `(N,)` booleans: whether the detection found an object.
        num_truths: How many objects there are; at least 1.

    Returns:
        `(N,)` precision and `(N,)` recall in [0, 1], float64, on the CPU.

    Raises:
        TypeError: If `correct` is not boolean.
        ValueError: If a shape or a score is wrong, the devices differ, `num_truths` is not
            positive, or more detections are correct than there are objects.

    Examples:
        >>> scores, correct = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, False, True])
        >>> precision, recall = precision_recall_curve(scores, correct, num_truths=4)
        >>> [round(value, 2) for value in precision.tolist()], recall.tolist()
        ([1.0, 0.5, 0.67], [0.25, 0.25, 0.5])

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    check_shape("scores", scores, "N")
    check_probabilities("scores", scores)
    check_shape("correct", correct, len(scores))
    if correct.dtype != torch.bool:
        raise TypeError(f"correct must be a tensor of booleans, got {correct.dtype}")
    _check_device("correct", correct, "scores", scores)
    if num_truths < max(1, int(correct.sum())):
        raise ValueError(
            "num_truths must be at least 1 and the number of correct detections, "
            f"{int(correct.sum())}, got {num_truths}"
        )
    # --8<-- [start:curve]
    order = scores.argsort(descending=True, stable=True)
    num_correct = correct[order].cpu().cumsum(dim=0).double()  # among the best 1, 2, ...
    num_detections = torch.arange(1, len(scores) + 1, device="cpu")
    return num_correct / num_detections, num_correct / num_truths
    # --8<-- [end:curve]


# --8<-- [end:precision_recall_curve]


# --8<-- [start:average_precision]
def average_precision(precision: Tensor, recall: Tensor, rule: Rule = "coco") -> float:
    """One number for a precision-recall curve: the mean of precision over recall.

    At each recall counts the best precision at that recall or a higher one, so the curve has no
    teeth. A recall that is never reached counts 0.

    Args:
        precision: `(N,)` in [0, 1], from `precision_recall_curve`.
        recall: `(N,)` in [0, 1], not falling.
        rule: `"coco"` takes the mean at 101 recalls, `"voc2007"` at 11, `"voc2010"` the exact area.

    Returns:
        In [0, 1]; 0 without detections.

    Raises:
        TypeError: If the dtypes differ.
        ValueError: If a shape, a value or the rule is wrong, recall falls, or the devices differ.

    Examples:
        >>> precision, recall = torch.tensor([1.0, 0.5, 0.75]), torch.tensor([0.25, 0.25, 0.75])
        >>> average_precision(precision, recall, rule="voc2010")
        0.625

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    check_shape("precision", precision, "N")
    check_shape("recall", recall, len(precision))
    check_same("precision", precision, "recall", recall)
    check_probabilities("precision", precision)
    check_probabilities("recall", recall)
    if (recall.diff() < 0).any():
        raise ValueError("recall must not fall, got a smaller value after a larger one")
    _check_rule(rule)
    # --8<-- [start:average]
    best_from_here = precision.flip(0).cummax(dim=0).values.flip(0)
    if rule == "voc2010":
        steps = recall.diff(prepend=recall.new_zeros(1))
        return float((steps * best_from_here).sum())
    levels = _recall_levels(rule).to(recall)
    first = torch.searchsorted(recall.contiguous(), levels)  # the first that reaches each level
    reached = torch.cat([best_from_here, precision.new_zeros(1)])  # beyond the last: 0
    return float(reached[first].mean())
    # --8<-- [end:average]


def _recall_levels(rule: Rule) -> Tensor:
    if rule == "voc2007":
        return torch.arange(11, dtype=torch.float64, device="cpu") / 10
    # Not divided by 100: rounded as in COCO's own program.
    return torch.arange(101, dtype=torch.float64, device="cpu") * 0.01


# --8<-- [end:average_precision]


# --8<-- [start:mean_average_precision]
def mean_average_precision(
    detections: Sequence[Detections],
    labels: Tensor,
    *,
    num_classes: int,
    iou_threshold: float | Sequence[float] = 0.5,
    rule: Rule = "coco",
) -> MeanAveragePrecision:
    """Average precision of each class over all images, and the mean over the classes.

    The same number as pycocotools gives for boxes, where no image has more than 100 detections of a
    class and no object is marked as a crowd; there are no difficult objects either.

    Args:
        detections: One entry for each image.
        labels: `(B, M, 5)`: class, x1, y1, x2, y2 of each object; rows with a negative class are
            padding.
        num_classes: Without the background; at least 1.
        iou_threshold: The least overlap with which an object is found, in [0, 1]. With several,
            such as `COCO_THRESHOLDS`, the mean over them.
        rule: How detections are matched and the curve summed up; see above.

    Returns:
        The mean and the value of each class. A class without objects has none, and detections of
        it cost nothing.

    Raises:
        TypeError: If a dtype is wrong.
        ValueError: If a shape, a box, a score, a class, a threshold or the rule is wrong, there
            are not as many detections as images, or the devices differ.

    Examples:
        >>> box = torch.tensor([[0.1, 0.1, 0.5, 0.5]])
        >>> found = Detections(box, torch.tensor([0.9]), torch.tensor([1]))
        >>> labels = torch.tensor([[[1.0, 0.1, 0.1, 0.5, 0.5], [-1.0, -1.0, -1.0, -1.0, -1.0]]])
        >>> mean_average_precision([found], labels, num_classes=3)
        MeanAveragePrecision(mean=1.0, per_class=tensor([nan, 1., nan], dtype=torch.float64))

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    thresholds = [iou_threshold] if isinstance(iou_threshold, int | float) else list(iou_threshold)
    _check_evaluation(detections, labels, num_classes, thresholds, rule)
    truths = [rows[rows[:, 0] >= 0] for rows in labels]  # without the padding
    averages = torch.full(
        (len(thresholds), num_classes), math.nan, dtype=torch.float64, device="cpu"
    )
    if not truths:
        return MeanAveragePrecision(math.nan, averages[0])
    num_truths = torch.cat(truths)[:, 0].long().bincount(minlength=num_classes).tolist()
    scores = torch.cat([image.scores for image in detections])
    classes = torch.cat([image.classes for image in detections])
    correct = torch.cat(
        [_correct(*pair, thresholds, rule) for pair in zip(detections, truths, strict=True)], dim=1
    )  # (thresholds, N)
    for row, hits in zip(averages, correct, strict=True):
        for index, count in enumerate(num_truths):
            if count > 0:
                mine = classes == index
                curve = precision_recall_curve(scores[mine], hits[mine], count)
                row[index] = average_precision(*curve, rule)
    per_class = averages.mean(dim=0)
    return MeanAveragePrecision(per_class.nanmean().item(), per_class)


def _correct(image: Detections, truths: Tensor, thresholds: Sequence[float], rule: Rule) -> Tensor:
    """For each threshold, which detections of one image find an object of their class."""
    same_class = image.classes[:, None] == truths[:, 0].long()
    overlaps = torch.where(same_class, box_iou(image.boxes, truths[:, 1:]), -1.0)
    return _match_all(overlaps, image.scores, thresholds, rule) >= 0


# --8<-- [end:mean_average_precision]


def _check_evaluation(
    detections: Sequence[Detections],
    labels: Tensor,
    num_classes: int,
    thresholds: Sequence[float],
    rule: Rule,
) -> None:
    check_label_rows("labels", labels)
    if len(detections) != len(labels):
        raise ValueError(
            f"detections must be as many as labels, {len(labels)}, got {len(detections)}"
        )
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, got {num_classes}")
    if not thresholds:
        raise ValueError("iou_threshold must hold at least one number, got none")
    for threshold in thresholds:
        check_probability("iou_threshold", threshold)
    _check_rule(rule)
    classes = labels[..., 0]
    check_indices("classes of labels", classes[classes >= 0].long(), num_classes)
    for index, image in enumerate(detections):
        name = f"detections[{index}]"
        check_shape(f"{name}.boxes", image.boxes, "N", 4)
        check_same("labels", labels, f"{name}.boxes", image.boxes)
        check_boxes(f"{name}.boxes", image.boxes)
        check_shape(f"{name}.scores", image.scores, len(image.boxes))
        check_shape(f"{name}.classes", image.classes, len(image.boxes))
        _check_device(f"{name}.scores", image.scores, "labels", labels)
        _check_device(f"{name}.classes", image.classes, "labels", labels)
        check_probabilities(f"{name}.scores", image.scores)
        check_indices(f"{name}.classes", image.classes, num_classes)


def _check_rule(rule: str) -> None:
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}, got {rule}")


def _check_device(name1: str, tensor1: Tensor, name2: str, tensor2: Tensor) -> None:
    if tensor1.device != tensor2.device:
        raise ValueError(
            f"{name1} must be on the device of {name2}, {tensor2.device}, got {tensor1.device}"
        )
