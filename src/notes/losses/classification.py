"""Losses for classes: how surprised the model is by the right answer.

A NaN in the logits makes the loss NaN, so that a training loop can see it.

Shapes: `B` batch, `K` classes.
"""

import torch
from torch import Tensor

from notes.checks import (
    check_floating,
    check_indices,
    check_not_empty,
    check_probabilities,
    check_probability,
    check_same,
    check_shape,
)
from notes.losses._reduction import Reduction, reduce_losses
from notes.losses.softmax import log_softmax, log_sum_exp


# --8<-- [start:negative_log_likelihood]
def negative_log_likelihood(
    log_probabilities: Tensor, targets: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Minus the log-probability of the right class: PyTorch's `nll_loss`.

    $$\ell_i = -\log p_{i, y_i}$$

    It takes *logarithms*. Given probabilities, PyTorch's quietly returns a negative loss; here
    that is an error.

    Args:
        log_probabilities: $\log p$, `(B, K)`, floating point, at most 0; from `log_softmax`.
        targets: $y$, `(B,)` integers in [0, K).
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` `(B,)`.

    Raises:
        TypeError: If a dtype is wrong.
        ValueError: If a shape or a label is wrong, the batch is empty, the devices differ or a
            log-probability is above 0.

    Examples:
        >>> probabilities = torch.tensor([[0.25, 0.75]])
        >>> negative_log_likelihood(probabilities.log(), torch.tensor([1]))
        tensor(0.2877)

    Explained in:
        [Losses][losses]
    """
    _check_scores("log_probabilities", log_probabilities, targets)
    largest = log_probabilities.max().item()
    if largest > 1e-3:  # room for rounding
        raise ValueError(f"log_probabilities must be at most 0, got {largest:.4g}")
    return reduce_losses(-_pick(log_probabilities, targets), reduction)


# --8<-- [end:negative_log_likelihood]


# --8<-- [start:cross_entropy]
def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Softmax and negative log-likelihood in one: PyTorch's `cross_entropy`.

    $$\ell_i = -\log p_{i, y_i} = \log \sum_k e^{o_{ik}} - o_{i, y_i}$$

    Its gradient is as simple as can be: the probabilities minus the one-hot label. Label smoothing
    with $\epsilon$ replaces the one-hot label by $1 - \epsilon$ on the right class and $\epsilon$
    spread evenly over all $K$, so that no score has to grow without end:

    $$\ell_i = -(1 - \epsilon) \log p_{i, y_i} - \frac{\epsilon}{K} \sum_k \log p_{ik}$$

    Args:
        logits: $o$, `(B, K)` scores, floating point; *not* probabilities.
        targets: $y$, `(B,)` integers in [0, K).
        label_smoothing: $\epsilon$, in [0, 1].
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` `(B,)`.

    Raises:
        TypeError: If a dtype is wrong.
        ValueError: If a shape or a label is wrong, the batch is empty, the devices differ or
            `label_smoothing` lies outside [0, 1].

    Source:
        For label smoothing: Szegedy et al., "Rethinking the Inception Architecture for Computer
        Vision" (2015), https://arxiv.org/abs/1512.00567

    Examples:
        >>> cross_entropy(torch.tensor([[0.2, 0.1, -0.1]]), torch.tensor([0]))
        tensor(0.9729)

    Explained in:
        [Losses][losses]
    """
    _check_scores("logits", logits, targets)
    check_probability("label_smoothing", label_smoothing)
    log_probabilities = log_softmax(logits)
    losses = -_pick(log_probabilities, targets)
    if label_smoothing > 0:
        evenly = -log_probabilities.mean(dim=1)
        losses = (1 - label_smoothing) * losses + label_smoothing * evenly
    return reduce_losses(losses, reduction)


# --8<-- [end:cross_entropy]


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

    A sigmoid is a softmax over two scores, 0 for "no" and $o$ for "yes":

    $$\ell = \log\left(e^0 + e^o\right) - y \, o$$

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
    two_scores = torch.stack([torch.zeros_like(logits), logits], dim=-1)  # (..., 2)
    return reduce_losses(log_sum_exp(two_scores) - targets * logits, reduction)


# --8<-- [end:binary_cross_entropy_with_logits]


def _clipped_log(values: Tensor) -> Tensor:
    """The logarithm, but at least -100; at 0 without the NaN that clamping leaves behind."""
    positive = values > 0
    return torch.where(positive, torch.where(positive, values, 1.0).log(), -100.0).clamp(min=-100.0)


def _pick(rows: Tensor, targets: Tensor) -> Tensor:
    """From each row the entry of its target, `(B,)`."""
    return rows.gather(1, targets[:, None].long())[:, 0]


def _check_scores(name: str, scores: Tensor, targets: Tensor) -> None:
    check_shape(name, scores, "B", "K")
    check_floating(name, scores)
    check_not_empty(name, scores)
    check_shape("targets", targets, scores.shape[0])
    if targets.device != scores.device:
        raise ValueError(
            f"targets must be on the device of {name}, {scores.device}, got {targets.device}"
        )
    check_indices("targets", targets, scores.shape[1])


def _check_binary(name: str, predictions: Tensor, targets: Tensor) -> None:
    check_floating(name, predictions)
    check_shape("targets", targets, *predictions.shape)
    check_same(name, predictions, "targets", targets)
    check_not_empty(name, predictions)
    check_probabilities("targets", targets)
