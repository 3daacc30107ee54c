"""Non-maximum suppression: of boxes that mean the same object, keep the best.

Overlap is intersection over union. A box goes if its overlap with a better one is *above* the
threshold; exactly at the threshold it stays. Boxes of equal score count in the order given.

Shapes: `N` boxes, `K` boxes kept.
"""

from typing import Literal

import torch
from torch import Tensor

from notes.checks import (
    check_boxes,
    check_device,
    check_finite,
    check_floating,
    check_positive,
    check_probabilities,
    check_probability,
    check_shape,
)
from notes.detection._unchecked import best_first, keep_best, pairwise_iou, suppress


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
    # --8<-- [start:greedy]
    order = scores.argsort(descending=True, stable=True)  # best first
    keep = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        keep.append(best)
        overlap = pairwise_iou(boxes[best][None], boxes[rest])[0]  # with each of the rest
        order = rest[overlap <= iou_threshold]
    return torch.stack(keep) if keep else order
    # --8<-- [end:greedy]


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Indices of the boxes that no better box overlaps by more than the threshold, best first.

    The same as `nms_by_hand`. torchvision's kernel does the work, a few boxes at a time where there
    are many.

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
    return keep_best(boxes, scores, iou_threshold)


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
    check_device("boxes", boxes, "classes", classes)
    if classes.is_floating_point() or classes.is_complex() or classes.dtype == torch.bool:
        raise TypeError(f"classes must be a tensor of integers, got {classes.dtype}")
    names, groups = classes.long().unique(return_inverse=True)  # numbered from 0
    return best_first(suppress(boxes, scores, groups, len(names), iou_threshold), scores)


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
    # --8<-- [start:decay]
    left = (scores >= score_threshold).nonzero()[:, 0]
    scores = scores.clone()
    keep = []
    while len(left) > 0:
        best = scores[left].argmax()
        keep.append(left[best])
        rest = torch.cat([left[:best], left[best + 1 :]])
        overlap = pairwise_iou(boxes[keep[-1]][None], boxes[rest])[0]
        if decay == "gaussian":
            share = torch.exp(-overlap.square() / sigma)
        else:
            share = torch.where(overlap > iou_threshold, 1 - overlap, 1.0)
        scores[rest] *= share
        left = rest[scores[rest] >= score_threshold]
    chosen = torch.stack(keep) if keep else left
    return chosen, scores[chosen]
    # --8<-- [end:decay]


def _check_scored_boxes(boxes: Tensor, scores: Tensor, iou_threshold: float) -> None:
    check_boxes("boxes", boxes)
    check_shape("scores", scores, len(boxes))
    check_floating("scores", scores)
    check_device("boxes", boxes, "scores", scores)
    check_finite("scores", scores)
    check_probability("iou_threshold", iou_threshold)
