"""Metrics: how good a classifier is, all in all and class by class.

Everything follows from one table, the confusion matrix. It is made of counts, so the matrices of
the batches add up to that of the data set.

Shapes: `N` samples, `K` classes.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import (
    as_integer,
    check_device,
    check_finite,
    check_floating,
    check_indices,
    check_not_empty,
    check_shape,
)


class ClassScores(NamedTuple):
    """How well each class is found, four `(K,)` tensors.

    Explained in:
        [Metrics][metrics]
    """

    precision: Tensor
    """`float64` in [0, 1]: of the samples *called* this class, the share that *is* it."""
    recall: Tensor
    """`float64` in [0, 1]: of the samples that *are* this class, the share that is found."""
    f1: Tensor
    """`float64` in [0, 1]: harmonic mean of the two."""
    support: Tensor
    """`int64`: number of samples that are this class."""


def predicted_classes(scores: Tensor) -> Tensor:
    """Pick the class with the highest score; the first one of equals.

    Args:
        scores: `(N, K)` logits or probabilities.

    Returns:
        `(N,)` `int64` class indices.

    Raises:
        TypeError: If the scores are not floating-point.
        ValueError: If the scores are not `(N, K)`, empty, NaN or infinite. (NaN would win.)

    Examples:
        >>> predicted_classes(torch.tensor([[0.1, 2.0], [0.3, -1.0]]))
        tensor([1, 0])

    Explained in:
        [Metrics][metrics]
    """
    check_shape("scores", scores, "N", "K")
    check_not_empty("scores", scores)
    check_floating("scores", scores)
    check_finite("scores", scores)
    # argmax leaves open which of equal values it returns; the first True of a mask is settled.
    return (scores == scores.amax(dim=1, keepdim=True)).int().argmax(dim=1)


def check_counts(name: str, tensor: Tensor) -> None:
    """Refuse anything but the integers 0, 1, 2, ...

    Raises:
        TypeError: If the dtype is not an integer one.
        ValueError: If a number is negative.

    Examples:
        >>> check_counts("targets", torch.tensor([0, -1]))
        Traceback (most recent call last):
        ...
        ValueError: targets must be 0 or more, got -1

    Explained in:
        [Metrics][metrics]
    """
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise TypeError(f"{name} must be a tensor of integers, got {tensor.dtype}")
    smallest = int(tensor.long().min()) if tensor.numel() else 0  # some small dtypes cannot compare
    if smallest < 0:
        raise ValueError(f"{name} must be 0 or more, got {smallest}")


def check_classes(predictions: Tensor, targets: Tensor) -> None:
    """Refuse predictions and targets that are not two lists of class indices of one length.

    Raises:
        TypeError: If a dtype is not an integer one.
        ValueError: If a shape or device does not fit, there is no sample, or an index is negative.

    Examples:
        >>> check_classes(torch.tensor([0, 1]), torch.tensor([0]))
        Traceback (most recent call last):
        ...
        ValueError: targets must have shape (2,), got (1,)

    Explained in:
        [Metrics][metrics]
    """
    check_shape("predictions", predictions, "N")
    check_shape("targets", targets, len(predictions))
    check_not_empty("predictions", predictions)
    check_device("predictions", predictions, "targets", targets)
    check_counts("predictions", predictions)
    check_counts("targets", targets)


# --8<-- [start:accuracy]
def accuracy(predictions: Tensor, targets: Tensor) -> float:
    """Share of the samples that were classified correctly.

    Args:
        predictions: `(N,)` class indices.
        targets: `(N,)` class indices.

    Returns:
        A number in [0, 1].

    Raises:
        TypeError: If a dtype is not an integer one.
        ValueError: If a shape or device does not fit, there is no sample, or an index is negative.

    Examples:
        >>> accuracy(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 2]))
        0.75

    Explained in:
        [Metrics][metrics]
    """
    check_classes(predictions, targets)
    return int((predictions.long() == targets.long()).sum()) / len(targets)


# --8<-- [end:accuracy]


# --8<-- [start:confusion_matrix]
def confusion_matrix(predictions: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Count how often each class was taken for each other one.

    Args:
        predictions: `(N,)` class indices.
        targets: `(N,)` class indices.
        num_classes: Number of classes `K`.

    Returns:
        `(K, K)` `int64` counts: the row is the true class, the column the predicted one.

    Raises:
        TypeError: If a dtype or the number of classes is not an integer one.
        ValueError: If a shape or device does not fit, there is no sample, or an index is not in
            `[0, num_classes)`.

    Examples:
        >>> predictions, targets = torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1])
        >>> confusion_matrix(predictions, targets, num_classes=2)
        tensor([[1, 1],
                [0, 1]])

    Explained in:
        [Metrics][metrics]
    """
    check_classes(predictions, targets)
    num_classes = as_integer("num_classes", num_classes)
    check_indices("predictions", predictions, num_classes)
    check_indices("targets", targets, num_classes)
    # Number the cells of the table row by row, and count how often each cell is hit.
    cells = targets.long() * num_classes + predictions.long()  # (N,)
    counts = torch.bincount(cells, minlength=num_classes * num_classes)
    return counts.view(num_classes, num_classes)


# --8<-- [end:confusion_matrix]


def check_confusion(confusion: Tensor) -> None:
    """Refuse anything but a square table of counts with at least one sample.

    Raises:
        TypeError: If the dtype is not an integer one.
        ValueError: If the shape is not `(K, K)`, a count is negative, or all are 0.

    Examples:
        >>> check_confusion(torch.zeros(2, 2, dtype=torch.int64))
        Traceback (most recent call last):
        ...
        ValueError: confusion must count at least one sample, got 0

    Explained in:
        [Metrics][metrics]
    """
    check_shape("confusion", confusion, "K", "K")
    check_shape("confusion", confusion, len(confusion), len(confusion))
    check_counts("confusion", confusion)
    if not confusion.any():
        raise ValueError("confusion must count at least one sample, got 0")


# --8<-- [start:class_scores]
def class_scores(confusion: Tensor) -> ClassScores:
    """Precision, recall and F1 of each class.

    A class that is never predicted has a precision of 0, one that never occurs a recall of 0,
    and one that does neither also an F1 of 0. Scikit-learn counts likewise (`zero_division=0`).

    Args:
        confusion: `(K, K)` counts of [`confusion_matrix`][notes.metrics.confusion_matrix].

    Returns:
        Precision, recall, F1 and number of samples, each `(K,)`.

    Raises:
        TypeError: If the dtype is not an integer one.
        ValueError: If the shape is not `(K, K)`, a count is negative, or all are 0.

    Source:
        Van Rijsbergen, "Information Retrieval" (1979), chapter 7.

    Examples:
        >>> scores = class_scores(torch.tensor([[8, 2], [0, 10]]))
        >>> scores.recall
        tensor([0.8000, 1.0000], dtype=torch.float64)

    Explained in:
        [Metrics][metrics]
    """
    check_confusion(confusion)
    confusion = confusion.long()
    correct = confusion.diagonal().double()
    called = confusion.sum(dim=0)  # column sums: predicted as this class
    support = confusion.sum(dim=1)  # row sums: truly this class
    # Where a count is 0, so is `correct`: dividing by 1 gives 0 instead of NaN.
    return ClassScores(
        precision=correct / called.clamp(min=1),
        recall=correct / support.clamp(min=1),
        f1=2 * correct / (called + support).clamp(min=1),
        support=support,
    )


# --8<-- [end:class_scores]
