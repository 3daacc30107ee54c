"""What a single-shot detector pays for wrong classes and wrong boxes.

Shapes: `B` batch, `A` anchors, `K` classes without the background.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.checks import check_boolean, check_floating, check_indices, check_shape
from notes.detection._unchecked import at_least_float32


class SSDLoss(NamedTuple):
    """Both parts of the loss, one number each.

    Attributes:
        classes: Cross-entropy between class logits and class targets.
        boxes: Distance between predicted and true offsets of the positive anchors.

    Explained in:
        [SSD][ssd]
    """

    classes: Tensor
    boxes: Tensor

    @property
    def total(self) -> Tensor:
        """The sum, which is what one goes backward from."""
        return self.classes + self.boxes


def ssd_loss(
    class_logits: Tensor,
    offsets: Tensor,
    targets: tuple[Tensor, Tensor, Tensor],
    *,
    per: Literal["positive", "anchor"] = "positive",
    hard_negatives: float | None = 3.0,
    beta: float = 0.0,
) -> SSDLoss:
    """Cross-entropy of the classes and L1 distance of the offsets, for a batch.

    With the default arguments as in the paper, but with L1 for smooth L1: of the background anchors
    only the hardest count, three for each positive anchor of the image, and both sums are divided
    by the number of positive anchors in the batch. `per="anchor", hard_negatives=None` is the loss
    of the notes: plain means over all anchors.

    Args:
        class_logits: `(B, A, K + 1)` scores before the softmax; class 0 is the background.
        offsets: `(B, A, 4)` predicted offsets.
        targets: As `make_targets` gives them for the same anchors: classes `(B, A)`, 0 for the
            background; offsets `(B, A, 4)`; and whether an anchor is positive, booleans `(B, A)`.
        per: By what the sums are divided. "positive": by the number of positive anchors in the
            batch, at least 1. "anchor": classes by the number of all anchors, offsets by the number
            of their values, 4 for each anchor.
        hard_negatives: How many background anchors count for each positive one of their image;
            in an image without objects, as many as for one. None: all of them.
        beta: Below this distance the loss of an offset is quadratic (smooth L1); 0 is plain L1.

    Raises:
        TypeError: If logits or offsets are not floating-point numbers, target classes are no
            integers, or `positive` holds no booleans.
        ValueError: If a shape does not fit, a target class is not known, `per` is none of the two,
            or a number is negative.

    Source:
        Liu et al. (2015), sections 2.2 and 2.3, https://arxiv.org/abs/1512.02325

    Examples:
        >>> classes, positive = torch.tensor([[1, 0]]), torch.tensor([[True, False]])
        >>> right = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
        >>> targets = classes, right, positive
        >>> loss = ssd_loss(torch.zeros(1, 2, 2), torch.zeros(1, 2, 4), targets)
        >>> loss.classes, loss.boxes  # twice ln 2, and one offset is wrong by 1
        (tensor(1.3863), tensor(1.))

    Explained in:
        [SSD][ssd]
    """
    _check(class_logits, offsets, targets, per, hard_negatives, beta)
    class_logits, offsets = at_least_float32(class_logits), at_least_float32(offsets)
    # --8<-- [start:ssd_loss]
    classes, right_offsets, positive = targets
    entropies = F.cross_entropy(
        class_logits.flatten(0, 1), classes.long().flatten(), reduction="none"
    )
    entropies = entropies.view_as(classes)  # (B, A)
    counted = torch.ones_like(positive)
    if hard_negatives is not None:
        counted = positive | hardest_negatives(entropies, positive, hard_negatives)
    distances = F.smooth_l1_loss(offsets, right_offsets, beta=beta, reduction="none")
    distances = distances * positive[..., None]  # (B, A, 4)
    num_positive = positive.sum().clamp(min=1)
    by_classes, by_offsets = (
        (num_positive, num_positive) if per == "positive" else (entropies.numel(), offsets.numel())
    )
    return SSDLoss((entropies * counted).sum() / by_classes, distances.sum() / by_offsets)
    # --8<-- [end:ssd_loss]


def hardest_negatives(losses: Tensor, positive: Tensor, per_positive: float = 3.0) -> Tensor:
    """The background anchors with the largest losses, image by image.

    Args:
        losses: `(B, A)` loss of each anchor.
        positive: `(B, A)` booleans, True for anchors that have an object.
        per_positive: How many are chosen for each positive anchor of the image; in an image
            without a positive anchor, as many as for one.

    Returns:
        `(B, A)` booleans; all background anchors where there are not so many.

    Raises:
        TypeError: If `positive` does not hold booleans.
        ValueError: If a shape does not fit.

    Examples:
        >>> losses = torch.tensor([[0.1, 0.9, 0.5, 0.3]])
        >>> hardest_negatives(losses, torch.tensor([[True, False, False, False]]), per_positive=2)
        tensor([[False,  True,  True, False]])

    Explained in:
        [SSD][ssd]
    """
    check_shape("losses", losses, "B", "A")
    check_shape("positive", positive, *losses.shape)
    check_boolean("positive", positive)
    num_wanted = per_positive * positive.sum(dim=1, keepdim=True).clamp(min=1)  # (B, 1)
    order = losses.detach().masked_fill(positive, -torch.inf).argsort(dim=1, descending=True)
    ranks = torch.empty_like(order).scatter_(
        1, order, torch.arange(losses.shape[1], device=losses.device).expand_as(order)
    )
    return (ranks < num_wanted) & ~positive


def _check(
    class_logits: Tensor,
    offsets: Tensor,
    targets: tuple[Tensor, Tensor, Tensor],
    per: str,
    hard_negatives: float | None,
    beta: float,
) -> None:
    check_shape("class_logits", class_logits, "B", "A", "K + 1")
    check_floating("class_logits", class_logits)
    check_floating("offsets", offsets)
    num_images, num_anchors, num_classes = class_logits.shape
    check_shape("offsets", offsets, num_images, num_anchors, 4)
    classes, right_offsets, positive = targets
    check_shape("targets.classes", classes, num_images, num_anchors)
    check_shape("targets.offsets", right_offsets, num_images, num_anchors, 4)
    check_floating("targets.offsets", right_offsets)
    check_shape("targets.positive", positive, num_images, num_anchors)
    check_boolean("targets.positive", positive)
    check_indices("targets.classes", classes, num_classes)
    if per not in ("positive", "anchor"):
        raise ValueError(f"per must be 'positive' or 'anchor', got {per!r}")
    if hard_negatives is not None and not hard_negatives >= 0:
        raise ValueError(f"hard_negatives must be at least 0, got {hard_negatives}")
    if not beta >= 0:
        raise ValueError(f"beta must be at least 0, got {beta}")
