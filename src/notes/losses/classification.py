r"""Softmax, and losses for classes: how surprised the model is by the right answer.

$e^{89}$ is too large for float32. Softmax does not change if the same number is taken from all
scores of a row; taking the largest leaves no exponent above 0. Half-precision scores are
calculated with in `float32`, as in PyTorch.

A NaN in the logits makes the loss NaN, so that a training loop can see it.

Shapes: `...` any number of leading dimensions, `B` batch, `K` classes.
"""

import torch
from torch import Tensor

from notes.checks import (
    check_device,
    check_floating,
    check_indices,
    check_not_empty,
    check_probability,
    check_shape,
)
from notes.losses._reduction import Reduction, reduce_losses


# --8<-- [start:log_sum_exp]
def log_sum_exp(logits: Tensor) -> Tensor:
    r"""Logarithm of the sum of the exponentials, over the last dimension.

    $$\log \sum_k e^{o_k} = m + \log \sum_k e^{o_k - m}, \qquad m = \max_k o_k$$

    Args:
        logits: $o$, `(..., K)` scores, floating point; minus infinity rules a class out.

    Returns:
        `(...)`: for each row a little more than its largest score.

    Raises:
        TypeError: If the logits are not a floating-point tensor.
        ValueError: If there is no class.

    Examples:
        >>> log_sum_exp(torch.tensor([100.0, 100.0]))
        tensor(100.6931)

    Explained in:
        [Losses][losses]
    """
    check_floating("logits", logits)
    if logits.dim() == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits must have at least one class, got shape {tuple(logits.shape)}")
    # The shift cancels out, so it needs no gradient.
    scores = _at_least_float32(logits)
    shift = scores.detach().max(dim=-1, keepdim=True).values  # (..., 1)
    shift = torch.where(shift.isinf(), 0.0, shift)  # inf - inf would be NaN
    total = shift.squeeze(-1) + (scores - shift).exp().sum(dim=-1).log()
    return total.to(logits.dtype)


# --8<-- [end:log_sum_exp]


# --8<-- [start:log_softmax]
def log_softmax(logits: Tensor) -> Tensor:
    r"""Logarithms of the probabilities that the scores stand for.

    $$\log p_k = o_k - \log \sum_j e^{o_j}$$

    Written so, it stays finite where $\log(\operatorname{softmax}(o))$ would be $\log 0$.

    Args:
        logits: $o$, `(..., K)` scores, floating point.

    Returns:
        `(..., K)` numbers that are at most 0.

    Raises:
        TypeError: If the logits are not a floating-point tensor.
        ValueError: If there is no class.

    Examples:
        >>> log_softmax(torch.tensor([1000.0, 0.0]))
        tensor([    0., -1000.])

    Explained in:
        [Losses][losses]
    """
    check_floating("logits", logits)
    scores = _at_least_float32(logits)
    return (scores - log_sum_exp(scores)[..., None]).to(logits.dtype)


# --8<-- [end:log_softmax]


# --8<-- [start:softmax]
def softmax(logits: Tensor) -> Tensor:
    r"""The probabilities that the scores stand for.

    $$p_k = \frac{e^{o_k}}{\sum_j e^{o_j}}$$

    Args:
        logits: $o$, `(..., K)` scores, floating point.

    Returns:
        `(..., K)` numbers in [0, 1] that sum to 1 in each row.

    Raises:
        TypeError: If the logits are not a floating-point tensor.
        ValueError: If there is no class.

    Examples:
        >>> softmax(torch.tensor([1.0, -1.0, 2.0]))
        tensor([0.2595, 0.0351, 0.7054])

    Explained in:
        [Losses][losses]
    """
    check_floating("logits", logits)
    return log_softmax(_at_least_float32(logits)).exp().to(logits.dtype)


# --8<-- [end:softmax]


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
    log_probabilities = log_softmax(_at_least_float32(logits))
    losses = -_pick(log_probabilities, targets)
    if label_smoothing > 0:
        evenly = -log_probabilities.mean(dim=1)
        losses = (1 - label_smoothing) * losses + label_smoothing * evenly
    return reduce_losses(losses, reduction).to(logits.dtype)


# --8<-- [end:cross_entropy]


def _pick(rows: Tensor, targets: Tensor) -> Tensor:
    """From each row the entry of its target, `(B,)`."""
    return rows.gather(1, targets[:, None].long())[:, 0]


def _check_scores(name: str, scores: Tensor, targets: Tensor) -> None:
    check_shape(name, scores, "B", "K")
    check_floating(name, scores)
    check_not_empty(name, scores)
    check_shape("targets", targets, scores.shape[0])
    check_device(name, scores, "targets", targets)
    check_indices("targets", targets, scores.shape[1])


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
