"""Color jitter: brightness, contrast, saturation and hue, changed in an own order for each image.

Shapes: `B` batch, `C` channels (1 for gray, 3 for RGB), `H` height, `W` width.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.augmentation._draws import check_draws, check_images, draw_uniform
from notes.checks import check_indices


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


def _gray(images: Tensor) -> Tensor:
    """Brightness as the eye sees it: much green, some red, little blue; `(B, 1, H, W)`.

    Source:
        ITU-R Recommendation BT.601 (1982), the weights that torchvision uses.
    """
    floats = images.to(torch.promote_types(images.dtype, torch.float32))
    if images.shape[1] == 1:
        return floats
    gray = 0.2989 * floats[:, 0:1] + 0.587 * floats[:, 1:2] + 0.114 * floats[:, 2:3]
    return gray.floor() if images.dtype == torch.uint8 else gray


def _blend(images: Tensor, others: Tensor | float, factors: Tensor) -> Tensor:
    """Mix two batches: a factor of 1 keeps the images, 0 takes the others, 2 goes the other way."""
    shares = factors[:, None, None, None]
    mixed = images * shares + others * (1 - shares)
    return mixed.clamp(0, 255 if images.dtype == torch.uint8 else 1).to(images.dtype)


def _adjust_brightness(images: Tensor, factors: Tensor) -> Tensor:
    return _blend(images, 0.0, factors)  # with black


def _adjust_contrast(images: Tensor, factors: Tensor) -> Tensor:
    return _blend(images, _gray(images).mean(dim=(1, 2, 3), keepdim=True), factors)


def _adjust_saturation(images: Tensor, factors: Tensor) -> Tensor:
    return images if images.shape[1] == 1 else _blend(images, _gray(images), factors)


def _rgb_to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split colors in [0, 1] into hue, saturation and value, `(B, H, W)` each, all in [0, 1].

    Hue is the place on the circle red, yellow, green, cyan, blue, magenta, red. Grays have none:
    there it is 0, like the saturation. The value is the largest of red, green and blue.

    Source:
        Smith, "Color Gamut Transform Pairs" (1978), https://doi.org/10.1145/965139.807361.
    """
    red, green, blue = images.unbind(dim=1)
    smallest, value = images.aminmax(dim=1)
    spread = value - smallest
    # Grays have no spread: divide 0 by 1 there, for a saturation and a hue of 0 instead of NaN.
    divisor = torch.where(spread > 0, spread, 1.0)
    saturation = spread / torch.where(spread > 0, value, 1.0)
    # In sixths of the circle: red is at 0, green at 2, blue at 4.
    from_green = torch.where(
        value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor
    )
    sixths = torch.where(value == red, (green - blue) / divisor, from_green)
    return (sixths / 6).remainder(1), saturation, value


def _hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Put colors together again: `(B, 3, H, W)` in [0, 1]."""
    # Each channel is full within one sixth of its own color, gone beyond two sixths,
    # and in between it changes evenly: the same trapezoid three times, a third of a turn apart.
    places = torch.tensor([0.0, 2.0, 4.0], dtype=hue.dtype, device=hue.device)[:, None, None]
    distances = (hue[:, None] * 6 - places + 3).remainder(6).sub(3).abs()  # (B, 3, H, W) in [0, 3]
    missing = (distances - 1).clamp(0, 1)  # 0 where the channel is full, 1 where it is gone
    return value[:, None] * (1 - saturation[:, None] * missing)


def _adjust_hue(images: Tensor, turns: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    is_bytes = images.dtype == torch.uint8
    floats = images.to(torch.promote_types(images.dtype, torch.float32)) / (255 if is_bytes else 1)
    hue, saturation, value = _rgb_to_hsv(floats)
    colors = _hsv_to_rgb(hue + turns[:, None, None], saturation, value)
    # 255.999 gives each byte an equal share of [0, 1]; 255 would leave white to exactly 1.
    return (colors * 255.999 if is_bytes else colors).to(images.dtype)


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
        TypeError: If the images are neither `uint8` nor floating-point, or the orders no integers.
        ValueError: If a shape or device does not fit, there are not 1 or 3 channels, a float lies
            outside [0, 1] by more than rounding, a draw is not finite, a factor is negative, or
            an order names no field.

    Examples:
        >>> one, none = torch.ones(1), torch.zeros(1)
        >>> half_as_bright = ColorDraws(0.5 * one, one, one, none, torch.arange(4)[None])
        >>> color_jitter_at(torch.ones(1, 1, 1, 1), half_as_bright)
        tensor([[[[0.5000]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    _check_colors(images)
    for name, values in draws._asdict().items():
        check_draws(name, values, images, *((4,) if name == "orders" else ()))
    check_indices("orders", draws.orders, 4)
    for name, factors in zip(draws._fields[:3], draws[:3], strict=True):
        if (factors < 0).any():
            raise ValueError(f"{name} must be 0 or more, got {factors.min().item()}")
    changes = (
        (_adjust_brightness, draws.brightness, draws.brightness != 1),
        (_adjust_contrast, draws.contrast, draws.contrast != 1),
        (_adjust_saturation, draws.saturation, draws.saturation != 1),
        (_adjust_hue, draws.hue, draws.hue != 0),
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
            float lies outside [0, 1] by more than rounding, a strength is negative, or `hue` is
            above 0.5.

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


def _check_colors(images: Tensor) -> None:
    check_images(images)
    if images.shape[1] not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels, got {images.shape[1]}")
    if images.is_floating_point():
        low, high = (bound.item() for bound in images.aminmax())
        if not -1e-3 <= low <= high <= 1 + 1e-3:  # room for what resizing rounds
            raise ValueError(f"images must lie in [0, 1], got values from {low:.4g} to {high:.4g}")
