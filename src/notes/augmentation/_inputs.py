"""What every operation asks of its arguments.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
from torch import Tensor

from notes.checks import check_finite, check_not_empty, check_shape


def check_images(images: Tensor) -> None:
    """Refuse anything but a batch of images.

    Raises:
        TypeError: If the dtype is neither `uint8` nor a floating-point one.
        ValueError: If the shape is not `(B, C, H, W)`, or a size is 0.

    Examples:
        >>> check_images(torch.zeros(3, 8, 8))
        Traceback (most recent call last):
        ...
        ValueError: images must have shape (B, C, H, W), got (3, 8, 8)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_shape("images", images, "B", "C", "H", "W")
    check_not_empty("images", images)
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise TypeError(f"images must be uint8 or floating-point, got {images.dtype}")


def check_channels(images: Tensor) -> None:
    """Refuse images that are neither gray nor RGB.

    Raises:
        ValueError: If there are not 1 or 3 channels.

    Examples:
        >>> check_channels(torch.zeros(1, 4, 8, 8))
        Traceback (most recent call last):
        ...
        ValueError: images must have 1 or 3 channels, got 4

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    if images.shape[1] not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels, got {images.shape[1]}")


def check_draws(name: str, draws: Tensor, images: Tensor, *shape: int) -> None:
    """Refuse parameters that do not belong to these images: one row for each, on their device.

    Args:
        name: What the caller calls the parameters.
        draws: The parameters, `(B, *shape)`.
        images: `(B, C, H, W)` images.
        shape: What follows the batch dimension.

    Raises:
        ValueError: If the shape or the device is another, or a parameter is NaN or infinite.

    Examples:
        >>> check_draws("tops", torch.zeros(3), torch.zeros(2, 1, 8, 8))
        Traceback (most recent call last):
        ...
        ValueError: tops must have shape (2,), got (3,)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_shape(name, draws, len(images), *shape)
    if draws.device != images.device:
        raise ValueError(
            f"{name} must be on the device of images, {images.device}, got {draws.device}"
        )
    check_finite(name, draws)


def check_range(
    name: str, bounds: tuple[float, float], lowest: float = 0.0, highest: float = float("inf")
) -> None:
    """Refuse a pair that is not `(low, high)` with `lowest <= low <= high <= highest`.

    Raises:
        ValueError: If the pair is out of order, out of bounds or NaN.

    Examples:
        >>> check_range("scale", (0.5, 2.0), highest=1.0)
        Traceback (most recent call last):
        ...
        ValueError: scale must be a rising pair in [0.0, 1.0], got (0.5, 2.0)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    low, high = bounds
    if not lowest <= low <= high <= highest:
        raise ValueError(f"{name} must be a rising pair in [{lowest}, {highest}], got {bounds}")


def check_fill(name: str, value: float, images: Tensor) -> None:
    """Refuse a value for new pixels that the dtype of the images cannot hold.

    Raises:
        ValueError: If the images are `uint8` and the value is not one of 0, 1, ..., 255.

    Examples:
        >>> check_fill("fill", 0.5, torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
        Traceback (most recent call last):
        ...
        ValueError: fill must be a whole number in [0, 255] for uint8 images, got 0.5

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    if images.dtype == torch.uint8 and value not in range(256):
        raise ValueError(f"{name} must be a whole number in [0, 255] for uint8 images, got {value}")
