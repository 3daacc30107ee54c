"""Random erasing: a rectangle of each image is replaced.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
from torch import Tensor

from notes.augmentation._draws import (
    check_fill,
    check_images,
    check_parts,
    draw_sides,
    draw_uniform,
    inside,
    place_first_fit,
)
from notes.checks import check_probability, check_same, check_shape


# --8<-- [start:draw_erasures]
def draw_erasures(
    images: Tensor,
    p: float = 0.5,
    scale: tuple[float, float] = (0.02, 0.33),
    ratio: tuple[float, float] = (0.3, 3.3),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw which part of each image is erased.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        p: Probability that anything is erased.
        scale: Smallest and largest area of the part, as a share of the image.
        ratio: Smallest and largest *height over width* of the part.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, 4)` `int64`: top, left, height and width of each part. Height and width are 0 where
        nothing is erased, which includes the images for which ten rectangles did not fit.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `p` is outside [0, 1], `scale`
            is not a rising pair in [0, 1], or `ratio` not a rising pair above 0.

    Examples:
        >>> draw_erasures(torch.zeros(1, 3, 8, 8), p=0.0)[:, 2:]
        tensor([[0, 0]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_probability("p", p)
    height, width = images.shape[2:]
    erased = draw_uniform((len(images),), 0.0, 1.0, generator, images.device) < p
    heights, widths = draw_sides(images, scale, ratio, generator)  # (B, NUM_TRIES)
    fits = (heights < height) & (widths < width) & erased[:, None]
    return place_first_fit(heights, widths, fits, (height, width), generator)


# --8<-- [end:draw_erasures]


# --8<-- [start:erase_at]
def erase_at(images: Tensor, parts: Tensor, values: float | Tensor = 0.0) -> Tensor:
    """Replace a part of each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        parts: `(B, 4)` integers: top, left, height and width of each part; empty ones erase
            nothing.
        values: One number for all pixels, or `(B, C, H, W)` images to read the new pixels from.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or `values` has another
            dtype.
        ValueError: If a shape or device does not fit, a part leaves its image, or an image cannot
            hold the number.

    Examples:
        >>> first_column = torch.tensor([[0, 0, 2, 1]])
        >>> erase_at(torch.ones(1, 1, 2, 2), first_column)
        tensor([[[[0., 1.],
                  [0., 1.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    mask = inside(check_parts(parts, images), images.shape[2], images.shape[3])  # (B, 1, H, W)
    if isinstance(values, Tensor):
        check_shape("values", values, *images.shape)
        check_same("images", images, "values", values)
        return torch.where(mask, values, images)
    check_fill("values", values, images)
    return images.masked_fill(mask, values)


# --8<-- [end:erase_at]


# --8<-- [start:random_erasing]
def random_erasing(
    images: Tensor,
    p: float = 0.5,
    scale: tuple[float, float] = (0.02, 0.33),
    ratio: tuple[float, float] = (0.3, 3.3),
    value: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Replace a random rectangle in some of the images.

    Like `torchvision.transforms.v2.RandomErasing` applied to each image. For noise instead of one
    number, draw it and hand it to [`erase_at`][notes.augmentation.erasing.erase_at].

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        p: Probability that an image is changed.
        scale: Smallest and largest area of the rectangle, as a share of the image.
        ratio: Smallest and largest *height over width* of the rectangle.
        value: The new pixels.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `p` is outside [0, 1], `scale`
            is not a rising pair in [0, 1], `ratio` not a rising pair above 0, or an image cannot
            hold the value.

    Source:
        Zhong et al., "Random Erasing Data Augmentation" (2017), https://arxiv.org/abs/1708.04896.

    Examples:
        >>> random_erasing(torch.ones(8, 3, 32, 32), p=0.0).mean()
        tensor(1.)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    parts = draw_erasures(images, p, scale, ratio, generator)
    check_fill("value", value, images)
    return erase_at(images, parts, value)


# --8<-- [end:random_erasing]
