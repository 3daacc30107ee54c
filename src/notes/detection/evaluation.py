"""Precision and recall of a list of detections, average precision, and its mean over classes.

*Precision* is the share of detections that are right, *recall* the share of objects that are found.
Average precision sums up both, over all score thresholds, in one number. There are three rules:

- `"coco"`: precision is averaged at the 101 recalls 0, 0.01, ..., 1.
- `"voc2010"`: the area under the curve, exactly.
- `"voc2007"`: precision is averaged at the 11 recalls 0, 0.1, ..., 1.

They differ too in which object a detection finds: see `notes.detection.hits`.

Shapes: `B` images, `M` most objects in one image, `N` detections, `K` classes, `T` thresholds.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import (
    as_integer,
    check_boolean,
    check_boxes,
    check_device,
    check_finite,
    check_floating,
    check_indices,
    check_label_rows,
    check_positive,
    check_probabilities,
    check_same,
    check_shape,
)
from notes.detection.hits import Rule, as_thresholds, check_rule, match_at_thresholds

Answer = tuple[Tensor, Tensor, Tensor]  # boxes, scores and classes of one image
COCO_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


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
        TypeError: If `correct` is not boolean, or `num_truths` not an integer.
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
    check_boolean("correct", correct)
    check_device("scores", scores, "correct", correct)
    num_truths = as_integer("num_truths", num_truths)
    if num_truths < int(correct.sum()):
        raise ValueError(
            f"num_truths must be at least the number of correct detections, {int(correct.sum())}, "
            f"got {num_truths}"
        )
    # --8<-- [start:curve]
    order = scores.argsort(descending=True, stable=True)
    num_correct = correct[order].cpu().cumsum(dim=0).double()  # among the best 1, 2, ...
    num_detections = torch.arange(1, len(scores) + 1, device="cpu")
    return num_correct / num_detections, num_correct / num_truths
    # --8<-- [end:curve]


def _recall_levels(rule: Rule) -> Tensor:
    if rule == "voc2007":
        return torch.arange(11, dtype=torch.float64, device="cpu") / 10
    # Not divided by 100: rounded as in COCO's own program.
    return torch.arange(101, dtype=torch.float64, device="cpu") * 0.01


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
        TypeError: If the dtypes differ or are no floating-point ones.
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
    check_floating("precision", precision)
    check_same("precision", precision, "recall", recall)
    check_probabilities("precision", precision)
    check_probabilities("recall", recall)
    if (recall.diff() < 0).any():
        raise ValueError("recall must not fall, got a smaller value after a larger one")
    check_rule(rule)
    # --8<-- [start:average]
    best_from_here = precision.double().flip(0).cummax(dim=0).values.flip(0)
    if rule == "voc2010":
        steps = recall.double().diff(prepend=recall.new_zeros(1).double())
        return float((steps * best_from_here).sum())
    levels = _recall_levels(rule).to(recall)
    first = torch.searchsorted(recall.contiguous(), levels)  # the first that reaches each level
    reached = torch.cat([best_from_here, best_from_here.new_zeros(1)])  # beyond the last: 0
    return float(reached[first].mean())
    # --8<-- [end:average]


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


def _check_detections(detections: Sequence[Answer], labels: Tensor, num_classes: int) -> None:
    if len(detections) != len(labels):
        raise ValueError(
            f"detections must be as many as labels, {len(labels)}, got {len(detections)}"
        )
    for index, image in enumerate(detections):
        name = f"detections[{index}]"
        if len(image) != 3:
            raise ValueError(f"{name} must be boxes, scores and classes, got {len(image)} parts")
        boxes, scores, classes = image
        check_shape(f"{name}.boxes", boxes, "N", 4)
        check_same("labels", labels, f"{name}.boxes", boxes)
        check_boxes(f"{name}.boxes", boxes)
        check_shape(f"{name}.scores", scores, len(boxes))
        check_shape(f"{name}.classes", classes, len(boxes))
        check_device("labels", labels, f"{name}.scores", scores)
        check_device("labels", labels, f"{name}.classes", classes)
        check_probabilities(f"{name}.scores", scores)
        check_indices(f"{name}.classes", classes, num_classes)


def _as_pixels(boxes: Tensor, image_size: Tensor) -> Tensor:
    """Shares as pixels; what is off a hundredth of a pixel by rounding only is that hundredth."""
    rounded = torch.float32 if boxes.dtype == torch.float32 else torch.float64  # half: as it is
    pixels = boxes.double() * image_size.double().flip(0).repeat(2)
    hundredths = (pixels * 100).round() / 100
    is_rounded = (pixels - hundredths).abs() <= torch.finfo(rounded).eps * pixels.abs()
    return torch.where(is_rounded, hundredths, pixels)


def _judge(
    answer: Answer,
    truths: Tensor,
    ignored: Tensor,
    image_size: Tensor | None,
    thresholds: Sequence[float],
    rule: Rule,
) -> tuple[Tensor, Tensor]:
    """Which detections of one image are right and which count at all, `(T, N)` booleans each."""
    boxes, scores, classes = answer
    true_boxes = truths[:, 1:]
    if image_size is not None:
        boxes, true_boxes = (_as_pixels(x, image_size) for x in (boxes, true_boxes))
    same_class = classes.long()[:, None] == truths[:, 0].long()
    found = match_at_thresholds(boxes, scores, true_boxes, same_class, ignored, thresholds, rule)
    passes = torch.cat([ignored, ignored.new_zeros(1)])[found]  # -1 is the last: it finds nothing
    return (found >= 0) & ~passes, ~passes


def mean_average_precision(
    detections: Sequence[Answer],
    labels: Tensor,
    *,
    num_classes: int,
    iou_threshold: float | Sequence[float] = 0.5,
    rule: Rule = "coco",
    ignored: Tensor | None = None,
    image_sizes: Tensor | None = None,
) -> MeanAveragePrecision:
    """Average precision of each class over all images, and the mean over the classes.

    By the rule of COCO the same number as pycocotools gives for the same boxes, as long as no image
    has more than 100 detections of a class. pycocotools is given pixels. Shares of the image are
    rounded pixels: half of a box may overlap it by 0.49999999 and be wrong. With `image_sizes` they
    are turned back into the pixels they were made of, and the number is that of the pixels, for
    shares in float32 or float64. In half precision too much is lost for that: a share of bfloat16
    is off by up to a 512th of the image.

    Args:
        detections: One entry for each image, such as
            [`Detections`][notes.detection.detections.Detections]: `(N, 4)` boxes, `(N,)` scores and
            `(N,)` class indices.
        labels: `(B, M, 5)`: class, x1, y1, x2, y2 of each object; rows with a negative class are
            padding.
        num_classes: Without the background; at least 1.
        iou_threshold: The least overlap with which an object is found, in [0, 1]. With several,
            such as `COCO_THRESHOLDS`, the mean over them.
        rule: How detections are matched and the curve summed up; see above.
        ignored: `(B, M)` booleans: objects that nobody has to find, such as `FileLabels.ignored`;
            none if not given. A detection that finds one does not count.
        image_sizes: `(B, 2)` heights and widths in pixels, such as `FileLabels.image_sizes`, if the
            boxes are shares and shall be judged as pixels.

    Returns:
        The mean and the value of each class. A class without objects has none, and detections of
        it cost nothing.

    Raises:
        TypeError: If a dtype is wrong.
        ValueError: If a shape, a box, a score, a class, a threshold, a size or the rule is wrong,
            there are not as many detections as images, or the devices differ.

    Examples:
        >>> box = torch.tensor([[0.1, 0.1, 0.5, 0.5]])
        >>> found = box, torch.tensor([0.9]), torch.tensor([1])  # or Detections
        >>> labels = torch.tensor([[[1.0, 0.1, 0.1, 0.5, 0.5], [-1.0, -1.0, -1.0, -1.0, -1.0]]])
        >>> mean_average_precision([found], labels, num_classes=3)
        MeanAveragePrecision(mean=1.0, per_class=tensor([nan, 1., nan], dtype=torch.float64))

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    num_classes = as_integer("num_classes", num_classes)
    check_label_rows("labels", labels, num_classes)
    thresholds = as_thresholds(iou_threshold)
    check_rule(rule)
    real = labels[..., 0] >= 0
    if ignored is None:
        ignored = torch.zeros_like(real)
    check_shape("ignored", ignored, *labels.shape[:2])
    check_boolean("ignored", ignored)
    check_device("labels", labels, "ignored", ignored)
    if image_sizes is not None:
        check_shape("image_sizes", image_sizes, len(labels), 2)
        check_device("labels", labels, "image_sizes", image_sizes)
        check_finite("image_sizes", image_sizes)
        check_positive("image_sizes", min(image_sizes.flatten().tolist(), default=1))
    _check_detections(detections, labels, num_classes)
    averages = torch.full(
        (len(thresholds), num_classes), math.nan, dtype=torch.float64, device="cpu"
    )
    if not len(labels):
        return MeanAveragePrecision(math.nan, averages[0])
    sizes = [None] * len(labels) if image_sizes is None else image_sizes
    judged = [
        _judge(image, rows[kept], passed[kept], size, thresholds, rule)
        for image, rows, kept, passed, size in zip(
            detections, labels, real, ignored, sizes, strict=True
        )
    ]
    correct, counted = (torch.cat(parts, dim=1) for parts in zip(*judged, strict=True))  # (T, N)
    scores, classes = (torch.cat([image[part] for image in detections]) for part in (1, 2))
    wanted = labels[..., 0][real & ~ignored].long()
    for index, num_truths in enumerate(wanted.bincount(minlength=num_classes).tolist()):
        if num_truths > 0:
            for row, hits, counts in zip(averages, correct, counted, strict=True):
                mine = counts & (classes == index)
                curve = precision_recall_curve(scores[mine], hits[mine], num_truths)
                row[index] = average_precision(*curve, rule)
    per_class = averages.mean(dim=0)
    return MeanAveragePrecision(per_class.nanmean().item(), per_class)
