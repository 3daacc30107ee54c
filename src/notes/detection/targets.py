"""What a detector should answer at each anchor: a class and four offsets.

Shapes: `B` images, `A` anchors, `M` most boxes in one image.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import (
    check_boxes,
    check_label_rows,
    check_probability,
    check_same,
    check_shape,
)
from notes.detection._batch_matching import match_batch
from notes.detection._unchecked import encode
from notes.detection.matching import match_anchors
from notes.detection.offsets import encode_offsets


class Targets(NamedTuple):
    """The right answers for a batch.

    Attributes:
        classes: `(B, A)` int64: 0 for the background, else the label's class index plus 1.
        offsets: `(B, A, 4)` as `encode_offsets` gives them; 0 where the anchor is background.
        positive: `(B, A)` bool: whether the anchor has a box. Only there the offsets count.

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """

    classes: Tensor
    offsets: Tensor
    positive: Tensor


def make_image_targets(anchors: Tensor, labels: Tensor, iou_threshold: float = 0.5) -> Targets:
    """The right answers for one image: the readable form of `make_targets`.

    It is made of the functions that the chapters explain, each of which looks at its arguments
    again; `make_targets` looks once.

    Args:
        anchors: `(A, 4)` boxes, `xyxy`, as shares of the image.
        labels: `(M, 5)` rows of class, x1, y1, x2, y2; rows with a class below 0 are padding.
        iou_threshold: As for `match_anchors`.

    Returns:
        Classes `(A,)`, offsets `(A, 4)` and positive `(A,)`.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If the anchors are not `xyxy` boxes with an area, the labels are not labeled
            boxes, the devices differ, or the threshold is outside [0, 1].

    Examples:
        >>> halves = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]])
        >>> make_image_targets(halves, torch.tensor([[3.0, 0.0, 0.0, 0.5, 1.0]])).classes
        tensor([4, 0])

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_shape("labels", labels, "M", 5)
    _check(anchors, labels[None], iou_threshold)
    # --8<-- [start:image]
    objects = labels[labels[:, 0] >= 0]  # without padding
    boxes = objects[:, 1:]
    matches = match_anchors(anchors, boxes, iou_threshold)  # (A,)
    positive = matches >= 0
    chosen = matches[positive]
    classes = torch.zeros_like(matches)
    classes[positive] = objects[chosen, 0].long() + 1  # 0 is the background
    offsets = torch.zeros_like(anchors)
    offsets[positive] = encode_offsets(anchors[positive], boxes[chosen])
    # --8<-- [end:image]
    return Targets(classes, offsets, positive)


def make_targets(anchors: Tensor, labels: Tensor, iou_threshold: float = 0.5) -> Targets:
    """The right answers for a batch of images.

    Args:
        anchors: `(A, 4)` boxes, `xyxy`, as shares of the image, the same for all images.
        labels: `(B, M, 5)` rows of class, x1, y1, x2, y2. Rows with a class below 0 are padding,
            wherever they stand, and have no part in the result.
        iou_threshold: As for `match_anchors`.

    Returns:
        Classes `(B, A)`, offsets `(B, A, 4)` and positive `(B, A)`; for an image without boxes
        all zero.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If the anchors are not `xyxy` boxes with an area, the labels are not labeled
            boxes, the devices differ, or the threshold is outside [0, 1].

    Source:
        Liu et al., "SSD: Single Shot MultiBox Detector" (2016), section 2.2,
        https://arxiv.org/abs/1512.02325.

    Examples:
        >>> halves = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]])
        >>> labels = torch.tensor([[[3.0, 0.0, 0.0, 0.5, 1.0]], [[-1.0, 0.0, 0.0, 0.0, 0.0]]])
        >>> make_targets(halves, labels).classes
        tensor([[4, 0],
                [0, 0]])

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    _check(anchors, labels, iou_threshold)
    # --8<-- [start:batch]
    images, chosen, rows = match_batch(anchors, labels, iou_threshold)  # few
    objects = labels[images, rows]  # (P, 5)
    shape = (len(labels), len(anchors))
    positive = torch.zeros(shape, dtype=torch.bool, device=labels.device)
    positive[images, chosen] = True
    classes = torch.zeros(shape, dtype=torch.int64, device=labels.device)
    classes[images, chosen] = objects[:, 0].long() + 1  # 0 is the background
    offsets = anchors.new_zeros(*shape, 4)
    encoded = encode(anchors.index_select(0, chosen), objects[:, 1:])
    offsets[images, chosen] = encoded.to(offsets.dtype)
    # --8<-- [end:batch]
    return Targets(classes, offsets, positive)


def _check(anchors: Tensor, labels: Tensor, iou_threshold: float) -> None:
    check_boxes("anchors", anchors, with_area=True)
    check_label_rows("labels", labels)
    check_same("anchors", anchors, "labels", labels)
    check_probability("iou_threshold", iou_threshold)
