"""Brightness, contrast and saturation: each image mixed with a plainer version of itself.

Shapes: `B` batch, `C` channels (1 for gray, 3 for RGB), `H` height, `W` width.
"""

import torch
from torch import Tensor


def largest_value(images: Tensor) -> int:
    """White: 255 for `uint8` images, 1 for floating-point ones.

    Examples:
        >>> largest_value(torch.zeros(1, dtype=torch.uint8))
        255

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return 255 if images.dtype == torch.uint8 else 1


def gray_of(images: Tensor) -> Tensor:
    """Brightness as the eye sees it: much green, some red, little blue.

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels.

    Returns:
        `(B, 1, H, W)` floating-point images; whole numbers for `uint8` ones.

    Source:
        ITU-R Recommendation BT.601 (1982), the weights that torchvision uses.

    Examples:
        >>> gray_of(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))
        tensor([[[[0.2989]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    if images.shape[1] == 1:
        return images.to(torch.promote_types(images.dtype, torch.float32))
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    gray = 0.2989 * red + 0.587 * green + 0.114 * blue
    return gray.floor() if images.dtype == torch.uint8 else gray


def blend(images: Tensor, others: Tensor | float, factors: Tensor) -> Tensor:
    """Mix two batches: a factor of 1 keeps the images, 0 takes the others, 2 goes the other way.

    Args:
        images: `(B, C, H, W)` images.
        others: What to mix them with, in a shape that broadcasts.
        factors: `(B,)` shares of the images, 0 or more.

    Returns:
        `(B, C, H, W)` images in the same dtype, cut off at black and white.

    Examples:
        >>> blend(torch.full((1, 1, 1, 2), 0.5), 0.0, torch.tensor([1.5]))
        tensor([[[[0.7500, 0.7500]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    shares = factors[:, None, None, None]
    mixed = images * shares + others * (1 - shares)
    return mixed.clamp(0, largest_value(images)).to(images.dtype)


def adjust_brightness(images: Tensor, factors: Tensor) -> Tensor:
    """Mix each image with black.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floats in [0, 1].
        factors: `(B,)` factors; 1 changes nothing.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Examples:
        >>> adjust_brightness(torch.full((1, 1, 1, 1), 0.5), torch.tensor([0.5]))
        tensor([[[[0.2500]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return blend(images, 0.0, factors)


def adjust_contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Mix each image with its mean gray.

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels, `uint8` or floats in [0, 1].
        factors: `(B,)` factors; 1 changes nothing.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Examples:
        >>> adjust_contrast(torch.tensor([[[[0.25, 0.75]]]]), torch.tensor([2.0]))
        tensor([[[[0., 1.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return blend(images, gray_of(images).mean(dim=(1, 2, 3), keepdim=True), factors)


def adjust_saturation(images: Tensor, factors: Tensor) -> Tensor:
    """Mix each image with its gray version; gray images stay as they are.

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels, `uint8` or floats in [0, 1].
        factors: `(B,)` factors; 1 changes nothing.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Examples:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
        >>> adjust_saturation(red, torch.tensor([0.0])).flatten()
        tensor([0.2989, 0.2989, 0.2989])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return images if images.shape[1] == 1 else blend(images, gray_of(images), factors)
