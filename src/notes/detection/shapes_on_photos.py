"""A detection set that needs no download: drawn shapes on pieces of real photographs.

The photographs are the two that scikit-learn bundles. What is drawn on them is ours, so the boxes
are exact: each is the smallest one around the pixels of its shape that can be seen.

Shapes: `N` images, `M` most objects in one image, `H W` space.
"""

from functools import cache
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from sklearn import datasets
from torch import Generator, Tensor

from notes.augmentation._draws import draw_uniform
from notes.checks import check_positive
from notes.detection.labels import DetectionSet, keep_objects
from notes.detection.shapes import (
    SHAPES,
    Pose,
    mask_boxes,
    shape_coordinates,
    shape_extents,
    shape_masks,
)

CLASS_NAMES = tuple(SHAPES)
HARD = ("overlap", "truncation", "tiny")
ZOOMS = (1.1, 2.0, 3.0)  # heights of a photograph, measured in pieces
NUM_TRIES = 20  # places tried for an object before it is left out
NUM_COLORS = 6  # colors drawn for an object; it gets the one that stands out most
MIN_VISIBLE = 0.3  # an object of which less can be seen is not drawn at all
CHUNK = 32  # images painted at once: their masks fit into the processor's cache


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


class PaintedScenes(NamedTuple):
    """What `paint_scenes` makes of scenes.

    Attributes:
        images: `(N, 3, H, W)` float32 in [0, 1].
        labels: `(N, M, 5)` float32, as in a `DetectionSet`.
        masks: `(N, M, H, W)` booleans, the pixels of the object in that row of the labels that can
            be seen; none for padding.

    Explained in:
        [Detection data][detection-data]
    """

    images: Tensor
    labels: Tensor
    masks: Tensor


# --8<-- [start:shapes_on_photos]
def shapes_on_photos(
    num_images: int,
    *,
    image_size: int = 96,
    max_objects: int = 4,
    min_size: float = 0.2,
    max_size: float = 0.6,
    hard: Literal["overlap", "truncation", "tiny"] | None = None,
    generator: Generator | None = None,
) -> DetectionSet:
    """Draw images with one to `max_objects` shapes of the classes `CLASS_NAMES`.

    Shapes are stretched, turned, colored and patterned at random. Unless `hard` asks for it, none
    touches another or leaves the image. The same seed draws the same set.

    Args:
        num_images: Number of images.
        image_size: Height and width of the images in pixels.
        max_objects: Most objects in an image. An object that finds no free place is left out.
        min_size: Smallest length of a box's longer side, as a share of the image's side.
        max_size: Largest one.
        hard: "overlap": objects cover parts of each other. "truncation": objects lie across the
            border of the image. "tiny": sizes between 0.04 and 0.1, whatever `min_size` and
            `max_size` say.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        Images `(N, 3, image_size, image_size)` in [0, 1] and labels `(N, max_objects, 5)`, padding
        last. A box is the smallest one around the pixels of its object that can be seen.

    Raises:
        ValueError: If a number is not positive, the sizes are not a rising pair up to 1, an object
            could be smaller than 3 pixels, or `hard` is not known.

    Examples:
        >>> seed = torch.Generator().manual_seed(0)
        >>> images, labels = shapes_on_photos(8, image_size=64, generator=seed)
        >>> images.shape, labels.shape
        (torch.Size([8, 3, 64, 64]), torch.Size([8, 4, 5]))

    Explained in:
        [Detection data][detection-data]
    """
    if hard == "tiny":
        min_size, max_size = 0.04, 0.1
    _check(num_images, image_size, max_objects, min_size, max_size, hard)
    scenes = draw_scenes(num_images, max_objects, (min_size, max_size), hard, generator)
    parts = []
    for start in range(0, num_images, CHUNK):
        chunk = Scenes(*(draws[start : start + CHUNK] for draws in scenes))
        parts.append(paint_scenes(chunk, image_size)[:2])  # masks would fill the memory
    images, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return DetectionSet(images, labels)


# --8<-- [end:shapes_on_photos]


