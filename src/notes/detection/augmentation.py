"""Augmentation that moves the boxes with their images, a whole batch at a time.

Colors may change without the boxes: use `notes.augmentation` for them as it is.

Shapes: `B` batch, `C` channels, `H W` space, `M` most objects in one image.
"""

import torch
from torch import Generator, Tensor

from notes.augmentation.flip import draw_flips, flip_at
from notes.augmentation.resized_crop import draw_resized_crops, resized_crop_at
from notes.checks import (
    check_boolean,
    check_device,
    check_label_rows,
    check_positive,
    check_probability,
    check_shape,
)
from notes.detection._unchecked import at_least_float32
from notes.detection.labels import DetectionSet


def flip_boxes(labels: Tensor, flips: Tensor) -> Tensor:
    """Mirror the boxes of the chosen images, left and right.

    Args:
        labels: `(B, M, 5)` labels with boxes as shares of the image.
        flips: `(B,)` booleans, True for images that are mirrored.

    Returns:
        `(B, M, 5)` labels, a new tensor.

    Raises:
        TypeError: If the labels are not floating-point numbers, or `flips` not booleans.
        ValueError: If the labels are not labeled boxes, or a shape or device does not fit.

    Examples:
        >>> labels = torch.tensor([[[0.0, 0.125, 0.25, 0.5, 0.75]]])
        >>> flip_boxes(labels, torch.tensor([True]))
        tensor([[[0.0000, 0.5000, 0.2500, 0.8750, 0.7500]]])

    Explained in:
        [Detection data][detection-data]
    """
    check_label_rows("labels", labels)
    check_shape("flips", flips, len(labels))
    check_boolean("flips", flips)
    check_device("labels", labels, "flips", flips)
    return _flip(labels, flips)


def _flip(labels: Tensor, flips: Tensor) -> Tensor:
    # --8<-- [start:flip_boxes]
    kinds, x1, y1, x2, y2 = labels.unbind(dim=2)
    mirrored = torch.stack([kinds, 1 - x2, y1, 1 - x1, y2], dim=2)  # right becomes left
    chosen = flips[:, None] & (kinds >= 0)  # padding stays as it is
    return torch.where(chosen[..., None], mirrored, labels)
    # --8<-- [end:flip_boxes]


def crop_boxes(
    labels: Tensor, parts: Tensor, image_size: tuple[int, int], min_visible: float = 0.3
) -> Tensor:
    """What is left of the boxes when a part is cut out of each image.

    A box that is cut may be larger than the pixels that are left of its object: of a star only
    the tip of an arm. Who has masks should cut those, and take the boxes from them.

    Args:
        labels: `(B, M, 5)` labels with boxes as shares of the image.
        parts: `(B, 4)` top, left, height and width of each part, in pixels.
        image_size: Height and width of the images before the cut.
        min_visible: An object goes if a smaller share of its box is inside the part.

    Returns:
        `(B, M, 5)` labels with boxes as shares of the part, padding last.

    Raises:
        TypeError: If the labels are not floating-point numbers.
        ValueError: If the labels are not labeled boxes, a shape or device does not fit, a side of
            a part or the images is not positive, or `min_visible` is outside [0, 1].

    Examples:
        >>> left_half = torch.tensor([[0, 0, 8, 4]])
        >>> labels = torch.tensor([[[0.0, 0.0, 0.0, 0.25, 1.0], [1.0, 0.5, 0.0, 1.0, 1.0]]])
        >>> crop_boxes(labels, left_half, (8, 8))
        tensor([[[ 0.0000,  0.0000,  0.0000,  0.5000,  1.0000],
                 [-1.0000, -1.0000, -1.0000, -1.0000, -1.0000]]])

    Explained in:
        [Detection data][detection-data]
    """
    check_label_rows("labels", labels)
    check_shape("parts", parts, len(labels), 4)
    check_device("labels", labels, "parts", parts)
    if not (parts[:, 2:] > 0).all():
        raise ValueError(f"parts must have sides greater than 0, got {parts[:, 2:].min()}")
    check_positive("the height in image_size", image_size[0])
    check_positive("the width in image_size", image_size[1])
    check_probability("min_visible", min_visible)
    return _crop(labels, parts, image_size, min_visible)


