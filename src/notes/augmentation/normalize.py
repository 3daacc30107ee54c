"""From bytes to the numbers a network likes.

Nothing here is random. It stands here because it comes last, after the augmentation:
a `uint8` image is four times smaller than a `float32` one, so it is moved about more quickly.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from notes.augmentation._draws import check_images
from notes.checks import check_finite, check_floating, check_positive


# --8<-- [start:to_float]
def to_float(images: Tensor) -> Tensor:
    """Turn bytes from 0 to 255 into numbers from 0 to 1; leave floating-point images alone.

    Like `torchvision.transforms.v2.ToDtype(torch.float32, scale=True)` for `uint8` images.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.

    Returns:
        `(B, C, H, W)` images, `float32` where they were `uint8`.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty.

    Examples:
        >>> to_float(torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8))
        tensor([[[[0.0000, 0.2000, 1.0000]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    return images if images.is_floating_point() else images.float().div_(255)


# --8<-- [end:to_float]


# --8<-- [start:normalize]
def normalize(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Subtract the mean of each channel and divide by its standard deviation.

    Args:
        images: `(B, C, H, W)` floating-point images.
        mean: One mean for each channel.
        std: One standard deviation for each channel.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are not floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `mean` or `std` has not `C`
            entries, or a standard deviation is not greater than 0.

    Examples:
        >>> normalize(torch.tensor([[[[0.0, 0.5, 1.0]]]]), mean=[0.5], std=[0.25])
        tensor([[[[-2.,  0.,  2.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_floating("images", images)
    means, stds = _channel_statistics(images, mean, std, images.dtype)
    # The division works in place: the difference is a fresh tensor that nobody else sees.
    return (images - means).div_(stds)


# --8<-- [end:normalize]


# --8<-- [start:normalize_bytes]
def normalize_bytes(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Do what `normalize(to_float(images), mean, std)` does, in less time.

    Args:
        images: `(B, C, H, W)` `uint8` images.
        mean: One mean for each channel, of values between 0 and 1.
        std: One standard deviation for each channel, of values between 0 and 1.

    Returns:
        `(B, C, H, W)` `float32` images.

    Raises:
        TypeError: If the images are not `uint8`.
        ValueError: If the images are not `(B, C, H, W)` or empty, `mean` or `std` has not `C`
            entries, or a standard deviation is not greater than 0.

    Examples:
        >>> images = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
        >>> normalize_bytes(images, mean=[0.5], std=[0.25])
        tensor([[[[-2.,  2.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8, got {images.dtype}")
    means, stds = _channel_statistics(images, mean, std, torch.float32)
    # Why this is fast: (bytes / 255 - mean) / std is one product and one difference, and only the
    # conversion takes new memory, which is the dear part for a CPU.
    return images.float().mul_(1 / (255 * stds)).sub_(means / stds)


# --8<-- [end:normalize_bytes]


def _channel_statistics(
    images: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """One number for each channel, as two tensors `(C, 1, 1)` that broadcast over the images."""
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != images.shape[1]:
            raise ValueError(
                f"{name} must have one entry per channel, {images.shape[1]}, got {len(values)}"
            )
    means = torch.as_tensor(mean, dtype=dtype, device=images.device)
    stds = torch.as_tensor(std, dtype=dtype, device=images.device)
    check_finite("mean", means)
    check_finite("std", stds)
    check_positive("std", stds.min().item())
    return means[:, None, None], stds[:, None, None]
