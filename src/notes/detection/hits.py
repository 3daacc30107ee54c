"""Which detections hit an object, by the rules of COCO and of Pascal VOC.

A detection hits an object if it has the object's class and overlaps its box enough; each object can
be found once. There are two ways to say which object a detection finds:

- `"coco"`: the free object that it overlaps most, of equals the last.
- `"voc2010"` and `"voc2007"`: the object that it overlaps most, of equals the first; if that has
  been found already, the detection is wrong.

An object may be *ignored*: nobody has to find it, because it is difficult (VOC) or a crowd (COCO),
and a detection that finds it is neither right nor wrong. A detection covers only a part of a crowd,
so for COCO its overlap is the share of the detection that lies inside.

Shapes: `N` detections, `M` objects, `T` thresholds.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from notes.checks import (
    check_boolean,
    check_boxes,
    check_device,
    check_probabilities,
    check_probability,
    check_same,
    check_shape,
)

Rule = Literal["coco", "voc2010", "voc2007"]


def _overlaps(boxes: Tensor, true_boxes: Tensor, crowds: Tensor) -> Tensor:
    """Intersection over union, `(N, M)` float64; with a crowd, over the area of the detection."""
    start1, start2 = boxes.double()[:, None, :2], true_boxes.double()[:, :2]
    sides1, sides2 = boxes.double()[:, None, 2:] - start1, true_boxes.double()[:, 2:] - start2
    # Starts plus sides are not always the ends that were given; pycocotools knows no others.
    ends = torch.minimum(start1 + sides1, start2 + sides2)  # (N, M, 2)
    inter = (ends - torch.maximum(start1, start2)).clamp(min=0).prod(dim=2)  # (N, M)
    area1, area2 = sides1.prod(dim=2), sides2.prod(dim=1)  # (N, 1) and (M,)
    union = torch.where(crowds, area1, area1 + area2 - inter)
    return inter / torch.where(union > 0, union, 1.0)


def _match(
    overlaps: list[dict[int, float]], ignored: list[bool], iou_threshold: float, rule: Rule
) -> list[int]:
    """For each detection, best first, and its overlaps with objects: what it finds, or -1."""
    # --8<-- [start:match]
    found: list[int] = []
    taken: set[int] = set()
    for overlap in overlaps:  # of one detection with each object
        choices = [x for x in overlap if overlap[x] >= iou_threshold]
        if rule == "coco":  # what is free; rather an object than something to ignore
            choices = [x for x in choices if x not in taken]
            choices = [x for x in choices if not ignored[x]] or choices
            choices.reverse()  # of equal overlaps the last
        choice = max(choices, key=lambda x: overlap[x], default=-1)
        found.append(-1 if choice in taken else choice)
        if choice >= 0 and not ignored[choice]:
            taken.add(choice)
    return found
    # --8<-- [end:match]


def match_at_thresholds(
    boxes: Tensor,
    scores: Tensor,
    true_boxes: Tensor,
    same_class: Tensor,
    ignored: Tensor,
    thresholds: Sequence[float],
    rule: Rule,
) -> Tensor:
    """Which object each detection finds at each of several thresholds, without any check.

    Args:
        boxes: `(N, 4)` as for `match_detections`.
        scores: `(N,)` as for `match_detections`.
        true_boxes: `(M, 4)` as for `match_detections`.
        same_class: `(N, M)` booleans: which objects a detection may find.
        ignored: `(M,)` as for `match_detections`.
        thresholds: `T` overlaps.
        rule: As for `match_detections`.

    Returns:
        `(T, N)` int64 indices of objects; -1 for a detection that finds none.

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    crowds = ignored if rule == "coco" else torch.zeros_like(ignored)
    order = scores.argsort(descending=True, stable=True)
    overlaps = _overlaps(boxes[order], true_boxes, crowds)
    near = same_class[order] & (overlaps >= min(thresholds))
    rows: list[dict[int, float]] = [{} for _ in scores]
    for (row, column), overlap in zip(
        near.nonzero().tolist(), overlaps[near].tolist(), strict=True
    ):
        rows[row][column] = overlap
    found = torch.empty(len(thresholds), len(scores), dtype=torch.int64, device=scores.device)
    matches = [_match(rows, ignored.tolist(), threshold, rule) for threshold in thresholds]
    found[:, order] = found.new_tensor(matches)
    return found


