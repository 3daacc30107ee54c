"""Scenes: what is to be seen in drawn images, before the first pixel is painted.

Shapes: `N` images, `M` most objects in one image.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from notes.checks import check_positive
from notes.detection._shapes import SHAPES, shape_extents

NUM_TRIES = 20  # places tried for an object before it is left out
NUM_COLORS = 6  # colors drawn for an object; it gets the one that stands out most


class Scenes(NamedTuple):
    """Everything that is drawn at random, before the first pixel is painted.

    Attributes:
        backgrounds: `(N, 3)` which photograph, how far down and how far across, in [0, 1).
        classes: `(N, M)` int64 class of each object.
        stretches: `(N, M)` see `Pose`, and so for the next three.
        angles: `(N, M)`.
        scales: `(N, M)`.
        origins: `(N, M, 2)`.
        wanted: `(N, M)` booleans, False for an object that is left out.
        colors: `(N, M, NUM_COLORS, 3)` colors to choose from.
        patterns: `(N, M)` int64, 0 for a plain object, 1 for stripes, 2 for checks.

    Explained in:
        [Detection data][detection-data]
    """

    backgrounds: Tensor
    classes: Tensor
    stretches: Tensor
    angles: Tensor
    scales: Tensor
    origins: Tensor
    wanted: Tensor
    colors: Tensor
    patterns: Tensor


def draw_scenes(
    num_images: int,
    max_objects: int,
    sizes: tuple[float, float],
    hard: str | None = None,
    generator: Generator | None = None,
) -> Scenes:
    """Draw what is to be painted.

    Args:
        num_images: Number of images.
        max_objects: Most objects in an image.
        sizes: Smallest and largest length of a box's longer side, as shares of the image's side.
        hard: As in `shapes_on_photos`.
        generator: Source of randomness, or None for PyTorch's global one.

    Raises:
        ValueError: If a number is not positive, or the sizes are not a rising pair up to 1.

    Explained in:
        [Detection data][detection-data]
    """
    check_positive("num_images", num_images)
    check_positive("max_objects", max_objects)
    if not 0 < sizes[0] <= sizes[1] <= 1:
        raise ValueError(f"sizes must be a rising pair in (0, 1], got {sizes}")
    shape = (num_images, max_objects)

    def draw(low: float, high: float, *more: int) -> Tensor:
        return _draw((*shape, *more), low, high, generator)

    classes = draw(0, len(SHAPES)).long()
    stretches, angles = draw(-0.5, 0.5).exp(), draw(0, 2 * torch.pi)
    low, high = shape_extents(classes.flatten(), stretches.flatten(), angles.flatten())
    low, high = low.view(*shape, 2), high.view(*shape, 2)
    longer_sides = draw(*sizes)
    scales = longer_sides / (high - low).amax(dim=2)
    centers, found = _place((high - low) * scales[..., None], hard, generator)
    numbers = 1 + max_objects * _draw((num_images, 1), 0, 1, generator)
    return Scenes(
        backgrounds=_draw((num_images, 3), 0, 1, generator),
        classes=classes,
        stretches=stretches,
        angles=angles,
        scales=scales,
        origins=centers - (low + high) / 2 * scales[..., None],
        wanted=found & (torch.arange(max_objects) < numbers.floor()),
        colors=draw(0, 1, NUM_COLORS, 3),
        patterns=draw(0, 3).long(),
    )


def _place(sides: Tensor, hard: str | None, generator: Generator | None) -> tuple[Tensor, Tensor]:
    """Middles of boxes with these `(N, M, 2)` sides, and whether there was a free place."""
    num_images, max_objects, _ = sides.shape
    centers = torch.zeros_like(sides)
    found = torch.zeros(sides.shape[:2], dtype=torch.bool)
    for number in range(max_objects):
        side = sides[:, number, None]  # (N, 1, 2)
        numbers = _draw((num_images, NUM_TRIES, 2), 0, 1, generator)
        tries = side / 2 + (1 - side) * numbers  # (N, NUM_TRIES, 2), all inside the image
        if hard == "overlap" and number:
            reach = (side + sides[:, number - 1, None]) / 2
            near = centers[:, number - 1, None] + 0.8 * reach * (2 * numbers - 1)
            tries = near.clamp(side / 2, 1 - side / 2)
        if hard == "truncation":
            tries = _to_the_border(tries, side, generator)
        distances = (tries[:, :, None] - centers[:, None, :number]).abs()
        needed = (side[:, :, None] + sides[:, None, :number]) / 2
        touching = (distances < needed).all(dim=3) & found[:, None, :number]
        free = ~touching.any(dim=2) if hard != "overlap" else tries.new_ones(tries.shape[:2]).bool()
        first = free.byte().argmax(dim=1)
        centers[:, number] = tries[torch.arange(num_images), first]
        found[:, number] = free.any(dim=1)
    return centers, found


def _to_the_border(tries: Tensor, side: Tensor, generator: Generator | None) -> Tensor:
    """Move middles along x or y to a border of the image, up to a quarter of the side off it."""
    border, axis, off = _draw((3, *tries.shape[:2], 1), 0, 1, generator)
    moved = (border < 0.5).float() + (off - 0.5) / 2 * side
    return torch.where(torch.arange(2) == (axis < 0.5), moved, tries)


def _draw(shape: tuple[int, ...], low: float, high: float, generator: Generator | None) -> Tensor:
    """Numbers between `low` and `high`, drawn where the generator lives."""
    device = "cpu" if generator is None else generator.device
    numbers = torch.rand(shape, generator=generator, device=device, dtype=torch.float32)
    return (low + (high - low) * numbers).cpu()
