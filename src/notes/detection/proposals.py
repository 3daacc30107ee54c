"""Region proposals: where in an image an object might be, whatever it is.

This is the part of a region proposal network that comes after its two convolutions.

Shapes: `B` images, `A` anchors, `N` proposals of one image.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import (
    check_boxes,
    check_finite,
    check_floating,
    check_positive,
    check_probability,
    check_same,
    check_shape,
)
from notes.detection._unchecked import check_offsets, decode, settle


class Proposals(NamedTuple):
    """Regions of one image in which there may be an object, best first.

    Attributes:
        boxes: `(N, 4)` boxes, `xyxy`, as shares of the image's width and height, inside it.
        scores: `(N,)` how likely there is an object, in [0, 1], descending.

    Explained in:
        [R-CNN to Mask R-CNN][r-cnn-to-mask-r-cnn]
    """

    boxes: Tensor
    scores: Tensor


@torch.no_grad()
def propose_regions(
    objectness: Tensor,
    offsets: Tensor,
    anchors: Tensor,
    *,
    num_before_nms: int = 1000,
    num_after_nms: int = 100,
    iou_threshold: float = 0.7,
    min_size: float = 0.0,
) -> list[Proposals]:
    """The best anchors, moved to where the offsets say, without near-duplicates.

    Args:
        objectness: `(B, A)` logits: above 0 for "object" rather than "background".
        offsets: `(B, A, 4)` as `encode_offsets` makes them.
        anchors: `(A, 4)` boxes, `xyxy`, as shares of the image's sides.
        num_before_nms: So many anchors of an image, the best, become boxes.
        num_after_nms: At most so many proposals for each image.
        iou_threshold: The largest overlap that two proposals may have, in [0, 1].
        min_size: Boxes lower or narrower than this share of the image are dropped.

    Returns:
        Proposals of each image.

    Raises:
        TypeError: If a dtype is not a floating-point one, or they differ.
        ValueError: If a shape, a number, an anchor or the threshold is wrong, or the devices
            differ.

    Source:
        Ren et al., "Faster R-CNN: Toward Real-Time Object Detection with Region Proposal
        Networks" (2015), https://arxiv.org/abs/1506.01497

    Examples:
        >>> anchors = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.4], [0.6, 0.6, 1, 1]])
        >>> objectness = torch.tensor([[0.0, 2.0, 1.0]])
        >>> propose_regions(objectness, torch.zeros(1, 3, 4), anchors)[0].boxes
        tensor([[0.0000, 0.0000, 0.5000, 0.4000],
                [0.6000, 0.6000, 1.0000, 1.0000]])

    Explained in:
        [R-CNN to Mask R-CNN][r-cnn-to-mask-r-cnn]
    """
    _check_outputs(objectness, offsets, anchors)
    check_positive("num_before_nms", num_before_nms)
    check_positive("num_after_nms", num_after_nms)
    check_probability("iou_threshold", iou_threshold)
    if not min_size >= 0:
        raise ValueError(f"min_size must be at least 0, got {min_size}")
    # --8<-- [start:propose]
    best = objectness.argsort(dim=1, descending=True, stable=True)[:, :num_before_nms]  # (B, n)
    logits = objectness.gather(1, best)
    shifts = offsets.gather(1, best[:, :, None].expand(-1, -1, 4))  # (B, n, 4)
    boxes = decode(anchors[best], shifts).clamp(0, 1)  # (B, n, 4), cut off at the edges
    large = (boxes[:, :, 2:] - boxes[:, :, :2] >= min_size).all(dim=2)  # (B, n)
    proposals = []
    for own, scores, chosen in zip(boxes, logits.sigmoid(), large, strict=True):
        if min_size > 0:
            own, scores = own[chosen], scores[chosen]
        keep = settle(own, iou_threshold)[:num_after_nms]
        proposals.append(Proposals(own[keep].to(scores.dtype), scores[keep]))
    return proposals
    # --8<-- [end:propose]


def _check_outputs(objectness: Tensor, offsets: Tensor, anchors: Tensor) -> None:
    check_shape("objectness", objectness, "B", "A")
    check_floating("objectness", objectness)
    check_shape("offsets", offsets, *objectness.shape, 4)
    check_shape("anchors", anchors, objectness.shape[1], 4)
    check_same("objectness", objectness, "offsets", offsets)
    check_same("objectness", objectness, "anchors", anchors)
    check_finite("objectness", objectness)
    check_boxes("anchors", anchors, with_area=True)
    check_offsets(anchors, offsets)
