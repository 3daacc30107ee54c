"""From an anchor to a box in four numbers, and back.

Shapes: `N` pairs of an anchor and a box.
"""

import torch
from torch import Tensor

from notes.checks import check_finite, check_same, check_shape
from notes.detection.boxes import check_boxes

CENTER_VARIANCE = 0.1  # called variances since SSD's first code; they divide as deviations do
SIZE_VARIANCE = 0.2
SMALLEST_RATIO = 1e-6  # the logarithm of a box without width stays finite


def check_anchors(anchors: Tensor) -> None:
    """Refuse anchors without width or height: no box can be seen from them.

    Raises:
        TypeError: If the anchors are not floating-point numbers.
        ValueError: If they are not `xyxy` boxes, or one of them has no area.

    Examples:
        >>> check_anchors(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
        Traceback (most recent call last):
        ...
        ValueError: anchors must have an area, got [0.0, 0.0, 0.0, 1.0] at index 0

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_boxes("anchors", anchors)
    flat = anchors[:, :2] >= anchors[:, 2:]  # (N, 2)
    if flat.any():
        index = int(flat.any(dim=1).nonzero()[0])
        values = [round(value, 4) for value in anchors[index].tolist()]
        raise ValueError(f"anchors must have an area, got {values} at index {index}")


def encode_offsets(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Where each box lies, seen from its anchor.

    The shift of the center in anchor widths and heights, over 0.1, and the logarithms of the
    ratios of width and height, over 0.2. Ratios below 1e-6 count as 1e-6, so that a box without
    area has finite offsets.

    Args:
        anchors: `(N, 4)` boxes, `xyxy`, each with an area.
        boxes: `(N, 4)` boxes in the same unit.

    Returns:
        `(N, 4)` offsets: to the right, down, wider, higher; 0 where box and anchor are equal.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If either argument does not hold `xyxy` boxes, their numbers or devices differ,
            or an anchor has no area.

    Source:
        Girshick et al., "Rich feature hierarchies for accurate object detection and semantic
        segmentation" (2014), appendix C, https://arxiv.org/abs/1311.2524.

    Examples:
        >>> anchor = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
        >>> encode_offsets(anchor, torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor([[5., 0., 0., 0.]])

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_boxes("boxes", boxes)
    check_anchors(anchors)
    check_shape("boxes", boxes, len(anchors), 4)
    check_same("anchors", anchors, "boxes", boxes)
    # --8<-- [start:encode]
    anchor_centers, anchor_sizes = _centers_and_sizes(anchors)  # (N, 2) each
    centers, sizes = _centers_and_sizes(boxes)
    shifts = (centers - anchor_centers) / anchor_sizes
    ratios = (sizes / anchor_sizes).clamp(min=SMALLEST_RATIO)
    return torch.cat([shifts / CENTER_VARIANCE, ratios.log() / SIZE_VARIANCE], dim=1)
    # --8<-- [end:encode]


def decode_offsets(anchors: Tensor, offsets: Tensor) -> Tensor:
    """The boxes that the offsets mean.

    Undoes `encode_offsets`. Nothing is clipped: boxes may leave the image, and a width offset
    above 443 overflows in float32.

    Args:
        anchors: `(N, 4)` boxes, `xyxy`, each with an area.
        offsets: `(N, 4)` what `encode_offsets` gives, or a network predicts.

    Returns:
        `(N, 4)` boxes, `xyxy`, in the unit of the anchors.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If the anchors are not `xyxy` boxes with an area, an offset is NaN or infinite,
            or numbers or devices differ.

    Examples:
        >>> anchor = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
        >>> decode_offsets(anchor, torch.tensor([[5.0, 0.0, 0.0, 0.0]]))
        tensor([[1., 0., 3., 2.]])

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_anchors(anchors)
    check_shape("offsets", offsets, len(anchors), 4)
    check_finite("offsets", offsets)
    check_same("anchors", anchors, "offsets", offsets)
    # --8<-- [start:decode]
    anchor_centers, anchor_sizes = _centers_and_sizes(anchors)  # (N, 2) each
    centers = anchor_centers + offsets[:, :2] * CENTER_VARIANCE * anchor_sizes
    sizes = anchor_sizes * (offsets[:, 2:] * SIZE_VARIANCE).exp()
    return torch.cat([centers - sizes / 2, centers + sizes / 2], dim=1)
    # --8<-- [end:decode]


def _centers_and_sizes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    top_left, bottom_right = boxes[:, :2], boxes[:, 2:]
    return (top_left + bottom_right) / 2, bottom_right - top_left
