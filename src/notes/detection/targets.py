"""What a detector should answer at each anchor: a class and four offsets.

Shapes: `B` images, `A` anchors, `M` most boxes in one image.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import check_finite, check_floating, check_same, check_shape
from notes.detection.boxes import check_boxes
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
    """The right answers for one image."""
    # --8<-- [start:image]
    objects = labels[labels[:, 0] >= 0]  # without padding
    boxes = objects[:, 1:]
    matches = match_anchors(anchors, boxes, iou_threshold)  # (A,)
    positive = matches >= 0
    chosen = matches[positive]
    classes = torch.zeros_like(matches)
    classes[positive] = objects[chosen, 0].long() + 1
    offsets = torch.zeros_like(anchors)
    offsets[positive] = encode_offsets(anchors[positive], boxes[chosen])
    return Targets(classes, offsets, positive)
    # --8<-- [end:image]


def make_targets(anchors: Tensor, labels: Tensor, iou_threshold: float = 0.5) -> Targets:
    """The right answers for a batch of images.

    Args:
        anchors: `(A, 4)` boxes, `xyxy`, as shares of the image, the same for all images.
        labels: `(B, M, 5)` rows of class, x1, y1, x2, y2; rows with a class below 0 are padding.
        iou_threshold: As for `match_anchors`.

    Returns:
        Classes `(B, A)`, offsets `(B, A, 4)` and positive `(B, A)`.

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_shape("labels", labels, "B", "M", 5)
    check_floating("labels", labels)
    check_finite("labels", labels)
    check_boxes("anchors", anchors)
    check_same("anchors", anchors, "labels", labels)
    images = [make_image_targets(anchors, rows, iou_threshold) for rows in labels]
    return Targets(*(torch.stack(parts) for parts in zip(*images, strict=True)))
