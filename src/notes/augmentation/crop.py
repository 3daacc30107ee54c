"""Random crops: a window of each image, each at its own place.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.augmentation._draws import check_draws, check_fill, check_images, draw_integers
from notes.checks import as_integer, as_pair, check_indices


# --8<-- [start:draw_crops]
def draw_crops(
    images: Tensor, size: int | tuple[int, int], generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw where the window of each image begins.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        size: Height and width of the window, or one number for a square.
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
    height, width = _window(size, images)
    rows = torch.full((len(images),), images.shape[2] - height + 1, device=images.device)
    columns = torch.full((len(images),), images.shape[3] - width + 1, device=images.device)
    return draw_integers(rows, generator), draw_integers(columns, generator)


# --8<-- [end:draw_crops]


# --8<-- [start:crop_at]
def crop_at(images: Tensor, tops: Tensor, lefts: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Cut one window out of each image.

    Does what [`crop_each`][notes.augmentation.one_by_one.crop_each] does, in one step.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        tops: `(B,)` integers, first row of each window.
        lefts: `(B,)` integers, first column of each window.
        size: Height and width of the windows, or one number for squares.

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
    height, width = _window(size, images)
    for name, starts, room in (
        ("tops", tops, images.shape[2] - height + 1),
        ("lefts", lefts, images.shape[3] - width + 1),
    ):
        check_draws(name, starts, images)
        check_indices(name, starts, room)
    if images.requires_grad:
        # The gradient of the view below would be as many times the images as windows are wide.
        places = zip(images, tops.tolist(), lefts.tolist(), strict=True)
        return torch.stack(
            [image[:, top : top + height, left : left + width] for image, top, left in places]
        )
    # Why this is fast: no Python loop, and whole rows instead of single pixels. All images lie in
    # memory as one long line; `runs` shows each stretch of it that is as long as a window is wide
    # (a view, nothing is copied), and one index_select copies the stretches that are wanted.
    runs = images.reshape(-1).unfold(0, width, 1)
    batch_size, channels, old_height, old_width = images.shape
    planes = torch.arange(batch_size * channels, device=images.device).view(-1, channels)  # (B, C)
    first_rows = planes * old_height + tops[:, None]  # (B, C) counted over all images
    rows = first_rows[:, :, None] + torch.arange(height, device=images.device)
    starts = rows * old_width + lefts[:, None, None]  # (B, C, height) place in the long line
    return runs.index_select(0, starts.flatten()).view(batch_size, channels, height, width)


# --8<-- [end:crop_at]


# --8<-- [start:random_crop]
def random_crop(
    images: Tensor,
    padding: int = 0,
    size: int | tuple[int, int] | None = None,
    fill: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Pad each image and cut a window out of it, each at its own random place.

    Like `torchvision.transforms.v2.RandomCrop` applied to each image. Applied to a batch, that
    class draws *one* place for all images.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        padding: Pixels added on all four sides.
        size: Height and width of the window, or one number for a square; None keeps the size of
            the images.
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
    padding = as_integer("padding", padding, minimum=0)
    check_fill("fill", fill, images)
    padded = F.pad(images, (padding, padding, padding, padding), value=fill)
    window = _window(tuple(images.shape[2:]) if size is None else size, padded)
    tops, lefts = draw_crops(padded, window, generator)
    return crop_at(padded, tops, lefts, window)


# --8<-- [end:random_crop]


def _window(size: int | tuple[int, ...], images: Tensor) -> tuple[int, int]:
    """Height and width of a window that fits into the images."""
    height, width = as_pair("size", size)
    largest = tuple(images.shape[2:])
    if height > largest[0] or width > largest[1]:
        raise ValueError(f"size must lie between (1, 1) and {largest}, got {(height, width)}")
    return height, width
