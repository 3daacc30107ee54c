"""Regions of interest: cut a region of any size out of a feature map, always in the same shape.

`roi_pool` rounds the region to whole pixels and keeps maxima; `roi_align` rounds nothing and
interpolates. Both are written to be read; `torchvision.ops` has the same two as fast kernels.

Shapes: `B` batch, `C` channels, `H W` space of the map, `N` regions, `h w` cells of the output.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.checks import (
    as_pair,
    check_boxes,
    check_finite,
    check_floating,
    check_not_empty,
    check_positive,
    check_same,
    check_shape,
)
from notes.detection._unchecked import at_least_float32


def roi_pool(
    features: Tensor,
    boxes: Sequence[Tensor],
    output_size: int | tuple[int, int],
    *,
    spatial_scale: float = 1.0,
) -> Tensor:
    """The largest value in each cell of each region, after rounding to whole pixels.

    A corner is the index of a pixel, and the pixel at the second corner belongs to the region: a
    box from 0 to 2 covers three pixels. Where the pixels cannot be shared out evenly, neighboring
    cells overlap by one.

    Args:
        features: `(B, C, H, W)` maps.
        boxes: For each map its `(N_i, 4)` regions, `xyxy`, in pixels of the image.
        output_size: Rows and columns of the output, or one number for both.
        spatial_scale: Pixels of the map for one pixel of the image, such as 1/16.

    Returns:
        `(N, C, h, w)`, first the regions of the first map. A cell outside the map is 0.

    Raises:
        TypeError: If a tensor is not a floating-point one, or the dtypes differ.
        ValueError: If the shapes do not fit, there is no map, a number is not finite, the devices
            differ, there is not one tensor of boxes for each map, or a size is not positive.

    Source:
        Girshick, "Fast R-CNN" (2015), https://arxiv.org/abs/1504.08083

    Examples:
        >>> features = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_pool(features, [torch.tensor([[0.0, 0.0, 2.0, 2.0]])], 2)
        tensor([[[[ 5.,  6.],
                  [ 9., 10.]]]])

    Explained in:
        [R-CNN to Mask R-CNN][r-cnn-to-mask-r-cnn]
    """
    rows, columns = _check_regions(features, boxes, output_size, spatial_scale)
    nothing = _no_region(features, boxes, rows, columns)  # (0, C, h, w)
    boxes = [at_least_float32(regions) for regions in boxes]
    # --8<-- [start:roi_pool_loop]
    zeros = features.new_zeros(sum(map(len, boxes)), features.shape[1], rows, columns)
    output = torch.cat([nothing, zeros])  # (N, C, h, w)
    pairs = zip(features, boxes, strict=True)  # (C, H, W) and (N_i, 4)
    regions = [(channels, box) for channels, own in pairs for box in own * spatial_scale]
    for index, (channels, box) in enumerate(regions):
        left, top, right, bottom = map(_round, box.tolist())
        for row, (y1, y2) in enumerate(_cells(top, bottom, rows, features.shape[2])):
            for column, (x1, x2) in enumerate(_cells(left, right, columns, features.shape[3])):
                pixels = channels[:, y1:y2, x1:x2].flatten(start_dim=1)  # (C, pixels)
                if pixels.shape[1] > 0:
                    output[index, :, row, column] = pixels.max(dim=1).values
    # --8<-- [end:roi_pool_loop]
    return output


def _round(value: float) -> int:
    """To the nearest integer, halves away from zero, as the paper's C code does."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(0.5 - value)


