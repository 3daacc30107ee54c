"""Random crops: a window of each image, each at its own place.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.augmentation._draws import draw_integers
from notes.augmentation._inputs import check_draws, check_fill, check_images
from notes.checks import check_indices


def check_size(size: tuple[int, int], height: int, width: int) -> None:
    """Refuse a window that is empty or larger than the image.

    Raises:
        ValueError: If the window does not fit.

    Examples:
        >>> check_size((9, 8), 8, 8)
        Traceback (most recent call last):
        ...
        ValueError: size must lie between (1, 1) and (8, 8), got (9, 8)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    if not (1 <= size[0] <= height and 1 <= size[1] <= width):
        raise ValueError(f"size must lie between (1, 1) and {(height, width)}, got {size}")


# --8<-- [start:draw_crops]
def draw_crops(
    images: Tensor, size: tuple[int, int], generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw where the window of each image begins.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        size: Height and width of the window.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B,)` top rows in `[0, H - height]` and `(B,)` left columns in `[0, W - width]`.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, or the window does not fit.

    Examples:
        >>> draw_crops(torch.zeros(2, 3, 8, 8), (8, 8))
        (tensor([0, 0]), tensor([0, 0]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    batch_size, _, height, width = images.shape
    check_size(size, height, width)
    rows = torch.full((batch_size,), height - size[0] + 1, device=images.device)
    columns = torch.full((batch_size,), width - size[1] + 1, device=images.device)
    return draw_integers(rows, generator), draw_integers(columns, generator)


# --8<-- [end:draw_crops]


# --8<-- [start:crop_at]
def crop_at(images: Tensor, tops: Tensor, lefts: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut one window out of each image.

    Does what [`crop_each`][notes.augmentation.one_by_one.crop_each] does, in one step.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        tops: `(B,)` `int64`, first row of each window.
        lefts: `(B,)` `int64`, first column of each window.
        size: Height and width of the windows.

    Returns:
        `(B, C, *size)` windows in the dtype of the images.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or the places no integers.
        ValueError: If a shape or device does not fit, or a window leaves its image.

    Examples:
        >>> image = torch.arange(9.0).view(1, 1, 3, 3)
        >>> crop_at(image, torch.tensor([1]), torch.tensor([0]), (2, 2))
        tensor([[[[3., 4.],
                  [6., 7.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    _, channels, height, width = images.shape
    check_size(size, height, width)
    check_draws("tops", tops, images)
    check_indices("tops", tops, height - size[0] + 1)
    check_draws("lefts", lefts, images)
    check_indices("lefts", lefts, width - size[1] + 1)
    # Why this is fast: no Python loop, and whole rows instead of single pixels. All images lie in
    # memory as one long line; `runs` shows each stretch of it that is as long as a window is wide
    # (a view, nothing is copied), and one index_select copies the stretches that are wanted.
    runs = images.reshape(-1).unfold(0, size[1], 1)
    planes = torch.arange(len(images) * channels, device=images.device).view(-1, channels)  # (B, C)
    first_rows = planes * height + tops[:, None]  # (B, C) counted over all images
    rows = first_rows[:, :, None] + torch.arange(size[0], device=images.device)
    starts = rows * width + lefts[:, None, None]  # (B, C, size[0]) place in the long line
    return runs.index_select(0, starts.flatten()).view(len(images), channels, *size)


# --8<-- [end:crop_at]


# --8<-- [start:random_crop]
def random_crop(
    images: Tensor,
    padding: int = 0,
    size: tuple[int, int] | None = None,
    fill: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Pad each image and cut a window out of it, each at its own random place.

    Like `torchvision.transforms.v2.RandomCrop` applied to each image. Applied to a batch, that
    class draws *one* place for all images.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        padding: Pixels added on all four sides.
        size: Height and width of the window; None keeps the size of the images.
        fill: Value of the added pixels.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, *size)` windows in the dtype of the images.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `padding` is negative, `fill`
            does not fit the dtype, or the window is larger than the padded image.

    Source:
        He et al., "Deep Residual Learning for Image Recognition" (2015), section 4.2, for
        padding 4 on 32x32 images, https://arxiv.org/abs/1512.03385.

    Examples:
        >>> images = torch.zeros(8, 3, 32, 32, dtype=torch.uint8)
        >>> random_crop(images, padding=4).shape
        torch.Size([8, 3, 32, 32])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    if padding < 0:
        raise ValueError(f"padding must be 0 or more, got {padding}")
    check_fill("fill", fill, images)
    height, width = images.shape[2:]
    window = (height, width) if size is None else size
    padded = F.pad(images, (padding, padding, padding, padding), value=fill)
    tops, lefts = draw_crops(padded, window, generator)
    return crop_at(padded, tops, lefts, window)


# --8<-- [end:random_crop]
