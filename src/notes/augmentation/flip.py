"""Random mirror images.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
from torch import Tensor

from notes.augmentation._draws import check_draws, check_images, draw_uniform
from notes.checks import check_boolean, check_probability


# --8<-- [start:draw_flips]
def draw_flips(images: Tensor, p: float = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """Toss a coin for each image.

    Args:
        images: `(B, C, H, W)` images, only looked at for their number and device.
        p: Probability of True.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B,)` booleans.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, or `p` is outside [0, 1].

    Examples:
        >>> draw_flips(torch.zeros(2, 3, 8, 8), p=1.0)
        tensor([True, True])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_probability("p", p)
    return draw_uniform((len(images),), 0.0, 1.0, generator, images.device) < p


# --8<-- [end:draw_flips]


# --8<-- [start:flip_at]
def flip_at(images: Tensor, flips: Tensor, dim: int = 3) -> Tensor:
    """Mirror the chosen images.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        flips: `(B,)` booleans, True for images to mirror.
        dim: 3 exchanges left and right, 2 exchanges top and bottom.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or `flips` is not boolean.
        ValueError: If a shape or device does not fit, or `dim` is not 2 or 3.

    Examples:
        >>> images = torch.tensor([[[[1.0, 2.0]]], [[[3.0, 4.0]]]])
        >>> flip_at(images, torch.tensor([True, False])).flatten(1)
        tensor([[2., 1.],
                [3., 4.]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_draws("flips", flips, images)
    check_boolean("flips", flips)
    if dim not in (2, 3):
        raise ValueError(f"dim must be 2 or 3, got {dim}")
    # Why this is fast: whole images are copied, from the first half of `both` or the second.
    # torch.where, the obvious way, looks at each pixel and takes three times as long on a CPU.
    both = torch.cat([images, images.flip(dim)])  # (2 * B, C, H, W)
    numbers = torch.arange(len(images), device=images.device)
    return both.index_select(0, numbers + len(images) * flips)


# --8<-- [end:flip_at]


# --8<-- [start:random_horizontal_flip]
def random_horizontal_flip(
    images: Tensor, p: float = 0.5, generator: torch.Generator | None = None
) -> Tensor:
    """Exchange left and right in some of the images.

    Like `torchvision.transforms.v2.RandomHorizontalFlip` applied to each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        p: Probability that an image is mirrored.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, or `p` is outside [0, 1].

    Examples:
        >>> random_horizontal_flip(torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]), p=1.0)
        tensor([[[[1., 0.],
                  [3., 2.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return flip_at(images, draw_flips(images, p, generator), dim=3)


# --8<-- [end:random_horizontal_flip]


# --8<-- [start:random_vertical_flip]
def random_vertical_flip(
    images: Tensor, p: float = 0.5, generator: torch.Generator | None = None
) -> Tensor:
    """Exchange top and bottom in some of the images.

    Like `torchvision.transforms.v2.RandomVerticalFlip` applied to each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        p: Probability that an image is mirrored.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, or `p` is outside [0, 1].

    Examples:
        >>> random_vertical_flip(torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]), p=1.0)
        tensor([[[[2., 3.],
                  [0., 1.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return flip_at(images, draw_flips(images, p, generator), dim=2)


# --8<-- [end:random_vertical_flip]
