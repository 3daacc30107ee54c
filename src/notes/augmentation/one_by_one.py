"""The operations that have a fast version, as loops over the images with torchvision.

Slow and plain: read these first. The tests hold the fast versions against them, image by image.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

from typing import Literal

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from notes.checks import as_pair


# --8<-- [start:crop_each]
def crop_each(images: Tensor, tops: Tensor, lefts: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Cut one window out of each image, one after the other.

    The fast version is [`crop_at`][notes.augmentation.crop.crop_at].

    Args:
        images: `(B, C, H, W)` images.
        tops: `(B,)` first row of each window.
        lefts: `(B,)` first column of each window.
        size: Height and width of the windows, or one number for squares.

    Returns:
        `(B, C, *size)` windows in the dtype of the images.

    Examples:
        >>> image = torch.arange(9.0).view(1, 1, 3, 3)
        >>> crop_each(image, torch.tensor([1]), torch.tensor([0]), (2, 2))
        tensor([[[[3., 4.],
                  [6., 7.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    height, width = as_pair("size", size)
    windows = []
    for image, top, left in zip(images, tops.tolist(), lefts.tolist(), strict=True):
        windows.append(image[:, top : top + height, left : left + width])
    return torch.stack(windows)


# --8<-- [end:crop_each]


# --8<-- [start:resized_crop_each]
def resized_crop_each(images: Tensor, parts: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Cut a part out of each image and bring it to the common size, one after the other.

    The fast version is [`resized_crop_at`][notes.augmentation.resized_crop.resized_crop_at].
    For `uint8` images torchvision calculates with whole numbers on some machines, so a pixel can
    differ by 1.

    Args:
        images: `(B, C, H, W)` images.
        parts: `(B, 4)` integers: top, left, height and width of each part.
        size: Height and width of the answer, or one number for a square.

    Returns:
        `(B, C, *size)` images in the dtype of the images.

    Examples:
        >>> image = torch.tensor([[[[0.0, 2.0], [4.0, 6.0]]]])
        >>> whole = torch.tensor([[0, 0, 2, 2]])
        >>> resized_crop_each(image, whole, (1, 1))
        tensor([[[[3.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    resized = []
    new_size = list(as_pair("size", size))
    for image, (top, left, height, width) in zip(images, parts.tolist(), strict=True):
        window = image[:, top : top + height, left : left + width]
        resized.append(functional.resize(window, new_size, antialias=True))
    return torch.stack(resized)


# --8<-- [end:resized_crop_each]


# --8<-- [start:affine_each]
def affine_each(
    images: Tensor, draws: tuple[Tensor, ...], mode: Literal["nearest", "bilinear"] = "nearest"
) -> Tensor:
    """Turn, shift, scale and shear each image, one after the other; 0 comes from outside.

    The fast version is [`affine_at`][notes.augmentation.affine.affine_at].

    Args:
        images: `(B, C, H, W)` images.
        draws: `AffineDraws`: angles, shifts, scales and shears, one for each image.
        mode: Take the nearest old pixel, or mix the four around the place.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Examples:
        >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> none = torch.zeros(1)
        >>> affine_each(image, (none, torch.tensor([[1.0, 0.0]]), none + 1, none))
        tensor([[[[0., 1.],
                  [0., 3.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    moved = []
    for image, angle, shift, scale, shear in zip(
        images, *(values.tolist() for values in draws), strict=True
    ):
        # fill=None: with fill=0, bilinear pixels at the border would be mixed with 0 twice.
        moved.append(
            functional.affine(
                image,
                angle=angle,
                translate=shift,
                scale=scale,
                shear=[shear, 0.0],
                interpolation=InterpolationMode(mode),
                fill=None,
            )
        )
    return torch.stack(moved)


# --8<-- [end:affine_each]


# --8<-- [start:color_jitter_each]
def color_jitter_each(images: Tensor, draws: tuple[Tensor, ...]) -> Tensor:
    """Change the colors of each image in its own order, one image and one change after the other.

    The fast version is [`color_jitter_at`][notes.augmentation.color.color_jitter_at].

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels, `uint8` or floats in [0, 1].
        draws: `ColorDraws`: brightness, contrast, saturation, hue and order of each image.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Examples:
        >>> one, none = torch.ones(1), torch.zeros(1)
        >>> half_as_bright = (0.5 * one, one, one, none, torch.arange(4)[None])
        >>> color_jitter_each(torch.ones(1, 1, 1, 1), half_as_bright)
        tensor([[[[0.5000]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    changes = (
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
        functional.adjust_hue,
    )
    changed = []
    for image, *values, order in zip(images, *(values.tolist() for values in draws), strict=True):
        for number in order:
            image = changes[number](image, values[number])
        changed.append(image)
    return torch.stack(changed)


# --8<-- [end:color_jitter_each]
