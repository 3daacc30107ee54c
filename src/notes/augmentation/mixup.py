"""Mixup: each image fades into another one, and its label likewise.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

import torch
from torch import Tensor

from notes.augmentation._draws import (
    check_draws,
    check_images,
    check_mixing,
    draw_partners,
    draw_symmetric_beta,
    mix_labels,
)
from notes.checks import as_integer, check_floating, check_positive, check_probabilities


# --8<-- [start:draw_mixup]
def draw_mixup(
    images: Tensor, alpha: float = 1.0, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw with which other image each one is mixed, and how much of itself it keeps.

    Args:
        images: `(B, C, H, W)` images, only looked at for their number and device.
        alpha: Shape of the Beta distribution: small for hardly mixed images, 1 for any mixture.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B,)` partners and `(B,)` weights in [0, 1].

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, or `alpha` is not greater than 0.

    Examples:
        >>> partners, weights = draw_mixup(torch.zeros(4, 3, 8, 8))
        >>> sorted(partners.tolist()), weights.shape
        ([0, 1, 2, 3], torch.Size([4]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_positive("alpha", alpha)
    partners = draw_partners(images, generator)
    return partners, draw_symmetric_beta(len(images), alpha, generator, images.device)


# --8<-- [end:draw_mixup]


# --8<-- [start:mixup_at]
def mixup_at(
    images: Tensor, labels: Tensor, partners: Tensor, weights: Tensor, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Fade each image into its partner, and its label likewise.

    Args:
        images: `(B, C, H, W)` floating-point images.
        labels: `(B,)` class indices.
        partners: `(B,)` number of the other image in the batch.
        weights: `(B,)` share that each image keeps, in [0, 1].
        num_classes: Number of classes `K`.

    Returns:
        `(B, C, H, W)` images in the same dtype, and `(B, K)` probabilities.

    Raises:
        TypeError: If images or weights are not floating-point, or labels or partners not integers.
        ValueError: If a shape or device does not fit, a label or partner is out of range, or a
            weight is outside [0, 1].

    Examples:
        >>> images = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
        >>> order, weights = torch.tensor([1, 0]), torch.tensor([0.75, 0.75])
        >>> mixed, targets = mixup_at(images, torch.tensor([0, 1]), order, weights, 2)
        >>> mixed.flatten(), targets[0]
        (tensor([0.2500, 0.7500]), tensor([0.7500, 0.2500]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    num_classes = as_integer("num_classes", num_classes)
    check_mixing(images, labels, partners, num_classes)
    check_floating("images", images)
    check_draws("weights", weights, images)
    check_floating("weights", weights)
    check_probabilities("weights", weights)
    shares = weights.to(images.dtype)[:, None, None, None]
    mixed = shares * images + (1 - shares) * images[partners.long()]
    return mixed, mix_labels(labels, partners, weights, num_classes)


# --8<-- [end:mixup_at]


# --8<-- [start:mixup]
def mixup(
    images: Tensor,
    labels: Tensor,
    num_classes: int,
    alpha: float = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Fade each training image into another one, and its label likewise.

    Each image has its own weight; `torchvision.transforms.v2.MixUp` and the paper's own code draw
    one for the whole batch.

    Args:
        images: `(B, C, H, W)` floating-point images.
        labels: `(B,)` class indices.
        num_classes: Number of classes `K`.
        alpha: Shape of the Beta distribution: small for hardly mixed images, 1 for any mixture.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype, and `(B, K)` probabilities.

    Raises:
        TypeError: If the images are not floating-point, or the labels not integers.
        ValueError: If a shape or device does not fit, a label is out of range, or `alpha` is not
            greater than 0.

    Source:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2017),
        https://arxiv.org/abs/1710.09412.

    Examples:
        >>> images, labels = torch.rand(8, 3, 32, 32), torch.arange(8)
        >>> mixed, targets = mixup(images, labels, num_classes=10)
        >>> mixed.shape, targets.shape
        (torch.Size([8, 3, 32, 32]), torch.Size([8, 10]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    partners, weights = draw_mixup(images, alpha, generator)
    return mixup_at(images, labels, partners, weights, num_classes)


# --8<-- [end:mixup]
