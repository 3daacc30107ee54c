"""Which anchor looks for which box.

Shapes: `A` anchors, `M` boxes.
"""

import torch
from torch import Tensor

from notes.checks import check_boxes, check_probability, check_same
from notes.detection._unchecked import pairwise_iou


@torch.no_grad()
def match_anchors(anchors: Tensor, boxes: Tensor, iou_threshold: float = 0.5) -> Tensor:
    """For each anchor the index of its box, or -1.

    Every box gets one anchor of its own: again and again the pair with the largest overlap is
    taken, and its anchor and its box leave the contest. Equal overlaps: the anchor with the lower
    index, then the box with the lower index. A box that overlaps no free anchor takes the first
    free one; boxes that are left when no anchor is free go without.

    Each remaining anchor that overlaps a box by the threshold or more takes the box that it
    overlaps most, of equal ones the first. In float16 and bfloat16 the overlaps are computed in
    float32.

    Args:
        anchors: `(A, 4)` boxes, `xyxy`.
        boxes: `(M, 4)` boxes in the same unit.
        iou_threshold: Smallest overlap at which an anchor takes a box that has an anchor already.

    Returns:
        `(A,)` int64 indices in [-1, M). Without boxes all are -1.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If either argument does not hold `xyxy` boxes, a box is so large that areas
            overflow, the devices differ, or the threshold lies outside [0, 1].

    Source:
        Liu et al., "SSD: Single Shot MultiBox Detector" (2016), section 2.2,
        https://arxiv.org/abs/1512.02325.

    Examples:
        >>> anchors = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 1.0], [5, 5, 6, 6]])
        >>> match_anchors(anchors, torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
        tensor([ 0,  0, -1])

    Explained in:
        [Assigning anchors][assigning-anchors]
    """
    check_boxes("anchors", anchors)
    check_boxes("boxes", boxes)
    check_same("anchors", anchors, "boxes", boxes)
    check_probability("iou_threshold", iou_threshold)
    iou = pairwise_iou(anchors, boxes)  # (A, M)
    num_anchors, num_boxes = iou.shape
    if num_boxes == 0:
        return torch.full((num_anchors,), -1, device=anchors.device)
    # --8<-- [start:match]
    largest, best_box = iou.max(dim=1)  # (A,)
    matches = torch.where(largest >= iou_threshold, best_box, -1)
    # What each box takes for itself overwrites what the threshold gave.
    for _ in range(min(num_anchors, num_boxes)):
        anchor, box = divmod(int(iou.argmax()), num_boxes)
        matches[anchor] = box
        iou[anchor, :] = -1
        iou[:, box] = -1
    return matches
    # --8<-- [end:match]
