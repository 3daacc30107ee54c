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

from notes.checks import check_indices, check_positive
from notes.detection._shapes import SHAPES, Pose, shape_coordinates, shape_masks
from notes.detection.boxes import mask_boxes
from notes.detection.labels import DetectionSet
from notes.detection.scenes import Scenes, draw_scenes

CLASS_NAMES = tuple(SHAPES)
HARD = ("overlap", "truncation", "tiny")
ZOOMS = (1.1, 2.0, 3.0)  # heights of a photograph, measured in pieces
MIN_VISIBLE = 0.3  # an object of which less can be seen is not drawn at all
CHUNK = 32  # images painted at once: their masks fit into the processor's cache


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


def paint_scenes(scenes: Scenes, image_size: int) -> PaintedScenes:
    """Paint scenes, and find the boxes in what was painted.

    Args:
        scenes: `N` scenes of `M` objects.
        image_size: Height and width of the images in pixels.

    Raises:
        ValueError: If `image_size` is not positive, or a class is not known.

    Explained in:
        [Detection data][detection-data]
    """
    check_positive("image_size", image_size)
    check_indices("scenes.classes", scenes.classes, len(SHAPES))
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
    labels = torch.where(seen[..., None], labels, -1)
    order = seen.byte().argsort(dim=1, descending=True, stable=True)  # padding goes last
    rows = torch.arange(len(order))[:, None]
    return PaintedScenes(images, labels[rows, order], masks[rows, order])


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
