"""Hue: the place of a color on the circle red, yellow, green, cyan, blue, magenta, red.

Shapes: `B` batch, `C` channels (1 for gray, 3 for RGB), `H` height, `W` width.
"""

import torch
from torch import Tensor


def rgb_to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split colors into hue, saturation and value.

    Args:
        images: `(B, 3, H, W)` floats in [0, 1].

    Returns:
        Three `(B, H, W)` tensors. Hue in [0, 1), 0 for grays, which have none; saturation in
        [0, 1], 0 for grays; value in [0, 1], the largest of red, green and blue.

    Source:
        Smith, "Color Gamut Transform Pairs" (1978), https://doi.org/10.1145/965139.807361.

    Examples:
        >>> green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
        >>> hue, saturation, value = rgb_to_hsv(green)
        >>> hue, saturation, value
        (tensor([[[0.3333]]]), tensor([[[1.]]]), tensor([[[1.]]]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
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


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Put colors together again.

    Args:
        hue: `(B, H, W)` places on the color circle, in turns.
        saturation: `(B, H, W)` numbers in [0, 1].
        value: `(B, H, W)` numbers in [0, 1].

    Returns:
        `(B, 3, H, W)` images in [0, 1].

    Source:
        Smith, "Color Gamut Transform Pairs" (1978), https://doi.org/10.1145/965139.807361.

    Examples:
        >>> one = torch.ones(1, 1, 1)
        >>> hsv_to_rgb(0.5 * one, one, one).flatten()
        tensor([0., 1., 1.])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    # Each channel is full within one sixth of its own color, gone beyond two sixths,
    # and in between it changes evenly: the same trapezoid three times, a third of a turn apart.
    places = torch.tensor([0.0, 2.0, 4.0], dtype=hue.dtype, device=hue.device)[:, None, None]
    distances = (hue[:, None] * 6 - places + 3).remainder(6).sub(3).abs()  # (B, 3, H, W) in [0, 3]
    missing = (distances - 1).clamp(0, 1)  # 0 where the channel is full, 1 where it is gone
    return value[:, None] * (1 - saturation[:, None] * missing)


def adjust_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Move the colors of each image along the color circle; gray images stay as they are.

    Args:
        images: `(B, C, H, W)` images with 1 or 3 channels, `uint8` or floats in [0, 1].
        turns: `(B,)` parts of a full turn.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Examples:
        >>> red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)
        >>> adjust_hue(red, torch.tensor([0.5])).flatten()
        tensor([  0, 255, 255], dtype=torch.uint8)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    if images.shape[1] == 1:
        return images
    is_bytes = images.dtype == torch.uint8
    floats = images.to(torch.promote_types(images.dtype, torch.float32)) / (255 if is_bytes else 1)
    hue, saturation, value = rgb_to_hsv(floats)
    colors = hsv_to_rgb(hue + turns[:, None, None], saturation, value)
    # 255.999 gives each byte an equal share of [0, 1]; 255 would leave white to exactly 1.
    return (colors * 255.999 if is_bytes else colors).to(images.dtype)
