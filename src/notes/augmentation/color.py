"""Color jitter: brightness, contrast, saturation and hue, changed in an own order for each image.

Shapes: `B` batch, `C` channels (1 for gray, 3 for RGB), `H` height, `W` width.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.augmentation._adjustments import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
)
from notes.augmentation._draws import draw_uniform
from notes.augmentation._hue import adjust_hue
from notes.augmentation._inputs import check_channels, check_draws, check_images


class ColorDraws(NamedTuple):
    """How the colors of each image change.

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """

    brightness: Tensor
    """`(B,)` factors; 1 changes nothing, 0 gives black."""
    contrast: Tensor
    """`(B,)` factors; 1 changes nothing, 0 gives one gray."""
    saturation: Tensor
    """`(B,)` factors; 1 changes nothing, 0 gives a gray image."""
    hue: Tensor
    """`(B,)` turns of the color circle; 0 changes nothing, 0.5 gives the complementary colors."""
    orders: Tensor
    """`(B, 4)` which change comes first, second, ...: the fields above, counted from 0."""


# --8<-- [start:draw_color_jitter]
def draw_color_jitter(
    images: Tensor,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    hue: float = 0.0,
    generator: torch.Generator | None = None,
) -> ColorDraws:
    """Draw four changes for each image, and their order.

    Args:
        images: `(B, C, H, W)` images, only looked at for their number and device.
        brightness: Factors lie in `[1 - brightness, 1 + brightness]`, but not below 0.
        contrast: Likewise.
        saturation: Likewise.
        hue: Turns lie in `[-hue, hue]`, where 0.5 is half the color circle.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        One draw for each image.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, a strength is negative, or `hue`
            is above 0.5.

    Examples:
        >>> draw_color_jitter(torch.zeros(1, 3, 8, 8)).brightness
        tensor([1.])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    strengths = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
    for name, strength in strengths.items():
        if not 0 <= strength < float("inf"):
            raise ValueError(f"{name} must be a finite number, 0 or more, got {strength}")
    if not 0 <= hue <= 0.5:
        raise ValueError(f"hue must lie in [0, 0.5], got {hue}")
    shape, device = (len(images),), images.device
    brightnesses, contrasts, saturations = (
        draw_uniform(shape, max(0.0, 1 - strength), 1 + strength, generator, device)
        for strength in strengths.values()
    )
    hues = draw_uniform(shape, -hue, hue, generator, device)
    # The ranks of four random numbers are a random order, each equally likely.
    orders = draw_uniform((len(images), 4), 0.0, 1.0, generator, device).argsort(dim=1)
    return ColorDraws(brightnesses, contrasts, saturations, hues, orders)


# --8<-- [end:draw_color_jitter]


# --8<-- [start:color_jitter_at]
def color_jitter_at(images: Tensor, draws: ColorDraws) -> Tensor:
    """Change the colors of each image, in its own order.

    Does what [`color_jitter_each`][notes.augmentation.one_by_one.color_jitter_each] does, in
    a few steps.

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels, `uint8` or floats in [0, 1].
        draws: One draw for each image.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If a shape or device does not fit, a draw is not finite, or a factor is
            negative.

    Examples:
        >>> one, none = torch.ones(1), torch.zeros(1)
        >>> half_as_bright = ColorDraws(0.5 * one, one, one, none, torch.arange(4)[None])
        >>> color_jitter_at(torch.ones(1, 1, 1, 1), half_as_bright)
        tensor([[[[0.5000]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_channels(images)
    for name, values in draws._asdict().items():
        check_draws(name, values, images, *((4,) if name == "orders" else ()))
    for name, factors in zip(draws._fields[:3], draws[:3], strict=True):
        if (factors < 0).any():
            raise ValueError(f"{name} must be 0 or more, got {factors.min().item()}")
    changes = (
        (adjust_brightness, draws.brightness, draws.brightness != 1),
        (adjust_contrast, draws.contrast, draws.contrast != 1),
        (adjust_saturation, draws.saturation, draws.saturation != 1),
        (adjust_hue, draws.hue, draws.hue != 0),
    )
    changed = images.clone()
    for turn in draws.orders.unbind(dim=1):
        # Why this is fast: not image by image, but all images at once whose turn is the same.
        for number, (adjust, values, needed) in enumerate(changes):
            chosen = (turn == number) & needed
            changed[chosen] = adjust(changed[chosen], values[chosen])
    return changed


# --8<-- [end:color_jitter_at]


# --8<-- [start:random_color_jitter]
def random_color_jitter(
    images: Tensor,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    hue: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Change brightness, contrast, saturation and hue of each image by its own random amount.

    Like `torchvision.transforms.v2.ColorJitter` applied to each image.

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels, `uint8` or floats in [0, 1]. So jitter
            first and normalize afterwards.
        brightness: Factors lie in `[1 - brightness, 1 + brightness]`, but not below 0.
        contrast: Likewise.
        saturation: Likewise.
        hue: Turns lie in `[-hue, hue]`, where 0.5 is half the color circle.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, have not 1 or 3 channels, a
            strength is negative, or `hue` is above 0.5.

    Source:
        Howard, "Some Improvements on Deep Convolutional Neural Network Based Image
        Classification" (2013), https://arxiv.org/abs/1312.5402.

    Examples:
        >>> images = torch.zeros(8, 3, 32, 32, dtype=torch.uint8)
        >>> random_color_jitter(images, brightness=0.5, hue=0.1).shape
        torch.Size([8, 3, 32, 32])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    draws = draw_color_jitter(images, brightness, contrast, saturation, hue, generator)
    return color_jitter_at(images, draws)


# --8<-- [end:random_color_jitter]
