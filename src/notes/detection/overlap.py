"""How much two boxes overlap.

Shapes: `N M` boxes.
"""

import torch
from torch import Tensor

from notes.checks import LONGEST_SIDE, check_boxes, check_same, shown
from notes.detection._unchecked import at_least_float32, pairwise_iou


def _checked_pair(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Both tensors, at least in float32, if they hold boxes."""
    check_boxes("boxes1", boxes1)
    check_boxes("boxes2", boxes2)
    check_same("boxes1", boxes1, "boxes2", boxes2)
    return at_least_float32(boxes1), at_least_float32(boxes2)


# --8<-- [start:inter_and_union]
def _inter_and_union(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[:, :2])  # (N, M, 2)
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[:, 2:])  # (N, M, 2)
    inter = (bottom_right - top_left).clamp(min=0).prod(dim=2)  # (N, M)
    area1 = (boxes1[:, 2:] - boxes1[:, :2]).prod(dim=1)  # (N,)
    area2 = (boxes2[:, 2:] - boxes2[:, :2]).prod(dim=1)  # (M,)
    union = area1[:, None] + area2 - inter  # (N, M)
    return inter, union


# --8<-- [end:inter_and_union]


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Overlap of every box in `boxes1` with every box in `boxes2`.

    Intersection over union: 1 for identical boxes, 0 for boxes that do not touch, and 0 (not NaN)
    when both boxes have no area.

    Without gradients the pairs are computed in blocks. That changes the speed and not one bit of
    the values. In float16 and bfloat16 the result is rounded once, at the end.

    Args:
        boxes1: `(N, 4)` boxes, `xyxy`, any unit.
        boxes2: `(M, 4)` boxes in the same unit.

    Returns:
        `(N, M)` values in [0, 1], in the dtype of the inputs.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If either argument does not hold `xyxy` boxes, a box is so large that areas
            overflow, or the devices differ.

    Source:
        Jaccard (1912); adopted for detection by PASCAL VOC (Everingham et al., 2010).

    Examples:
        >>> unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        >>> box_iou(unit, torch.tensor([[0.5, 0.0, 1.0, 1.0], [2.0, 2.0, 3.0, 3.0]]))
        tensor([[0.5000, 0.0000]])

    Explained in:
        [Overlap][overlap]
    """
    first, second = _checked_pair(boxes1, boxes2)
    if not (torch.is_grad_enabled() and (first.requires_grad or second.requires_grad)):
        return pairwise_iou(first, second).to(boxes1.dtype)
    # --8<-- [start:iou]
    inter, union = _inter_and_union(first, second)
    # Divide by 1 where there is no union: 0 there, and finite gradients.
    iou = inter / torch.where(union > 0, union, 1.0)
    # --8<-- [end:iou]
    return iou.to(boxes1.dtype)


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Overlap that also says how far apart two boxes are.

    The generalized intersection over union is the IoU less the share of the hull (the smallest
    box around both) that belongs to neither: 1 for identical boxes, toward -1 for boxes far apart.
    Boxes without area whose hull has no area either get 0.

    Args:
        boxes1: `(N, 4)` boxes, `xyxy`, any unit.
        boxes2: `(M, 4)` boxes in the same unit.

    Returns:
        `(N, M)` values in [-1, 1], in the dtype of the inputs.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If either argument does not hold `xyxy` boxes, a box is so large or so far
            away that areas overflow, or the devices differ.

    Source:
        Rezatofighi et al., "Generalized Intersection over Union" (2019),
        https://arxiv.org/abs/1902.09630.

    Examples:
        >>> unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        >>> generalized_box_iou(unit, torch.tensor([[0.5, 0.0, 1.0, 1.0], [2.0, 0.0, 3.0, 1.0]]))
        tensor([[ 0.5000, -0.3333]])

    Explained in:
        [Overlap][overlap]
    """
    first, second = _checked_pair(boxes1, boxes2)
    for name, boxes in (("boxes1", first), ("boxes2", second)):
        if boxes.numel() and not boxes.detach().abs().amax() <= LONGEST_SIDE:
            raise ValueError(
                f"{name} must have coordinates of at most {LONGEST_SIDE:.3g}, "
                f"got {shown(boxes.abs().amax()[None])[0]}"
            )
    # --8<-- [start:giou]
    inter, union = _inter_and_union(first, second)
    top_left = torch.minimum(first[:, None, :2], second[:, :2])  # (N, M, 2)
    bottom_right = torch.maximum(first[:, None, 2:], second[:, 2:])  # (N, M, 2)
    hull = (bottom_right - top_left).prod(dim=2)  # (N, M)
    iou = inter / torch.where(union > 0, union, 1.0)
    giou = iou - (hull - union) / torch.where(hull > 0, hull, 1.0)
    # --8<-- [end:giou]
    return giou.to(boxes1.dtype)
