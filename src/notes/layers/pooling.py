"""Pooling: one number for each window of an image.

`pool2d` shows the idea with loops on one channel; `max_pool2d` and `avg_pool2d` do it for a
batch, with stride and padding, fast. Pooling has no parameters and never mixes channels.

Shapes: `B` batch, `C` channels, `H` and `W` height and width of the image, `h` and `w` of the
window, `H'` and `W'` of the output.
"""

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from notes.checks import as_pair, check_floating, check_not_empty, check_shape
from notes.layers.windows import output_size, sliding_windows


def pool2d(
    image: Tensor, window: int | tuple[int, int], mode: Literal["max", "average"] = "max"
) -> Tensor:
    """The largest or the mean value of each window of one image, with stride 1.

    Args:
        image: `(H, W)`, floating point.
        window: Height and width of the window, or one number for both.
        mode: What becomes of a window. Of several equal maxima the first gets the gradient.

    Returns:
        `(H - h + 1, W - w + 1)`: one number for each place where the window fits.

    Raises:
        TypeError: If the image is not a floating-point tensor.
        ValueError: If the image is not a matrix, the window does not fit or the mode is unknown.

    Examples:
        >>> import torch
        >>> image = torch.arange(9.0).reshape(3, 3)
        >>> pool2d(image, 2)
        tensor([[4., 5.],
                [7., 8.]])
        >>> pool2d(image, 2, mode="average")
        tensor([[2., 3.],
                [5., 6.]])

    Explained in:
        [Pooling][pooling]
    """
    check_shape("image", image, "H", "W")
    check_floating("image", image)
    check_not_empty("image", image)
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', got {mode!r}")
    height, width = as_pair("window", window)
    rows = output_size(image.shape[0], height)
    columns = output_size(image.shape[1], width)
    # --8<-- [start:pool2d_loop]
    output = image.new_zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            pixels = image[row : row + height, column : column + width].flatten()  # (h * w,)
            # max(dim=0), not max(): the latter would share the gradient among equal maxima.
            output[row, column] = pixels.max(dim=0).values if mode == "max" else pixels.mean()
    # --8<-- [end:pool2d_loop]
    return output


def max_pool2d(
    images: Tensor,
    window: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest value of each window, for a batch.

    The padding is minus infinity, so it never wins. The whole gradient of a window goes to its
    largest pixel, the first one if several are equal. A NaN wins, as in PyTorch.

    Args:
        images: `(B, C, H, W)`, floating point. An empty batch gives an empty output.
        window: Height and width of the window, or one number for both.
        stride: Pixels from one window to the next; as large as the window if not given.
        padding: Rows above and below, and columns left and right; at most half the window.
        ceil_mode: Keep the windows that stick out at the bottom and on the right, instead of
            leaving out the pixels for which no whole window is left.

    Returns:
        `(B, C, H', W')`; `output_size` says how large.

    Raises:
        TypeError: If the images are not a floating-point tensor.
        ValueError: If the images are not `(B, C, H, W)`, the window does not fit, the padding is
            larger than half the window, or a number is too small.

    Examples:
        >>> import torch
        >>> images = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> max_pool2d(images, 3, stride=2, padding=1)
        tensor([[[[ 5.,  7.],
                  [13., 15.]]]])

    Explained in:
        [At the border][at-the-border]
    """
    sizes, strides, paddings = _check_pooling(images, window, stride, padding)
    # --8<-- [start:max_pool2d_windows]
    edges = []
    for dim in (1, 0):  # F.pad wants the last dimension first
        size, before = images.shape[2 + dim], paddings[dim]
        places = output_size(
            size, sizes[dim], stride=strides[dim], padding=before, ceil_mode=ceil_mode
        )
        last_end = (places - 1) * strides[dim] + sizes[dim]
        # Pad up to where the last window ends; less than nothing cuts leftover pixels off.
        edges += [before, last_end - before - size]
    padded = F.pad(images, edges, value=-math.inf)
    windows = sliding_windows(padded, sizes, stride=strides)  # (B, C, H', W', h, w)
    # Fast: all windows in one call. As in pool2d, the first of equal maxima gets the gradient.
    return windows.flatten(start_dim=4).max(dim=4).values
    # --8<-- [end:max_pool2d_windows]


def avg_pool2d(
    images: Tensor,
    window: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean value of each window, for a batch.

    Each of the `n` pixels of a window gets `1/n` of its gradient.

    Args:
        images: `(B, C, H, W)`, floating point. An empty batch gives an empty output.
        window: Height and width of the window, or one number for both.
        stride: Pixels from one window to the next; as large as the window if not given.
        padding: Rows of zeros above and below, and columns left and right; at most half the
            window.
        count_include_pad: Whether the zeros of the padding count as pixels. If they do, means
            near the border are too small, and part of the gradient is lost in the padding.

    Returns:
        `(B, C, H', W')`; `output_size` says how large.

    Raises:
        TypeError: If the images are not a floating-point tensor.
        ValueError: If the images are not `(B, C, H, W)`, the window does not fit, the padding is
            larger than half the window, or a number is too small.

    Examples:
        >>> import torch
        >>> avg_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])

    Explained in:
        [Which pixel gets the gradient][which-pixel-gets-the-gradient]
    """
    sizes, strides, (rows, columns) = _check_pooling(images, window, stride, padding)
    edges = (columns, columns, rows, rows)
    # Fast: all windows of all images in one call, on a view.
    windows = sliding_windows(F.pad(images, edges), sizes, stride=strides)  # (B, C, H', W', h, w)
    means = windows.mean(dim=(4, 5))  # not sums, which half precision may not hold
    if count_include_pad:
        return means
    inside = F.pad(images.new_ones(1, 1, *images.shape[2:]), edges)  # 1 for pixels, 0 for padding
    return means / sliding_windows(inside, sizes, stride=strides).mean(dim=(4, 5))


def _check_pooling(
    images: Tensor,
    window: int | tuple[int, int],
    stride: int | tuple[int, int] | None,
    padding: int | tuple[int, int],
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Window, stride and padding as pairs."""
    check_shape("images", images, "B", "C", "H", "W")
    check_floating("images", images)
    sizes = as_pair("window", window)
    strides = sizes if stride is None else as_pair("stride", stride)
    paddings = as_pair("padding", padding, minimum=0)
    # Otherwise a window could lie in the padding alone.
    if any(2 * pad > size for pad, size in zip(paddings, sizes, strict=True)):
        raise ValueError(f"padding must be at most half the window {sizes}, got {paddings}")
    return sizes, strides, paddings
