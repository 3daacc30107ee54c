"""From an anchor to a box in four numbers, and back.

Shapes: `N` pairs of an anchor and a box.
"""

from torch import Tensor

from notes.checks import check_boxes, check_same, check_shape
from notes.detection._unchecked import check_offsets, decode, encode


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
        >>> import torch
        >>> anchor = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
        >>> encode_offsets(anchor, torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor([[5., 0., 0., 0.]])

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_boxes("anchors", anchors, with_area=True)
    check_boxes("boxes", boxes)
    check_shape("boxes", boxes, len(anchors), 4)
    check_same("anchors", anchors, "boxes", boxes)
    return encode(anchors, boxes).to(boxes.dtype)


def decode_offsets(anchors: Tensor, offsets: Tensor) -> Tensor:
    """The boxes that the offsets mean.

    Undoes `encode_offsets`. Nothing is clipped: boxes may leave the image.

    Args:
        anchors: `(N, 4)` boxes, `xyxy`, each with an area.
        offsets: `(N, 4)` what `encode_offsets` gives, or a network predicts.

    Returns:
        `(N, 4)` boxes, `xyxy`, in the unit of the anchors.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If the anchors are not `xyxy` boxes with an area, an offset is NaN, infinite or
            so large that areas overflow, or numbers or devices differ.

    Examples:
        >>> import torch
        >>> anchor = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
        >>> decode_offsets(anchor, torch.tensor([[5.0, 0.0, 0.0, 0.0]]))
        tensor([[1., 0., 3., 2.]])

    Explained in:
        [Offsets and targets][offsets-and-targets]
    """
    check_boxes("anchors", anchors, with_area=True)
    check_shape("offsets", offsets, len(anchors), 4)
    check_same("anchors", anchors, "offsets", offsets)
    check_offsets(anchors, offsets)
    return decode(anchors, offsets).to(offsets.dtype)
