"""Augmentation that moves the boxes with their images, a whole batch at a time.

Colors may change without the boxes: use `notes.augmentation` for them as it is.

Shapes: `B` batch, `C` channels, `H W` space, `M` most objects in one image.
"""

import torch
from torch import Generator, Tensor

from notes.augmentation.flip import draw_flips, flip_at
from notes.augmentation.resized_crop import draw_resized_crops, resized_crop_at
from notes.checks import check_probability, check_shape
from notes.detection.labels import DetectionSet, keep_objects


def flip_boxes(labels: Tensor, flips: Tensor) -> Tensor:
    """Mirror the boxes of the chosen images, left and right.

    Args:
        labels: `(B, M, 5)` labels with boxes as shares of the image.
        flips: `(B,)` booleans, True for images that are mirrored.

    Returns:
        `(B, M, 5)` labels, a new tensor.

    Raises:
        TypeError: If `flips` does not hold booleans.
        ValueError: If a shape does not fit.

    Examples:
        >>> labels = torch.tensor([[[0.0, 0.125, 0.25, 0.5, 0.75]]])
        >>> flip_boxes(labels, torch.tensor([True]))
        tensor([[[0.0000, 0.5000, 0.2500, 0.8750, 0.7500]]])

    Explained in:
        [Detection data][detection-data]
    """
    check_shape("labels", labels, "B", "M", 5)
    check_shape("flips", flips, len(labels))
    if flips.dtype != torch.bool:
        raise TypeError(f"flips must be a tensor of booleans, got {flips.dtype}")
    # --8<-- [start:flip_boxes]
    kinds, x1, y1, x2, y2 = labels.unbind(dim=2)
    mirrored = torch.stack([kinds, 1 - x2, y1, 1 - x1, y2], dim=2)  # right becomes left
    chosen = flips[:, None] & (kinds >= 0)  # padding stays as it is
    return torch.where(chosen[..., None], mirrored, labels)
    # --8<-- [end:flip_boxes]


# --8<-- [start:crop_boxes]
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
        ValueError: If a shape does not fit, or `min_visible` is outside [0, 1].

    Examples:
        >>> left_half = torch.tensor([[0, 0, 8, 4]])
        >>> labels = torch.tensor([[[0.0, 0.0, 0.0, 0.25, 1.0], [1.0, 0.5, 0.0, 1.0, 1.0]]])
        >>> crop_boxes(labels, left_half, (8, 8))
        tensor([[[ 0.0000,  0.0000,  0.0000,  0.5000,  1.0000],
                 [-1.0000, -1.0000, -1.0000, -1.0000, -1.0000]]])

    Explained in:
        [Detection data][detection-data]
    """
    check_shape("labels", labels, "B", "M", 5)
    check_probability("min_visible", min_visible)
    height, width = image_size
    tops, lefts, heights, widths = parts.unbind(dim=1)
    starts = torch.stack([lefts / width, tops / height], dim=1)[:, None]  # (B, 1, 2)
    sides = torch.stack([widths / width, heights / height], dim=1)[:, None]
    corners = labels[..., 1:].unflatten(2, (2, 2))  # (B, M, 2, 2) both corners
    moved = (corners - starts[:, :, None]) / sides[:, :, None]
    clipped = moved.clamp(0, 1)
    areas, left = (_areas(boxes) for boxes in (moved, clipped))
    kept = (left > 0) & (left >= min_visible * areas)
    return keep_objects(torch.cat([labels[..., :1], clipped.flatten(2)], dim=2), kept)


# --8<-- [end:crop_boxes]


# --8<-- [start:random_horizontal_flip]
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
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If a shape or device does not fit, or `p` is outside [0, 1].

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
    return DetectionSet(flip_at(images, flips), flip_boxes(labels, flips))


# --8<-- [end:random_horizontal_flip]


# --8<-- [start:random_resized_crop]
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
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If a shape or device does not fit, or a number is out of range, see
            `notes.augmentation.resized_crop`.

    Examples:
        >>> images, labels = torch.zeros(8, 3, 48, 64), torch.full((8, 2, 5), -1.0)
        >>> random_resized_crop(images, labels, size=(32, 32)).images.shape
        torch.Size([8, 3, 32, 32])

    Explained in:
        [Detection data][detection-data]
    """
    _check_labels(images, labels)
    parts = draw_resized_crops(images, scale, ratio, generator)
    height, width = images.shape[2:]
    cut = crop_boxes(labels, parts, (height, width), min_visible)
    return DetectionSet(resized_crop_at(images, parts, size), cut)


# --8<-- [end:random_resized_crop]


def _areas(corners: Tensor) -> Tensor:
    return (corners[..., 1, :] - corners[..., 0, :]).prod(dim=-1)


def _check_labels(images: Tensor, labels: Tensor) -> None:
    check_shape("images", images, "B", "C", "H", "W")
    check_shape("labels", labels, len(images), "M", 5)
    if labels.device != images.device:
        raise ValueError(
            f"labels must be on the device of images, {images.device}, got {labels.device}"
        )
