"""What mixup and cutmix share: partners, and labels that stand for two classes.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.augmentation._draws import draw_uniform
from notes.augmentation._inputs import check_draws, check_images
from notes.checks import check_indices


def check_partners(partners: Tensor, images: Tensor) -> None:
    """Refuse partners that are not images of this batch.

    Raises:
        TypeError: If the dtype is not an integer one.
        ValueError: If the shape or device does not fit, or an index is out of range.

    Examples:
        >>> check_partners(torch.tensor([1, 2]), torch.zeros(2, 3, 8, 8))
        Traceback (most recent call last):
        ...
        ValueError: partners must lie in [0, 2), got 2

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_draws("partners", partners, images)
    check_indices("partners", partners, len(images))


def draw_partners(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Give each image another one of the batch, each exactly once.

    Args:
        images: `(B, C, H, W)` images, only looked at for their number and device.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B,)` `int64`, a random permutation; an image may be its own partner.

    Examples:
        >>> draw_partners(torch.zeros(1, 3, 8, 8))
        tensor([0])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return draw_uniform((len(images),), 0.0, 1.0, generator, images.device).argsort()


# --8<-- [start:mix_labels]
def mix_labels(labels: Tensor, partners: Tensor, weights: Tensor, num_classes: int) -> Tensor:
    """Share each label between two classes.

    Args:
        labels: `(B,)` class indices.
        partners: `(B,)` number of the other image in the batch.
        weights: `(B,)` share of the image's own label, in [0, 1].
        num_classes: Number of classes `K`.

    Returns:
        `(B, K)` probabilities in the dtype of the weights, for `nn.CrossEntropyLoss`.

    Examples:
        >>> mix_labels(torch.tensor([0, 2]), torch.tensor([1, 0]), torch.tensor([0.75, 1.0]), 3)
        tensor([[0.7500, 0.0000, 0.2500],
                [0.0000, 0.0000, 1.0000]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    targets = F.one_hot(labels.long(), num_classes)  # (B, K)
    return weights[:, None] * targets + (1 - weights)[:, None] * targets[partners]


# --8<-- [end:mix_labels]


def check_batch(images: Tensor, labels: Tensor, num_classes: int) -> None:
    """Refuse images and labels that do not belong together.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point, or the labels not integers.
        ValueError: If a shape or device does not fit, or a label is not in `[0, num_classes)`.

    Examples:
        >>> check_batch(torch.zeros(1, 3, 8, 8), torch.tensor([5]), num_classes=5)
        Traceback (most recent call last):
        ...
        ValueError: labels must lie in [0, 5), got 5

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_draws("labels", labels, images)
    check_indices("labels", labels, num_classes)