def check_rule(rule: str) -> None:
    """Refuse what is not the name of a rule.

    Raises:
        ValueError: If it is another text.

    Examples:
        >>> check_rule("voc")
        Traceback (most recent call last):
        ...
        ValueError: rule must be one of coco, voc2010, voc2007, got voc

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}, got {rule}")


def _plain_number(value: Any) -> float:
    """Of Python, from a number of Python, NumPy or a tensor; 0.6 in float32 is read as 0.6."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.itemsize < 4 else value).numpy()
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "iuf":
        raise TypeError(f"iou_threshold must be a number, got {value!r}")
    return float(str(number))


def as_thresholds(iou_threshold: Any) -> list[float]:
    """One number or several, of Python, of NumPy or of tensors, as a list of plain numbers.

    Raises:
        TypeError: If one is no number.
        ValueError: If there is none, or one outside [0, 1].

    Examples:
        >>> as_thresholds(torch.tensor(0.6)), as_thresholds([0.5, np.float32(0.6)])
        ([0.6], [0.5, 0.6])

    Explained in:
        [How good is a detector][how-good-is-a-detector]
    """
    is_one = isinstance(iou_threshold, int | float) or getattr(iou_threshold, "ndim", 1) == 0
    thresholds = [_plain_number(x) for x in ([iou_threshold] if is_one else iou_threshold)]
    if not thresholds:
        raise ValueError("iou_threshold must hold at least one number, got none")
    for threshold in thresholds:
        check_probability("iou_threshold", threshold)
    return thresholds


def match_detections(
    boxes: Tensor,
    scores: Tensor,
    true_boxes: Tensor,
    *,
    iou_threshold: float = 0.5,
    rule: Rule = "coco",
    ignored: Tensor | None = None,
) -> Tensor:
    """Which true box each detection finds, in one image and for one class.

    Detections choose in the order of their scores. Each true box is found once, except ignored
    ones; whoever comes later is a duplicate.

    Overlaps are computed in float64, whatever the dtype of the boxes. But shares of an image are
    rounded pixels: half of a box may overlap it by 0.49999999 only. Pixels are exact.

    Args:
        boxes: `(N, 4)` detected boxes, `xyxy`, any unit.
        scores: `(N,)` in [0, 1], in any order.
        true_boxes: `(M, 4)` boxes of the objects in the same unit.
        iou_threshold: The least overlap with which a box is found, in [0, 1].
        rule: `"coco"` lets a detection choose among the boxes that are still free, the others
            among all.
        ignored: `(M,)` booleans: true boxes that nobody has to find; none if not given.

    Returns:
        `(N,)` int64 indices of true boxes; -1 for a detection that finds none.

    Raises:
        TypeError: If a dtype is not a floating-point one, those of the boxes differ, or `ignored`
            does not hold booleans.
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
    check_device("boxes", boxes, "scores", scores)
    check_probabilities("scores", scores)
    (threshold,) = as_thresholds(iou_threshold)
    check_rule(rule)
    if ignored is None:
        ignored = torch.zeros(len(true_boxes), dtype=torch.bool, device=boxes.device)
    check_shape("ignored", ignored, len(true_boxes))
    check_boolean("ignored", ignored)
    check_device("true_boxes", true_boxes, "ignored", ignored)
    every = torch.ones(len(boxes), len(true_boxes), dtype=torch.bool, device=boxes.device)
    return match_at_thresholds(boxes, scores, true_boxes, every, ignored, [threshold], rule)[0]
