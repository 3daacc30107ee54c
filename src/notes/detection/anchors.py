"""Anchors: boxes of a few sizes and shapes around the center of each cell of a map.

Shapes: `H W` cells of the map, `A` anchors.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from notes.checks import check_positive


def grid_anchors(
    height: int,
    width: int,
    sizes: Sequence[float],
    ratios: Sequence[float],
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """The same few boxes around the center of every cell.

    With n sizes and m ratios a cell has n + m - 1 anchors, in this order: each size with the first
    ratio, then the first size with each of the other ratios. The cells follow in reading order.

    An anchor of size s and ratio r is `s / sqrt(r)` of the image high and
    `s * sqrt(r) * height / width` of the image wide. So if the map has the shape of the image,
    width divided by height is exactly r in pixels.

    Args:
        height: Cells from top to bottom.
        width: Cells from left to right.
        sizes: Sides as shares of the image's height, for ratio 1.
        ratios: Width divided by height.
        dtype: Of the anchors; PyTorch's default if not given.
        device: Where to make them; PyTorch's default if not given.

    Returns:
        `(A, 4)` boxes, `xyxy`, as shares of the image's sides, with A = H * W * (n + m - 1). They
        may leave the image, and so [0, 1].

    Raises:
        TypeError: If height or width is not an integer, or the dtype is not a floating-point one.
        ValueError: If height or width is not positive, or sizes or ratios are empty or not
            positive.

    Source:
        Ren et al., "Faster R-CNN" (2015), https://arxiv.org/abs/1506.01497; fewer pairs as in
        Zhang et al., "Dive into Deep Learning", https://d2l.ai.

    Examples:
        >>> grid_anchors(1, 2, sizes=[0.5], ratios=[1.0, 4.0])
        tensor([[0.1250, 0.2500, 0.3750, 0.7500],
                [0.0000, 0.3750, 0.5000, 0.6250],
                [0.6250, 0.2500, 0.8750, 0.7500],
                [0.5000, 0.3750, 1.0000, 0.6250]])

    Explained in:
        [Anchors][anchors]
    """
    _check_cells("height", height)
    _check_cells("width", width)
    _check_numbers("sizes", sizes)
    _check_numbers("ratios", ratios)
    dtype = dtype or torch.get_default_dtype()
    if not dtype.is_floating_point:
        raise TypeError(f"dtype must be a floating-point one, got {dtype}")
    # --8<-- [start:grid_anchors]
    counting = torch.promote_types(dtype, torch.float32)  # in bfloat16 257 is 256
    pairs = [(size, ratios[0]) for size in sizes]
    pairs += [(sizes[0], ratio) for ratio in ratios[1:]]
    across = (torch.arange(width, dtype=counting, device=device) + 0.5) / width  # (W,)
    down = (torch.arange(height, dtype=counting, device=device) + 0.5) / height  # (H,)
    row = across.new_zeros(width, len(pairs), 4)  # of cells: x1, 0, x2, 0
    column = across.new_zeros(height, len(pairs), 4)  # of cells: 0, y1, 0, y2
    for shape, (size, ratio) in enumerate(pairs):
        half_width = size * math.sqrt(ratio) * height / width / 2
        half_height = size / math.sqrt(ratio) / 2
        row[:, shape, 0], row[:, shape, 2] = across - half_width, across + half_width
        column[:, shape, 1], column[:, shape, 3] = down - half_height, down + half_height
    # Sums of long rows are faster: 4 numbers for each shape, side by side.
    anchors = column.flatten(1)[:, None] + row.flatten(1)  # (H, W, 4 * (n + m - 1))
    return anchors.view(-1, 4).to(dtype)
    # --8<-- [end:grid_anchors]


def _check_cells(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    check_positive(name, value)


def _check_numbers(name: str, values: Sequence[float]) -> None:
    if len(values) == 0:
        raise ValueError(f"{name} must hold at least one number, got none")
    for value in values:
        check_positive(f"each of {name}", value)
        if not math.isfinite(value):
            raise ValueError(f"each of {name} must be finite, got {value}")
