"""Rectangles of random area and shape, one for each image.

Resized crops keep what is inside, random erasing and cutmix replace it.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from notes.augmentation._draws import draw_integers, draw_uniform
from notes.augmentation._inputs import check_draws, check_range
from notes.checks import check_indices

NUM_TRIES = 10  # torchvision, too, gives up after ten rectangles that do not fit


class Rectangles(NamedTuple):
    """One rectangle for each image, in whole pixels: four `int64` tensors `(B,)`.

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """

    tops: Tensor
    lefts: Tensor
    heights: Tensor
    widths: Tensor


def check_rectangles(rectangles: Rectangles, images: Tensor, smallest: int = 0) -> None:
    """Refuse rectangles that leave their image or belong to other images.

    Args:
        rectangles: One rectangle for each image.
        images: `(B, C, H, W)` images.
        smallest: Lower bound of heights and widths.

    Raises:
        TypeError: If a dtype is not an integer one.
        ValueError: If a shape or device does not fit, a side is too short, or a rectangle leaves
            its image.

    Examples:
        >>> corner = Rectangles(*torch.tensor([[6], [0], [4], [4]]))
        >>> check_rectangles(corner, torch.zeros(1, 3, 8, 8))
        Traceback (most recent call last):
        ...
        ValueError: tops + heights must lie in [0, 9), got 10

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    height, width = images.shape[2:]
    for (name, values), side in zip(
        rectangles._asdict().items(), (height, width, height, width), strict=True
    ):
        check_draws(name, values, images)
        check_indices(name, values, side + 1)
    for name, lengths in (("heights", rectangles.heights), ("widths", rectangles.widths)):
        if (lengths < smallest).any():
            raise ValueError(f"{name} must be {smallest} or more, got {lengths.min().item()}")
    check_indices("tops + heights", rectangles.tops + rectangles.heights, height + 1)
    check_indices("lefts + widths", rectangles.lefts + rectangles.widths, width + 1)


def inside(rectangles: Rectangles, height: int, width: int) -> Tensor:
    """Say of each pixel whether it lies in the rectangle of its image.

    Args:
        rectangles: One rectangle for each image.
        height: Height of the images.
        width: Width of the images.

    Returns:
        `(B, 1, H, W)` booleans; the 1 lets the mask stand for all channels.

    Examples:
        >>> corner = Rectangles(*torch.tensor([[0], [1], [1], [2]]))
        >>> inside(corner, height=2, width=3).int()
        tensor([[[[0, 1, 1],
                  [0, 0, 0]]]], dtype=torch.int32)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    device = rectangles.tops.device
    rows = torch.arange(height, device=device) - rectangles.tops[:, None]  # (B, H), 0 at the top
    columns = torch.arange(width, device=device) - rectangles.lefts[:, None]  # (B, W)
    in_rows = (rows >= 0) & (rows < rectangles.heights[:, None])  # (B, H)
    in_columns = (columns >= 0) & (columns < rectangles.widths[:, None])  # (B, W)
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def draw_sides(
    images: Tensor,
    scale: tuple[float, float],
    ratio: tuple[float, float],
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw the two sides of some rectangles for each image, without a look at whether they fit.

    The area is even in `scale`; the ratio of the sides is even on a logarithmic scale, so twice
    and half are equally likely.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        scale: Smallest and largest area, as a share of the image.
        ratio: Smallest and largest ratio, first side over second side.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, NUM_TRIES)` `int64` first sides, and as many second sides.

    Raises:
        ValueError: If `scale` is not a rising pair in [0, 1], or `ratio` not one above 0.

    Examples:
        >>> first, second = draw_sides(torch.zeros(1, 3, 8, 8), (0.5, 0.5), (2.0, 2.0))
        >>> first[0, 0], second[0, 0]
        (tensor(8), tensor(4))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_range("scale", scale, 0.0, 1.0)
    check_range("ratio", ratio, torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max)
    batch_size, _, height, width = images.shape
    shape = (batch_size, NUM_TRIES)
    areas = height * width * draw_uniform(shape, *scale, generator, images.device)
    log_low, log_high = math.log(ratio[0]), math.log(ratio[1])
    ratios = draw_uniform(shape, log_low, log_high, generator, images.device).exp()
    return (areas * ratios).sqrt().round().long(), (areas / ratios).sqrt().round().long()


def place_first_fit(
    heights: Tensor,
    widths: Tensor,
    fits: Tensor,
    size: tuple[int, int],
    generator: torch.Generator | None = None,
) -> Rectangles:
    """Take the first rectangle of each image that fits, and draw its place.

    Args:
        heights: `(B, NUM_TRIES)` heights.
        widths: `(B, NUM_TRIES)` widths.
        fits: `(B, NUM_TRIES)` booleans; where none fits, the rectangle is empty.
        size: Height and width of the images.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        One rectangle for each image.

    Examples:
        >>> sides = torch.tensor([[9, 4, 3]])
        >>> place_first_fit(sides, sides, sides < 8, (4, 4))
        Rectangles(tops=tensor([0]), lefts=tensor([0]), heights=tensor([4]), widths=tensor([4]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    first = fits.int().argmax(dim=1, keepdim=True)  # argmax: the first of equal values
    found = fits.any(dim=1)
    chosen_heights = torch.where(found, heights.gather(1, first)[:, 0], 0)
    chosen_widths = torch.where(found, widths.gather(1, first)[:, 0], 0)
    tops = draw_integers(size[0] - chosen_heights + 1, generator)
    lefts = draw_integers(size[1] - chosen_widths + 1, generator)
    return Rectangles(tops, lefts, chosen_heights, chosen_widths)
