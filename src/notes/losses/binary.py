"""Losses for answers that are yes or no: how surprised the model is by the right one.

A NaN in a prediction makes the loss NaN, so that a training loop can see it.
"""

import torch
from torch import Tensor

from notes.checks import (
    check_floating,
    check_not_empty,
    check_probabilities,
    check_same,
    check_shape,
)
from notes.losses._reduction import Reduction, reduce_losses


# --8<-- [start:binary_cross_entropy]
def binary_cross_entropy(
    probabilities: Tensor, targets: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Cross-entropy of yes-or-no answers given as probabilities.

    $$\ell = -y \log p - (1 - y) \log(1 - p)$$

    As in PyTorch's `binary_cross_entropy`, no logarithm goes below $-100$, so a certain but wrong
    answer costs 100 instead of infinity. At exactly 0 and 1 a probability has left the range in
    which rounding can tell it from its neighbors; the clipped logarithm is flat there and gives
    no gradient (PyTorch gives $10^{12}$). Prefer `binary_cross_entropy_with_logits`, which never
    gets there.

    Args:
        probabilities: $p$, any shape, floating point, in [0, 1].
        targets: $y$, the same shape and dtype, in [0, 1].
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` one for each entry.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, there is no entry or one lies outside [0, 1].

    Examples:
        >>> binary_cross_entropy(torch.tensor([0.2, 0.9]), torch.tensor([0.0, 1.0]))
        tensor(0.1643)

    Explained in:
        [Losses][losses]
    """
    _check_binary("probabilities", probabilities, targets)
    check_probabilities("probabilities", probabilities)
    yes = targets * _clipped_log(probabilities)
    no = (1 - targets) * _clipped_log(1 - probabilities)
    return reduce_losses(-yes - no, reduction)


# --8<-- [end:binary_cross_entropy]


# --8<-- [start:binary_cross_entropy_with_logits]
def binary_cross_entropy_with_logits(
    logits: Tensor, targets: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Cross-entropy of yes-or-no answers given as scores, stable for every score.

    A sigmoid is a softmax over two scores, 0 for "no" and $o$ for "yes", so a yes that is right
    costs $-\log \sigma(o) = \log(e^0 + e^{-o})$, and a no $\log(e^0 + e^o)$:

    $$\ell = y \log\left(1 + e^{-o}\right) + (1 - y) \log\left(1 + e^o\right)$$

    Args:
        logits: $o$, any shape, floating point; *not* probabilities.
        targets: $y$, the same shape and dtype, in [0, 1].
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` one for each entry.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, there is no entry or a target lies outside [0, 1].

    Examples:
        >>> binary_cross_entropy_with_logits(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
        tensor(0.4100)

    Explained in:
        [Losses][losses]
    """
    _check_binary("logits", logits, targets)
    zero = torch.zeros_like(targets)
    yes = targets * torch.logaddexp(zero, -logits)
    no = (1 - targets) * torch.logaddexp(zero, logits)
    return reduce_losses(yes + no, reduction)


# --8<-- [end:binary_cross_entropy_with_logits]


def _clipped_log(values: Tensor) -> Tensor:
    """The logarithm, but at least -100; at 0 without the NaN that clamping leaves behind."""
    positive = values > 0
    return torch.where(positive, torch.where(positive, values, 1.0).log(), -100.0).clamp(min=-100.0)


def _check_binary(name: str, predictions: Tensor, targets: Tensor) -> None:
    check_floating(name, predictions)
    check_shape("targets", targets, *predictions.shape)
    check_same(name, predictions, "targets", targets)
    check_not_empty(name, predictions)
    check_probabilities("targets", targets)