# --8<-- [start:draw_scenes]
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

    Explained in:
        [Detection data][detection-data]
    """
    shape = (num_images, max_objects)

    def draw(low: float, high: float, *more: int) -> Tensor:
        return draw_uniform((*shape, *more), low, high, generator)

    classes = draw(0, len(SHAPES)).long()
    stretches, angles = draw(-0.5, 0.5).exp(), draw(0, 2 * torch.pi)
    low, high = shape_extents(classes.flatten(), stretches.flatten(), angles.flatten())
    low, high = low.view(*shape, 2), high.view(*shape, 2)
    longer_sides = draw(*sizes)
    scales = longer_sides / (high - low).amax(dim=2)
    centers, found = _place((high - low) * scales[..., None], hard, generator)
    numbers = 1 + max_objects * draw_uniform((num_images, 1), 0, 1, generator)
    return Scenes(
        backgrounds=draw_uniform((num_images, 3), 0, 1, generator),
        classes=classes,
        stretches=stretches,
        angles=angles,
        scales=scales,
        origins=centers - (low + high) / 2 * scales[..., None],
        wanted=found & (torch.arange(max_objects) < numbers.floor()),
        colors=draw(0, 1, NUM_COLORS, 3),
        patterns=draw(0, 3).long(),
    )


# --8<-- [end:draw_scenes]


# --8<-- [start:paint_scenes]
def paint_scenes(scenes: Scenes, image_size: int) -> PaintedScenes:
    """Paint scenes, and find the boxes in what was painted.

    Args:
        scenes: `N` scenes of `M` objects.
        image_size: Height and width of the images in pixels.

    Explained in:
        [Detection data][detection-data]
    """
    shape = scenes.classes.shape
    pose = Pose(
        stretches=scenes.stretches.flatten(),
        angles=scenes.angles.flatten(),
        scales=scenes.scales.flatten(),
        origins=scenes.origins.flatten(0, 1),
    )
    u, v = shape_coordinates(pose, image_size)
    masks = shape_masks(scenes.classes.flatten(), u, v).view(*shape, image_size, image_size)
    masks = _visible(masks & scenes.wanted[..., None, None])
    images = _backgrounds(scenes.backgrounds, image_size)
    colors = _most_different(scenes.colors, images)
    shades = _shades(scenes.patterns.flatten(), u, v).view_as(masks)
    for number in range(shape[1]):
        mask, shade = masks[:, number, None], shades[:, number, None]  # (N, 1, H, W)
        images = torch.where(mask, colors[:, number, :, None, None] * shade, images)
    boxes = mask_boxes(masks.flatten(0, 1)).view(*shape, 4) / image_size
    labels = torch.cat([scenes.classes[..., None].float(), boxes], dim=2)
    seen = masks.flatten(2).any(dim=2)  # (N, M)
    order = seen.byte().argsort(dim=1, descending=True, stable=True)  # padding goes last
    rows = torch.arange(len(order))[:, None]
    return PaintedScenes(images, keep_objects(labels, seen), masks[rows, order])


# --8<-- [end:paint_scenes]


def _check(
    num_images: int,
    image_size: int,
    max_objects: int,
    min_size: float,
    max_size: float,
    hard: str | None,
) -> None:
    check_positive("num_images", num_images)
    check_positive("image_size", image_size)
    check_positive("max_objects", max_objects)
    if hard is not None and hard not in HARD:
        raise ValueError(f"hard must be one of {HARD} or None, got {hard!r}")
    if not 0 < min_size <= max_size <= 1:
        raise ValueError(
            f"min_size and max_size must be a rising pair in (0, 1], got {(min_size, max_size)}"
        )
    if min_size * image_size < 3:
        raise ValueError(
            f"image_size must give the smallest object 3 pixels, "
            f"got {image_size} for a smallest size of {min_size}"
        )


def _place(sides: Tensor, hard: str | None, generator: Generator | None) -> tuple[Tensor, Tensor]:
    """Middles of boxes with these `(N, M, 2)` sides, and whether there was a free place."""
    num_images, max_objects, _ = sides.shape
    centers = torch.zeros_like(sides)
    found = torch.zeros(sides.shape[:2], dtype=torch.bool)
    for number in range(max_objects):
        side = sides[:, number, None]  # (N, 1, 2)
        numbers = draw_uniform((num_images, NUM_TRIES, 2), 0, 1, generator)
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
    border, axis, off = draw_uniform((3, *tries.shape[:2], 1), 0, 1, generator)
    moved = (border < 0.5).float() + (off - 0.5) / 2 * side
    return torch.where(torch.arange(2) == (axis < 0.5), moved, tries)


def _visible(masks: Tensor) -> Tensor:
    """Later objects cover earlier ones; one that is almost covered is taken away."""
    covered = torch.zeros_like(masks[:, 0])  # (N, H, W)
    visible = torch.zeros_like(masks)
    for number in reversed(range(masks.shape[1])):
        mask = masks[:, number]
        rest = mask & ~covered
        enough = rest.sum(dim=(1, 2)) >= MIN_VISIBLE * mask.sum(dim=(1, 2))
        visible[:, number] = rest & enough[:, None, None]
        covered = covered | visible[:, number]
    return visible


@cache
def _photos(image_size: int) -> list[Tensor]:
    """Both photographs at each zoom, mirrored too: `(3, height, width)` in [0, 1]."""
    photos = []
    for photo in datasets.load_sample_images().images:
        # Resized before rounding to float32: so the pixels are the same on every machine.
        pixels = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].double() / 255
        for zoom in ZOOMS:
            height = round(zoom * image_size)
            size = (height, round(height * pixels.shape[3] / pixels.shape[2]))
            small = F.interpolate(pixels, size=size, mode="bilinear", antialias=True)
            small = small[0].clamp(0, 1).float()  # the weights may sum to a little more than 1
            photos += [small, small.flip(2)]
    return photos


def _backgrounds(draws: Tensor, image_size: int) -> Tensor:
    """A piece of a photograph for each row of `(N, 3)` numbers: `(N, 3, H, W)`."""
    photos = _photos(image_size)
    numbers = (draws[:, 0] * len(photos)).long()
    images = draws.new_empty(len(draws), 3, image_size, image_size)
    for number in numbers.unique():
        pieces = photos[number].unfold(1, image_size, 1).unfold(2, image_size, 1)
        chosen = numbers == number
        tops = (draws[chosen, 1] * pieces.shape[1]).long()
        lefts = (draws[chosen, 2] * pieces.shape[2]).long()
        images[chosen] = pieces[:, tops, lefts].transpose(0, 1)
    return images


def _most_different(colors: Tensor, images: Tensor) -> Tensor:
    """Of the colors `(N, M, NUM_COLORS, 3)` the farthest from each image's mean: `(N, M, 3)`."""
    means = images.mean(dim=(2, 3))[:, None, None]  # (N, 1, 1, 3)
    best = (colors - means).square().sum(dim=3).argmax(dim=2)  # (N, M)
    return colors.gather(2, best[..., None, None].expand(-1, -1, 1, 3))[:, :, 0]


def _shades(patterns: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """How bright each pixel of an object is: 1, or 0.6 in the dark parts of its pattern."""
    stripes = torch.sin(7 * u) > 0
    checks = stripes ^ (torch.sin(7 * v) > 0)
    kinds = patterns[:, None, None]
    dark = (stripes & (kinds == 1)) | (checks & (kinds == 2))
    return 1 - 0.4 * dark.to(u.dtype)
