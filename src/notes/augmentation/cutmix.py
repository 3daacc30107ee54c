"""Cutmix: a rectangle of each image comes from another one, and so does a share of its label.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

import torch
from torch import Tensor

from notes.augmentation._draws import (
    check_images,
    check_mixing,
    check_parts,
    draw_integers,
    draw_partners,
    draw_symmetric_beta,
    inside,
    mix_labels,
)
from notes.checks import as_integer, check_positive


# --8<-- [start:draw_cutmix]
def draw_cutmix(
    images: Tensor, alpha: float = 1.0, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw from which other image each one gets a part, and which part.

    The share of the area is drawn first, then a middle anywhere in the image. What sticks out is
    cut off, so the part can be smaller than drawn; the labels go by what is left.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        alpha: Shape of the Beta distribution of the area: 1 for all areas equally likely.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B,)` partners, and `(B, 4)` parts: top, left, height and width, in the shape of the
        image; a part may be empty.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, or `alpha` is not greater than 0.

    Examples:
        >>> partners, parts = draw_cutmix(torch.zeros(4, 3, 8, 8))
        >>> sorted(partners.tolist()), parts.shape
        ([0, 1, 2, 3], torch.Size([4, 4]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_positive("alpha", alpha)
    batch_size, _, height, width = images.shape
    partners = draw_partners(images, generator)
    half_side = (1 - draw_symmetric_beta(batch_size, alpha, generator, images.device)).sqrt() / 2
    ranges = []
    for side in (height, width):
        middle = draw_integers(torch.full((batch_size,), side, device=images.device), generator)
        half = (half_side * side).long()
        start, end = (middle - half).clamp(min=0), (middle + half).clamp(max=side)
        ranges.append((start, end - start))
    (tops, heights), (lefts, widths) = ranges
    return partners, torch.stack([tops, lefts, heights, widths], dim=1)


# --8<-- [end:draw_cutmix]


# --8<-- [start:cutmix_at]
def cutmix_at(
    images: Tensor, labels: Tensor, partners: Tensor, parts: Tensor, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Replace a part of each image by that of its partner, and the same share of its label.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        labels: `(B,)` class indices.
        partners: `(B,)` number of the other image in the batch.
        parts: `(B, 4)` integers: top, left, height and width of each part; empty ones replace
            nothing.
        num_classes: Number of classes `K`.

    Returns:
        `(B, C, H, W)` images in the same dtype, and `(B, K)` probabilities.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or the labels not integers.
        ValueError: If a shape or device does not fit, a label or partner is out of range, or a
            part leaves its image.

    Examples:
        >>> images = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 1, 4)
        >>> quarter = torch.tensor([[0, 0, 1, 1], [0, 0, 1, 1]])
        >>> order = torch.tensor([1, 0])
        >>> mixed, targets = cutmix_at(images, torch.tensor([0, 1]), order, quarter, 2)
        >>> mixed.flatten(1)
        tensor([[1., 0., 0., 0.],
                [0., 1., 1., 1.]])
        >>> targets[0]
        tensor([0.7500, 0.2500])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    num_classes = as_integer("num_classes", num_classes)
    check_mixing(images, labels, partners, num_classes)
    parts = check_parts(parts, images)
    height, width = images.shape[2:]
    mixed = torch.where(inside(parts, height, width), images[partners.long()], images)
    weights = 1 - parts[:, 2] * parts[:, 3] / (height * width)  # (B,)
    return mixed, mix_labels(labels, partners, weights, num_classes)


# --8<-- [end:cutmix_at]


# --8<-- [start:cutmix]
def cutmix(
    images: Tensor,
    labels: Tensor,
    num_classes: int,
    alpha: float = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Replace a random part of each training image by that of another one, and share the label.

    Each image has its own part; `torchvision.transforms.v2.CutMix` and the paper's own code draw
    one for the whole batch.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        labels: `(B,)` class indices.
        num_classes: Number of classes `K`.
        alpha: Shape of the Beta distribution of the area: 1 for all areas equally likely.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype, and `(B, K)` probabilities.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or the labels not integers.
        ValueError: If a shape or device does not fit, a label is out of range, or `alpha` is not
            greater than 0.

    Source:
        Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
        Features" (2019), https://arxiv.org/abs/1905.04899.

    Examples:
        >>> images, labels = torch.rand(8, 3, 32, 32), torch.arange(8)
        >>> mixed, targets = cutmix(images, labels, num_classes=10)
        >>> mixed.shape, targets.shape
        (torch.Size([8, 3, 32, 32]), torch.Size([8, 10]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    partners, parts = draw_cutmix(images, alpha, generator)
    return cutmix_at(images, labels, partners, parts, num_classes)


# --8<-- [end:cutmix]
