"""Non-maximum suppression: of boxes that mean the same object, keep the best.

Overlap is intersection over union. A box goes if its overlap with a better one is *above* the
threshold; exactly at the threshold it stays. Boxes of equal score count in the order given.

Shapes: `N` boxes, `K` boxes kept.
"""

from typing import Literal

import torch
import torchvision
from torch import Tensor

from notes.checks import (
    check_finite,
    check_floating,
    check_positive,
    check_probabilities,
    check_probability,
    check_shape,
)
from notes.detection.boxes import check_boxes
from notes.detection.overlap import box_iou, check_areas

_BLOCK = 256  # boxes settled at a time
_FEW = 1000  # boxes up to which one block is quicker than several


# --8<-- [start:nms_by_hand]
def nms_by_hand(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the best box, drop what overlaps it too much, and go on with the rest.

    It is here to be read; `nms` gives the same and is faster.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`, any unit.
        scores: `(N,)` finite numbers; only their order counts.
        iou_threshold: The largest overlap that two kept boxes may have, in [0, 1].

    Returns:
        `(K,)` int64 indices of the boxes kept, best first; none for no boxes.

    Raises:
        TypeError: If boxes or scores are not floating-point numbers.
        ValueError: If a shape, a box, a score or the threshold is wrong, or the devices differ.

    Explained in:
        [Non-maximum suppression][non-maximum-suppression]
    """
    _check_scored_boxes(boxes, scores, iou_threshold)
    boxes = _at_least_float32(boxes)
    # --8<-- [start:greedy]
    order = scores.argsort(descending=True, stable=True)  # best first
    keep = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        keep.append(best)
        overlap = box_iou(boxes[best][None], boxes[rest])[0]  # with each of the rest
        order = rest[overlap <= iou_threshold]
    return torch.stack(keep) if keep else order
    # --8<-- [end:greedy]


# --8<-- [end:nms_by_hand]


@torch.no_grad()
def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Indices of the boxes that no better box overlaps by more than the threshold, best first.

    The same as `nms_by_hand`. torchvision's kernel does the work, in blocks where there are many
    boxes.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`, any unit.
        scores: `(N,)` finite numbers; only their order counts.
        iou_threshold: The largest overlap that two kept boxes may have, in [0, 1].

    Returns:
        `(K,)` int64 indices of the boxes kept, best first; none for no boxes.

    Raises:
        TypeError: If boxes or scores are not floating-point numbers.
        ValueError: If a shape, a box, a score or the threshold is wrong, or the devices differ.

    Source:
        Felzenszwalb et al., "Object Detection with Discriminatively Trained Part Based Models"
        (2010), https://doi.org/10.1109/TPAMI.2009.167

    Examples:
        >>> boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.9, 1.0], [2.0, 2.0, 3.0, 3.0]])
        >>> nms(boxes, torch.tensor([0.6, 0.9, 0.8]), iou_threshold=0.5)
        tensor([1, 2])

    Explained in:
        [Non-maximum suppression][non-maximum-suppression]
    """
    _check_scored_boxes(boxes, scores, iou_threshold)
    order = scores.argsort(descending=True, stable=True)
    return order[_settle(_at_least_float32(boxes)[order], iou_threshold)]


@torch.no_grad()
def class_wise_nms(boxes: Tensor, scores: Tensor, classes: Tensor, iou_threshold: float) -> Tensor:
    """`nms` within each class: a dog never removes a cat.

    Any integers may stand for classes. With one for each pair of image and class it works on a
    whole batch at once.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`, any unit.
        scores: `(N,)` finite numbers; only their order counts.
        classes: `(N,)` integers.
        iou_threshold: The largest overlap that two kept boxes of one class may have, in [0, 1].

    Returns:
        `(K,)` int64 indices of the boxes kept, best first, all classes together.

    Raises:
        TypeError: If a dtype is wrong.
        ValueError: If a shape, a box, a score or the threshold is wrong, or the devices differ.

    Examples:
        >>> boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(3, 1)
        >>> scores, classes = torch.tensor([0.7, 0.9, 0.8]), torch.tensor([0, 0, 1])
        >>> class_wise_nms(boxes, scores, classes, iou_threshold=0.5)
        tensor([1, 2])

    Explained in:
        [Non-maximum suppression][non-maximum-suppression]
    """
    _check_scored_boxes(boxes, scores, iou_threshold)
    check_shape("classes", classes, len(boxes))
    _check_device("classes", classes, boxes)
    if classes.is_floating_point() or classes.is_complex() or classes.dtype == torch.bool:
        raise TypeError(f"classes must be a tensor of integers, got {classes.dtype}")
    boxes = _at_least_float32(boxes)
    # --8<-- [start:class_wise]
    order = scores.argsort(descending=True, stable=True)
    order = order[classes[order].argsort(stable=True)]  # class by class, best first in each
    sizes = classes[order].unique_consecutive(return_counts=True)[1].tolist()
    kept = [one_class[_settle(boxes[one_class], iou_threshold)] for one_class in order.split(sizes)]
    # In the order given, so that boxes of equal score stay in it.
    keep = torch.cat([order[:0], *kept]).sort().values
    return keep[scores[keep].argsort(descending=True, stable=True)]
    # --8<-- [end:class_wise]


# --8<-- [start:soft_nms]
@torch.no_grad()
def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    *,
    decay: Literal["linear", "gaussian"] = "gaussian",
    iou_threshold: float = 0.5,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
) -> tuple[Tensor, Tensor]:
    r"""Lower the scores of boxes that overlap a better one, instead of dropping them.

    A box with overlap $u$ to a better one keeps a share of its score: $e^{-u^2/\sigma}$, or with
    linear decay $1 - u$ where $u$ is above the threshold and everything elsewhere.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`, any unit.
        scores: `(N,)` in [0, 1].
        decay: `"gaussian"` or `"linear"`.
        iou_threshold: For linear decay, the overlap above which scores are lowered, in [0, 1].
        sigma: For Gaussian decay, how far it reaches; greater than 0.
        score_threshold: Boxes whose score falls below it are dropped, in [0, 1].

    Returns:
        `(K,)` int64 indices in the order in which they were picked, and their `(K,)` new scores,
        which never rise.

    Raises:
        TypeError: If boxes or scores are not floating-point numbers.
        ValueError: If an argument is out of its range, or the devices differ.

    Source:
        Bodla et al., "Soft-NMS: Improving Object Detection With One Line of Code" (2017),
        https://arxiv.org/abs/1704.04503

    Examples:
        >>> boxes = torch.tensor([[0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 2.0, 1.0], [1.0, 0.0, 3.0, 1.0]])
        >>> scores = torch.tensor([0.9, 0.8, 0.6])
        >>> soft_nms(boxes, scores, decay="linear", iou_threshold=0.3)
        (tensor([0, 2]), tensor([0.9000, 0.4000]))

    Explained in:
        [Non-maximum suppression][non-maximum-suppression]
    """
    _check_scored_boxes(boxes, scores, iou_threshold)
    check_probabilities("scores", scores)
    check_positive("sigma", sigma)
    check_probability("score_threshold", score_threshold)
    if decay not in ("linear", "gaussian"):
        raise ValueError(f'decay must be "linear" or "gaussian", got {decay!r}')
    boxes = _at_least_float32(boxes)
    # --8<-- [start:decay]
    left = (scores >= score_threshold).nonzero()[:, 0]
    scores = scores.clone()
    keep = []
    while len(left) > 0:
        best = scores[left].argmax()
        keep.append(left[best])
        rest = torch.cat([left[:best], left[best + 1 :]])
        overlap = box_iou(boxes[keep[-1]][None], boxes[rest])[0]
        if decay == "gaussian":
            share = torch.exp(-overlap.square() / sigma)
        else:
            share = torch.where(overlap > iou_threshold, 1 - overlap, 1.0)
        scores[rest] *= share
        left = rest[scores[rest] >= score_threshold]
    chosen = torch.stack(keep) if keep else left
    return chosen, scores[chosen]
    # --8<-- [end:decay]


# --8<-- [end:soft_nms]


# --8<-- [start:settle]
def _settle(boxes: Tensor, iou_threshold: float) -> Tensor:
    """Which boxes stay, given them best first: their positions, ascending.

    One thread of the kernel compares box by box. So with many boxes it settles only a block of the
    best; what these remove is found for all others at once, and the next block is free of it.
    """
    size = len(boxes) if boxes.device.type != "cpu" or len(boxes) <= _FEW else _BLOCK
    left, kept = torch.arange(len(boxes), device=boxes.device), []
    while True:
        block, left = left[:size], left[size:]
        winners = block[_kernel(boxes[block], iou_threshold)]
        kept.append(winners)
        if len(left) == 0:
            return torch.cat(kept)
        largest = box_iou(boxes[winners], boxes[left]).amax(dim=0)  # (left,)
        left = left[largest <= iou_threshold]


# --8<-- [end:settle]


def _kernel(boxes: Tensor, iou_threshold: float) -> Tensor:
    """torchvision's, told that the boxes come best first."""
    falling = torch.arange(len(boxes), 0, -1, dtype=boxes.dtype, device=boxes.device)
    # Its threshold is a float64: 0.6 would be below the 0.6 that an overlap has in float32.
    threshold = torch.tensor(iou_threshold, dtype=boxes.dtype, device="cpu").item()
    keep: Tensor = torchvision.ops.nms(boxes, falling, threshold)
    return keep


def _at_least_float32(boxes: Tensor) -> Tensor:
    """The kernel knows no half precision, and areas need more digits than it has."""
    return boxes.float() if boxes.dtype in (torch.float16, torch.bfloat16) else boxes


def _check_scored_boxes(boxes: Tensor, scores: Tensor, iou_threshold: float) -> None:
    check_boxes("boxes", boxes)
    check_areas("boxes", boxes)
    check_shape("scores", scores, len(boxes))
    check_floating("scores", scores)
    _check_device("scores", scores, boxes)
    check_finite("scores", scores)
    check_probability("iou_threshold", iou_threshold)


def _check_device(name: str, tensor: Tensor, boxes: Tensor) -> None:
    if tensor.device != boxes.device:
        raise ValueError(
            f"{name} must be on the device of boxes, {boxes.device}, got {tensor.device}"
        )
