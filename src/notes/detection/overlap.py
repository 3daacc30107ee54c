"""How much two boxes overlap.

Shapes: `N M` boxes.
"""

import math

import torch
from torch import Tensor

from notes.checks import check_same
from notes.detection.boxes import check_boxes

BLOCK = 2**17  # pairs at a time for each thread: what lies in between stays in its cache


def check_areas(name: str, boxes: Tensor) -> None:
    """Refuse boxes so large that the areas of pairs of them overflow.

    Areas are computed in float32 or float64; so in float16 any size is fine.

    Raises:
        ValueError: If a coordinate is too large, or too far below 0.

    Examples:
        >>> check_areas("boxes", torch.tensor([[0.0, 0.0, 1e20, 1e20]]))
        Traceback (most recent call last):
        ...
        ValueError: boxes must have coordinates of at most 4.61e+18, got 1e+20

    Explained in:
        [Overlap][overlap]
    """
    dtype = torch.promote_types(boxes.dtype, torch.float32)
    limit = math.sqrt(torch.finfo(dtype).max) / 4
    if (boxes.abs() > limit).any():
        largest = boxes.abs().max().item()
        raise ValueError(f"{name} must have coordinates of at most {limit:.3g}, got {largest:.3g}")


def _checked_pair(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Both tensors, at least in float32, if they hold boxes whose areas can be computed."""
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        check_boxes(name, boxes)
        check_areas(name, boxes)
    check_same("boxes1", boxes1, "boxes2", boxes2)
    if boxes1.itemsize == 2:
        return boxes1.float(), boxes2.float()
    return boxes1, boxes2


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


def _in_blocks(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """The overlaps of all pairs: the same operations on the same numbers, block by block."""
    if len(boxes2) < len(boxes1):  # long rows are faster than many rows
        return _in_blocks(boxes2, boxes1).T.contiguous()
    iou = boxes1.new_empty(len(boxes1), len(boxes2))
    if iou.numel() == 0:
        return iou
    # --8<-- [start:blocks]
    left1, top1, right1, bottom1 = boxes1.T.contiguous()[:, :, None]  # (N, 1) each
    left2, top2, right2, bottom2 = boxes2.T.contiguous()  # (M,) each
    area1 = (right1 - left1) * (bottom1 - top1)  # (N, 1)
    area2 = (right2 - left2) * (bottom2 - top2)  # (M,)
    no_union = not (area1.all() or area2.all())  # possible only with a zero on both sides
    block = BLOCK * torch.get_num_threads()
    num_columns = min(block, len(boxes2))
    num_rows = block // num_columns
    spaces = iou.new_empty(2, min(num_rows, len(boxes1)), num_columns)
    for first_row in range(0, len(boxes1), num_rows):
        for first_column in range(0, len(boxes2), num_columns):
            rows = slice(first_row, first_row + num_rows)
            columns = slice(first_column, first_column + num_columns)
            height = iou[rows, columns]  # until the result takes its place
            width, other = spaces[:, : len(height), : height.shape[1]]
            torch.minimum(right1[rows], right2[columns], out=width)
            torch.maximum(left1[rows], left2[columns], out=other)
            width.sub_(other).clamp_(min=0)
            torch.minimum(bottom1[rows], bottom2[columns], out=height)
            torch.maximum(top1[rows], top2[columns], out=other)
            height.sub_(other).clamp_(min=0)
            inter = width.mul_(height)
            union = torch.add(area1[rows], area2[columns], out=other).sub_(inter)
            torch.div(inter, union, out=iou[rows, columns])
            if no_union:
                iou[rows, columns].masked_fill_(union == 0, 0.0)
    return iou
    # --8<-- [end:blocks]


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Overlap of every box in `boxes1` with every box in `boxes2`.

    Intersection over union: 1 for identical boxes, 0 for boxes that do not touch, and 0 (not NaN)
    when both boxes have no area.

    On a processor and without gradients the pairs are computed in blocks. That changes the speed
    and not one bit of the values. In float16 and bfloat16 the result is rounded once, at the end.

    Args:
        boxes1: `(N, 4)` boxes, `xyxy`, any unit.
        boxes2: `(M, 4)` boxes in the same unit.

    Returns:
        `(N, M)` values in [0, 1], in the dtype of the inputs.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If either argument does not hold `xyxy` boxes, a coordinate is so large
            that areas overflow, or the devices differ.

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
    has_gradient = torch.is_grad_enabled() and (first.requires_grad or second.requires_grad)
    if has_gradient or first.device.type != "cpu":
        # --8<-- [start:iou]
        inter, union = _inter_and_union(first, second)
        # Divide by 1 where there is no union: 0 there, and finite gradients.
        iou = inter / torch.where(union > 0, union, 1.0)
        # --8<-- [end:iou]
    else:
        iou = _in_blocks(first, second)
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
        ValueError: If either argument does not hold `xyxy` boxes, a coordinate is so large
            that areas overflow, or the devices differ.

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
    # --8<-- [start:giou]
    inter, union = _inter_and_union(first, second)
    top_left = torch.minimum(first[:, None, :2], second[:, :2])  # (N, M, 2)
    bottom_right = torch.maximum(first[:, None, 2:], second[:, 2:])  # (N, M, 2)
    hull = (bottom_right - top_left).prod(dim=2)  # (N, M)
    iou = inter / torch.where(union > 0, union, 1.0)
    giou = iou - (hull - union) / torch.where(hull > 0, hull, 1.0)
    # --8<-- [end:giou]
    return giou.to(boxes1.dtype)
