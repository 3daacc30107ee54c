"""Boxes: what they are, how to convert them, how large they are.

A box is four numbers in one of three formats:

- `xyxy`: left, top, right, bottom. The format of this package.
- `xywh`: left, top, width, height. The format of COCO's label files.
- `cxcywh`: center, width, height. The format in which detectors predict.

x points right and y points down; the unit is free (pixels, or shares of the image's sides).

Shapes: `N` boxes, `H W` space.
"""

import torch
from torch import Tensor

from notes.checks import (
    check_boolean,
    check_boxes,
    check_finite,
    check_floating,
    check_positive,
    check_shape,
    shown,
)
from notes.detection._unchecked import at_least_float32


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """Corners to center, width and height.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`.

    Returns:
        `(N, 4)` boxes, `cxcywh`, in the same unit and dtype.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the argument does not hold `xyxy` boxes.

    Examples:
        >>> xyxy_to_cxcywh(torch.tensor([[10.0, 20.0, 30.0, 60.0]]))
        tensor([[20., 40., 20., 40.]])

    Explained in:
        [Boxes][boxes]
    """
    check_boxes("boxes", boxes)
    # --8<-- [start:to_cxcywh]
    top_left, bottom_right = at_least_float32(boxes).split(2, dim=1)
    centers, sizes = (top_left + bottom_right) / 2, bottom_right - top_left
    return torch.cat([centers, sizes], dim=1).to(boxes.dtype)
    # --8<-- [end:to_cxcywh]


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Center, width and height to corners.

    Args:
        boxes: `(N, 4)` boxes, `cxcywh`.

    Returns:
        `(N, 4)` boxes, `xyxy`, in the same unit and dtype.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the shape is not `(N, 4)`, a number is NaN or infinite, or a width or height
            is negative.

    Examples:
        >>> cxcywh_to_xyxy(torch.tensor([[20.0, 40.0, 20.0, 40.0]]))
        tensor([[10., 20., 30., 60.]])

    Explained in:
        [Boxes][boxes]
    """
    _check_sides(boxes)
    # --8<-- [start:to_xyxy]
    center, half = boxes[:, :2], boxes[:, 2:] / 2
    return torch.cat([center - half, center + half], dim=1)
    # --8<-- [end:to_xyxy]


def xyxy_to_xywh(boxes: Tensor) -> Tensor:
    """Corners to the upper left corner, width and height.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`.

    Returns:
        `(N, 4)` boxes, `xywh`, in the same unit and dtype.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the argument does not hold `xyxy` boxes.

    Examples:
        >>> xyxy_to_xywh(torch.tensor([[10.0, 20.0, 30.0, 60.0]]))
        tensor([[10., 20., 20., 40.]])

    Explained in:
        [Boxes][boxes]
    """
    check_boxes("boxes", boxes)
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)


def xywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Upper left corner, width and height to corners.

    Args:
        boxes: `(N, 4)` boxes, `xywh`.

    Returns:
        `(N, 4)` boxes, `xyxy`, in the same unit and dtype.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the shape is not `(N, 4)`, a number is NaN or infinite, or a width or height
            is negative.

    Examples:
        >>> xywh_to_xyxy(torch.tensor([[10.0, 20.0, 20.0, 40.0]]))
        tensor([[10., 20., 30., 60.]])

    Explained in:
        [Boxes][boxes]
    """
    _check_sides(boxes)
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


def clip_boxes(boxes: Tensor, height: float = 1.0, width: float = 1.0) -> Tensor:
    """Cut off what lies outside of the image.

    A box that lies outside altogether keeps no area.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`.
        height: Of the image, in the boxes' unit; 1 for shares.
        width: Of the image.

    Returns:
        `(N, 4)` boxes inside the image.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the argument does not hold `xyxy` boxes, or a side is not positive.

    Examples:
        >>> clip_boxes(torch.tensor([[-0.2, 0.1, 0.5, 1.3]]))
        tensor([[0.0000, 0.1000, 0.5000, 1.0000]])

    Explained in:
        [Boxes][boxes]
    """
    check_boxes("boxes", boxes)
    check_positive("height", height)
    check_positive("width", width)
    corners = at_least_float32(boxes)  # float16 knows no side of 70,000
    x, y = corners[:, 0::2].clamp(0, width), corners[:, 1::2].clamp(0, height)  # (N, 2) each
    return torch.stack([x, y], dim=2).flatten(1).to(boxes.dtype)


def box_area(boxes: Tensor) -> Tensor:
    """Width times height.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`.

    Returns:
        `(N,)` areas in the square of the boxes' unit; for half precision in `float32`, because
        float16 ends at 65,504 and a photo has more pixels.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the argument does not hold `xyxy` boxes.

    Examples:
        >>> box_area(torch.tensor([[0.0, 0.0, 2.0, 3.0], [1.0, 1.0, 1.0, 5.0]]))
        tensor([6., 0.])

    Explained in:
        [Boxes][boxes]
    """
    check_boxes("boxes", boxes)
    boxes = at_least_float32(boxes)
    return (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)


def mask_boxes(masks: Tensor) -> Tensor:
    """The smallest boxes around masks, in pixels.

    A box ends where its last pixel ends: a mask of one pixel has a box of one by one.
    `torchvision.ops.masks_to_boxes` gives the *number* of the last pixel, one less.

    Args:
        masks: `(N, H, W)` booleans.

    Returns:
        `(N, 4)` float32 boxes, `xyxy`; all 0 for a mask without a pixel.

    Raises:
        TypeError: If the masks are not booleans.
        ValueError: If the shape is not `(N, H, W)`.

    Examples:
        >>> mask = torch.zeros(1, 4, 6, dtype=torch.bool)
        >>> mask[0, 1, 2:5] = True
        >>> mask_boxes(mask)
        tensor([[2., 1., 5., 2.]])

    Explained in:
        [Detection data][detection-data]
    """
    check_shape("masks", masks, "N", "H", "W")
    check_boolean("masks", masks)
    # --8<-- [start:mask_boxes]
    lines = masks.any(dim=1).byte(), masks.any(dim=2).byte()  # (N, W) and (N, H)
    starts = [line.argmax(dim=1) for line in lines]
    ends = [line.shape[1] - line.flip(1).argmax(dim=1) for line in lines]
    boxes = torch.stack([*starts, *ends], dim=1).float()
    return boxes * masks.flatten(1).any(dim=1, keepdim=True)
    # --8<-- [end:mask_boxes]


def _check_sides(boxes: Tensor) -> None:
    """Refuse what does not hold boxes whose last two numbers are width and height."""
    check_shape("boxes", boxes, "N", 4)
    check_floating("boxes", boxes)
    check_finite("boxes", boxes)
    negative = boxes[:, 2:] < 0  # (N, 2)
    if negative.any():
        index = int(negative.any(dim=1).nonzero()[0])
        raise ValueError(
            "boxes must have a width and a height of at least 0, "
            f"got {shown(boxes[index])} at index {index}"
        )
