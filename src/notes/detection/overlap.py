"""How much two boxes overlap.

Shapes: `N M` boxes.
"""

import torch
from torch import Tensor

from notes.checks import check_same
from notes.detection.boxes import box_area, check_boxes


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Overlap of every box in `boxes1` with every box in `boxes2`.

    Intersection over union: 1 for identical boxes, 0 for boxes that do not touch, and 0 (not NaN)
    when both boxes have no area.

    Args:
        boxes1: `(N, 4)` boxes, `xyxy`, any unit.
        boxes2: `(M, 4)` boxes in the same unit.

    Returns:
        `(N, M)` values in [0, 1], in the dtype of the inputs.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If either argument does not hold `xyxy` boxes, or the devices differ.

    Source:
        Jaccard (1912); adopted for detection by PASCAL VOC (Everingham et al., 2010).

    Examples:
        >>> unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        >>> box_iou(unit, torch.tensor([[0.5, 0.0, 1.0, 1.0], [2.0, 2.0, 3.0, 3.0]]))
        tensor([[0.5000, 0.0000]])

    Explained in:
        [Overlap][overlap]
    """
    check_boxes("boxes1", boxes1)
    check_boxes("boxes2", boxes2)
    check_same("boxes1", boxes1, "boxes2", boxes2)
    # --8<-- [start:box_iou]
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[:, :2])  # (N, M, 2)
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[:, 2:])  # (N, M, 2)
    inter = (bottom_right - top_left).clamp(min=0).prod(dim=2)  # (N, M)
    union = box_area(boxes1)[:, None] + box_area(boxes2) - inter  # (N, M)
    # Divide by 1 where there is no union: 0 there, and finite gradients.
    return inter / torch.where(union > 0, union, 1.0)
    # --8<-- [end:box_iou]
