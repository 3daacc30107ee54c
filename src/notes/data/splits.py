"""Splits into parts that share nothing: at random, by class, by group, and into folds.

A part is a tensor of indices: `images[part]` are its images. To split in the order of the file,
slice: `images[:1400]`.

Source: Kohavi, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model
Selection" (1995), https://mlanthology.org/ijcai/1995/kohavi1995ijcai-study/.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from notes.checks import as_integer, check_shape

TOLERANCE = 1e-6  # of a sum of fractions, which may be rounded to float32


# --8<-- [start:split_indices]
def split_indices(
    num_examples: int, sizes: Sequence[float], *, generator: Generator | None = None
) -> tuple[Tensor, ...]:
    """Random parts of `range(num_examples)` that do not overlap and leave nothing out.

    Right when the examples are independent of each other. If several come from one person, one
    patient or one video, take `group_split`.

    Args:
        num_examples: How many examples there are.
        sizes: One entry for each part: numbers of examples (whole numbers that sum to
            `num_examples`), or fractions (that sum to 1).
        generator: Draws the order. Without one, PyTorch's global generator does.

    Returns:
        For each part its indices, `(size,)` int64, in random order.

    Raises:
        TypeError: If `num_examples` is not an integer, or a size no number.
        ValueError: If the sizes do not sum to the whole, or a part would be empty.

    Examples:
        >>> train, test = split_indices(5, [0.6, 0.4], generator=torch.Generator().manual_seed(0))
        >>> len(train), len(test)
        (3, 2)
        >>> torch.cat([train, test]).sort().values
        tensor([0, 1, 2, 3, 4])

    Explained in:
        [Data][data]
    """
    num_examples = as_integer("num_examples", num_examples)
    whole_sizes = _whole_sizes(num_examples, sizes)
    return torch.split(torch.randperm(num_examples, generator=generator), whole_sizes)


# --8<-- [end:split_indices]


# --8<-- [start:stratified_split]
def stratified_split(
    labels: Tensor, sizes: Sequence[float], *, generator: Generator | None = None
) -> tuple[Tensor, ...]:
    """Random parts in which every class is about as frequent as in the whole.

    Args:
        labels: `(N,)` class of each example, integers.
        sizes: As for `split_indices`.
        generator: As for `split_indices`.

    Returns:
        For each part its indices, `(size,)` int64, in random order. With `P` parts, each class is
        off its exact share by less than `P - 1` examples: with two parts, the share is rounded
        down or up.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: As for `split_indices`, or if a class has fewer examples than there are parts.

    Examples:
        >>> labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1])  # two zeros for each one
        >>> train, test = stratified_split(labels, [6, 3])
        >>> labels[train].bincount(), labels[test].bincount()
        (tensor([4, 2]), tensor([2, 1]))

    Explained in:
        [Data][data]
    """
    labels = _as_names("labels", labels)
    whole_sizes = _whole_sizes(len(labels), sizes)
    _check_class_sizes(labels, num_parts=len(whole_sizes))
    shuffled = torch.randperm(len(labels), generator=generator)
    by_class = shuffled[labels[shuffled].argsort(stable=True)]  # random within each class
    part_of_position = _spread(whole_sizes)
    parts = [by_class[part_of_position == part] for part in range(len(whole_sizes))]
    return tuple(part[torch.randperm(len(part), generator=generator)] for part in parts)


# --8<-- [end:stratified_split]


# --8<-- [start:group_split]
def group_split(
    groups: Tensor, sizes: Sequence[float], *, generator: Generator | None = None
) -> tuple[Tensor, ...]:
    """Random parts that keep each group together.

    A model that has seen one photo of a face knows something about the next photo of it. With the
    person as the group, no face of the test part has been seen in training.

    Args:
        groups: `(N,)` integers: examples with the same number stay together.
        sizes: As for `split_indices`, but counted in groups, not in examples.
        generator: As for `split_indices`.

    Returns:
        For each part its indices, int64, ascending. No group is in two parts.

    Raises:
        TypeError: If the groups are not integers.
        ValueError: As for `split_indices`.

    Examples:
        >>> writers = torch.tensor([7, 7, 7, 8, 8, 9])
        >>> train, test = group_split(writers, [2, 1])
        >>> set(writers[train].tolist()) & set(writers[test].tolist())
        set()

    Explained in:
        [Data][data]
    """
    names, group_of_example = torch.unique(_as_names("groups", groups), return_inverse=True)
    parts = split_indices(len(names), sizes, generator=generator)
    return tuple(torch.isin(group_of_example, part).nonzero()[:, 0] for part in parts)


# --8<-- [end:group_split]


# --8<-- [start:k_fold]
def k_fold(
    num_examples: int,
    num_folds: int,
    *,
    shuffle: bool = False,
    generator: Generator | None = None,
) -> list[tuple[Tensor, Tensor]]:
    """Pairs of parts for cross-validation: each example is held out exactly once.

    Args:
        num_examples: How many examples there are.
        num_folds: How many pairs to make.
        shuffle: Whether to deal the examples at random. Otherwise each fold is a run of
            neighbors, which is safer when neighbors look alike.
        generator: Draws the order. Without one, PyTorch's global generator does.

    Returns:
        For each fold the indices to learn from and those held out, int64, ascending. The sizes of
        the folds differ by at most 1.

    Raises:
        TypeError: If a number is not an integer.
        ValueError: If `num_folds` is below 2 or above `num_examples`.

    Examples:
        >>> k_fold(5, 2)
        [(tensor([3, 4]), tensor([0, 1, 2])), (tensor([0, 1, 2]), tensor([3, 4]))]

    Explained in:
        [Data][data]
    """
    num_examples = as_integer("num_examples", num_examples)
    num_folds = as_integer("num_folds", num_folds, minimum=2)
    if num_folds > num_examples:
        raise ValueError(f"num_folds must be at most num_examples, {num_examples}, got {num_folds}")
    order = torch.arange(num_examples)
    if shuffle:
        order = torch.randperm(num_examples, generator=generator)
    folds = torch.tensor_split(order, num_folds)
    return [
        (torch.cat(folds[:held_out] + folds[held_out + 1 :]).sort().values, fold.sort().values)
        for held_out, fold in enumerate(folds)
    ]


# --8<-- [end:k_fold]


def _whole_sizes(num_examples: int, sizes: Sequence[float]) -> list[int]:
    """The sizes in examples. Fractions are rounded so that the sum stays exact."""
    numbers = [_plain_number(size) for size in sizes]
    total = math.fsum(numbers)
    # [1.0] is all of the examples; [1] is one of them.
    one = abs(total - 1) < TOLERANCE and not all(isinstance(size, int) for size in numbers)
    counted = all(size % 1 == 0 for size in numbers) and not one
    if not (one or (counted and total == num_examples)):
        wanted_sum = num_examples if counted else 1
        raise ValueError(f"sizes must sum to {wanted_sum}, got {numbers}")
    share = 1 if counted else num_examples / total
    exact_ends = [math.fsum(numbers[: part + 1]) * share for part in range(len(numbers))]
    # Halves always go up (round() would send them to even numbers), so whole shares stay whole.
    ends = [math.floor(end + 0.5 + 1e-9) for end in exact_ends]
    whole_sizes = [end - start for start, end in itertools.pairwise([0, *ends])]
    if min(whole_sizes, default=0) < 1:
        raise ValueError(
            f"sizes must give each part an example, got {whole_sizes} of {num_examples} examples"
        )
    return whole_sizes


def _plain_number(size: Any) -> float:
    """As Python has it, from a number of Python, of NumPy or of a tensor."""
    number = size.item() if hasattr(size, "item") else size
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"sizes must be numbers, got {size!r}")
    return number


def _as_names(name: str, labels: Tensor) -> Tensor:
    """Integers of any dtype, as `(N,)` int64 on the CPU."""
    check_shape(name, labels, "N")
    if labels.is_floating_point() or labels.is_complex():
        raise TypeError(f"{name} must be a tensor of integers, got {labels.dtype}")
    return labels.cpu().long()


def _check_class_sizes(labels: Tensor, num_parts: int) -> None:
    classes, counts = torch.unique(labels, return_counts=True)
    if counts.min() < num_parts:
        rarest = counts.argmin()
        raise ValueError(
            f"labels must hold at least {num_parts} examples of each class, one for each part, "
            f"got {counts[rarest].item()} of class {classes[rarest].item()}"
        )


def _spread(sizes: list[int]) -> Tensor:
    """The part of every position, `(N,)`, such that each part is spread evenly.

    A part of 2 in 10 wants the positions 2.5 and 7.5. Sorted by these wishes, every stretch of
    positions holds about its share of every part, and the sizes stay exact.
    """
    wishes = torch.cat([(torch.arange(size, dtype=torch.float64) + 0.5) / size for size in sizes])
    part_of_wish = torch.repeat_interleave(torch.tensor(sizes))
    return part_of_wish[wishes.argsort(stable=True)]