def _crop(labels: Tensor, parts: Tensor, image_size: tuple[int, int], min_visible: float) -> Tensor:
    height, width = image_size
    corners = at_least_float32(labels[..., 1:]).unflatten(2, (2, 2))  # (B, M, 2, 2) both corners
    tops, lefts, heights, widths = parts.to(corners.dtype).unbind(dim=1)
    starts = torch.stack([lefts / width, tops / height], dim=1)[:, None]  # (B, 1, 2)
    sides = torch.stack([widths / width, heights / height], dim=1)[:, None]
    moved = (corners - starts[:, :, None]) / sides[:, :, None]
    clipped = moved.clamp(0, 1)
    areas, left = (_areas(boxes) for boxes in (moved, clipped))
    kept = (left > 0) & (left >= min_visible * areas)
    rows = torch.cat([labels[..., :1], clipped.flatten(2).to(labels)], dim=2)
    return _keep(rows, kept & (labels[..., 0] >= 0))


def _keep(labels: Tensor, kept: Tensor) -> Tensor:
    """Take objects away: their rows become padding, and padding goes last."""
    labels = torch.where(kept[..., None], labels, -1)
    order = kept.byte().argsort(dim=1, descending=True, stable=True)  # (B, M)
    return labels.gather(1, order[..., None].expand_as(labels))


def random_horizontal_flip(
    images: Tensor, labels: Tensor, p: float = 0.5, generator: Generator | None = None
) -> DetectionSet:
    """Exchange left and right in some of the images, boxes included.

    Like `torchvision.transforms.v2.RandomHorizontalFlip` applied to each image and its boxes.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        labels: `(B, M, 5)` labels with boxes as shares of the image.
        p: Probability that an image is mirrored.
        generator: Source of randomness, or None for PyTorch's global one.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or the labels are not
            floating-point.
        ValueError: If the labels are not labeled boxes, a shape or device does not fit, or `p` is
            outside [0, 1].

    Examples:
        >>> images = torch.tensor([[[[0.0, 1.0]]]])
        >>> labels = torch.tensor([[[0.0, 0.0, 0.0, 0.5, 1.0]]])
        >>> random_horizontal_flip(images, labels, p=1.0).labels
        tensor([[[0.0000, 0.5000, 0.0000, 1.0000, 1.0000]]])

    Explained in:
        [Detection data][detection-data]
    """
    _check_labels(images, labels)
    flips = draw_flips(images, p, generator)
    return DetectionSet(flip_at(images, flips), _flip(labels, flips))


def random_resized_crop(
    images: Tensor,
    labels: Tensor,
    size: int | tuple[int, int],
    scale: tuple[float, float] = (0.5, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    min_visible: float = 0.3,
    generator: Generator | None = None,
) -> DetectionSet:
    """Cut a random part out of each image and bring all parts to one size, boxes included.

    Like `torchvision.transforms.v2.RandomResizedCrop` applied to each image and its boxes, and
    then without the objects of which too little is left.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        labels: `(B, M, 5)` labels with boxes as shares of the image.
        size: Height and width of the answer, or one number for a square.
        scale: Smallest and largest *area* of the part, as a share of the image.
        ratio: Smallest and largest *width over height* of the part.
        min_visible: An object goes if a smaller share of its box is inside the part.
        generator: Source of randomness, or None for PyTorch's global one.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or the labels are not
            floating-point.
        ValueError: If the labels are not labeled boxes, a shape or device does not fit, or a number
            is out of range, see `notes.augmentation.resized_crop`.

    Examples:
        >>> images, labels = torch.zeros(8, 3, 48, 64), torch.full((8, 2, 5), -1.0)
        >>> random_resized_crop(images, labels, size=(32, 32)).images.shape
        torch.Size([8, 3, 32, 32])

    Explained in:
        [Detection data][detection-data]
    """
    _check_labels(images, labels)
    check_probability("min_visible", min_visible)
    parts = draw_resized_crops(images, scale, ratio, generator)
    height, width = images.shape[2:]
    cut = _crop(labels, parts, (height, width), min_visible)
    return DetectionSet(resized_crop_at(images, parts, size), cut)


def _areas(corners: Tensor) -> Tensor:
    return (corners[..., 1, :] - corners[..., 0, :]).prod(dim=-1)


def _check_labels(images: Tensor, labels: Tensor) -> None:
    check_shape("images", images, "B", "C", "H", "W")
    check_shape("labels", labels, len(images), "M", 5)
    check_device("images", images, "labels", labels)
    check_label_rows("labels", labels)