# --8<-- [start:cells]
def _cells(first: int, last: int, num_cells: int, limit: int) -> list[tuple[int, int]]:
    """Where each cell begins and ends when the pixels `first` to `last` are shared out."""
    size = last - first + 1
    starts = [first + cell * size // num_cells for cell in range(num_cells)]  # rounded down
    ends = [first - (-(cell + 1) * size // num_cells) for cell in range(num_cells)]  # rounded up
    return [
        (min(max(start, 0), limit), min(max(end, 0), limit))
        for start, end in zip(starts, ends, strict=True)
    ]


# --8<-- [end:cells]


def roi_align(
    features: Tensor,
    boxes: Sequence[Tensor],
    output_size: int | tuple[int, int],
    *,
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Tensor:
    """The mean of a few interpolated points in each cell of each region; nothing is rounded.

    Differentiable in the features and, unlike torchvision's kernel, in the boxes as well.

    Args:
        features: `(B, C, H, W)` maps.
        boxes: For each map its `(N_i, 4)` regions, `xyxy`, in pixels of the image.
        output_size: Rows and columns of the output, or one number for both.
        spatial_scale: Pixels of the map for one pixel of the image, such as 1/16.
        sampling_ratio: Points along each side of a cell. With 0, as many as the cell has pixels,
            rounded up: none in a region without area, which gives 0, as torchvision has it.
        aligned: The center of the first pixel is at 0.5, as in the coordinates of an image. With
            False it is at 0, half a pixel off, and a region has at least the size of a pixel: so
            it was in the first versions.

    Returns:
        `(N, C, h, w)`, first the regions of the first map. A point more than a pixel away from
        the center of the nearest pixel counts 0.

    Raises:
        TypeError: If a tensor is not a floating-point one, or the dtypes differ.
        ValueError: If the shapes do not fit, there is no map, a number is not finite, the devices
            differ, there is not one tensor of boxes for each map, a size is not positive, or
            `sampling_ratio` is negative.

    Source:
        He et al., "Mask R-CNN" (2017), https://arxiv.org/abs/1703.06870

    Examples:
        >>> features = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_align(features, [torch.tensor([[0.0, 0.0, 3.0, 3.0]])], 2)
        tensor([[[[1.5625, 3.0000],
                  [7.3125, 8.7500]]]])

    Explained in:
        [R-CNN to Mask R-CNN][r-cnn-to-mask-r-cnn]
    """
    rows, columns = _check_regions(features, boxes, output_size, spatial_scale)
    if sampling_ratio < 0:
        raise ValueError(f"sampling_ratio must be at least 0, got {sampling_ratio}")
    height, width = features.shape[2:]
    nothing = _no_region(features, boxes, rows, columns)  # (0, C, h, w)
    boxes = [at_least_float32(regions) for regions in boxes]
    # --8<-- [start:roi_align_loop]
    shift = 0.5 if aligned else 0.0
    cut_out = [nothing]
    for channels, regions in zip(features, boxes, strict=True):  # (C, H, W) and (N_i, 4)
        for left, top, right, bottom in regions * spatial_scale - shift:
            high, wide = bottom - top, right - left
            if not aligned:
                high, wide = high.clamp(min=1), wide.clamp(min=1)
            down = _weights(top, high, rows, sampling_ratio, height).to(channels)  # (h, H)
            across = _weights(left, wide, columns, sampling_ratio, width).to(channels)  # (w, W)
            cut_out.append((down @ channels @ across.T)[None])  # (1, C, h, w)
    # --8<-- [end:roi_align_loop]
    return torch.cat(cut_out)


# --8<-- [start:weights]
def _weights(start: Tensor, size: Tensor, num_cells: int, num_points: int, limit: int) -> Tensor:
    """How much of each pixel of a row goes into each cell: `(num_cells, limit)`."""
    if num_points == 0:
        num_points = math.ceil(size.item() / num_cells)  # 0 for a region without size
    shares = torch.arange(num_cells * num_points, dtype=start.dtype, device=start.device) + 0.5
    points = start + shares * (size / (num_cells * max(1, num_points)))
    inside = (points >= -1) & (points <= limit)
    points = points.clamp(0, limit - 1)
    # A point takes from the pixels before and after it; from the nearer one more.
    before = points.detach().floor().long()
    after = (before + 1).clamp(max=limit - 1)
    share = (points - before)[:, None]  # of the pixel after it
    weights = F.one_hot(before, limit) * (1 - share) + F.one_hot(after, limit) * share
    weights = weights * inside[:, None]
    return weights.reshape(num_cells, num_points, limit).sum(dim=1) / max(1, num_points)


# --8<-- [end:weights]


def _check_regions(
    features: Tensor,
    boxes: Sequence[Tensor],
    output_size: int | tuple[int, int],
    spatial_scale: float,
) -> tuple[int, int]:
    check_shape("features", features, "B", "C", "H", "W")
    check_floating("features", features)
    check_not_empty("features", features)
    check_finite("features", features)
    if len(boxes) != len(features):
        raise ValueError(f"boxes must be {len(features)} tensors, one a map, got {len(boxes)}")
    for index, regions in enumerate(boxes):
        check_shape(f"boxes[{index}]", regions, "N", 4)
        check_same("features", features, f"boxes[{index}]", regions)
        check_boxes(f"boxes[{index}]", regions)
    check_positive("spatial_scale", spatial_scale)
    return as_pair("output_size", output_size)


def _no_region(features: Tensor, boxes: Sequence[Tensor], rows: int, columns: int) -> Tensor:
    """An output `(0, C, h, w)` that has a gradient if features or boxes have one."""
    nothing = features[:0, :, :1, :1] * torch.cat([*boxes])[:0, :1, None, None]  # (0, C, 1, 1)
    return nothing.expand(-1, -1, rows, columns)
