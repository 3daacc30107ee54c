"""Losses for numbers: how far a prediction lies from its target.

A NaN in a prediction makes the loss NaN, so that a training loop can see it; a NaN in a target is
refused.

Shapes: all functions take predictions and targets of *equal* shape. Broadcasting `(N, 1)` against
`(N,)` would compare every prediction with every target.
"""

import torch
from torch import Tensor

from notes.checks import (
    check_finite,
    check_floating,
    check_not_empty,
    check_positive,
    check_same,
    check_shape,
)
from notes.losses._reduction import Reduction, reduce_losses


# --8<-- [start:squared_loss]
def squared_loss(predictions: Tensor, targets: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""The squared error, $\ell = (\hat{y} - y)^2$: PyTorch's `mse_loss`.

    Its gradient, $2(\hat{y} - y)$, grows with the error: a few outliers can decide everything.
    Many books put $\frac{1}{2}$ in front, PyTorch does not.

    Args:
        predictions: $\hat{y}$, any shape, floating point.
        targets: $y$, the same shape and dtype, finite.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` one for each entry.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, there is no entry or a target is not finite.

    Examples:
        >>> squared_loss(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 5.0]))
        tensor(1.3333)

    Explained in:
        [Losses][losses]
    """
    _check_pair(predictions, targets)
    return reduce_losses((predictions - targets) ** 2, reduction)


# --8<-- [end:squared_loss]


# --8<-- [start:absolute_loss]
def absolute_loss(predictions: Tensor, targets: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""The absolute error, $\ell = |\hat{y} - y|$: PyTorch's `l1_loss`.

    Its gradient is $-1$ or $1$ whatever the size of the error, so outliers count no more than
    others; at 0 it has a kink, where 0 is taken.

    Args:
        predictions: $\hat{y}$, any shape, floating point.
        targets: $y$, the same shape and dtype, finite.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` one for each entry.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, there is no entry or a target is not finite.

    Examples:
        >>> absolute_loss(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 5.0]))
        tensor(0.6667)

    Explained in:
        [Losses][losses]
    """
    _check_pair(predictions, targets)
    return reduce_losses((predictions - targets).abs(), reduction)


# --8<-- [end:absolute_loss]


# --8<-- [start:huber_loss]
def huber_loss(
    predictions: Tensor, targets: Tensor, *, delta: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    r"""Squared for small errors, absolute for large ones: PyTorch's `huber_loss`.

    $$\ell = \begin{cases}
    \frac{1}{2} e^2 & \text{if } |e| \le \delta \\
    \delta \left(|e| - \frac{1}{2} \delta\right) & \text{otherwise}
    \end{cases} \qquad e = \hat{y} - y$$

    The two pieces meet with the same value and slope; no gradient is larger than $\delta$.

    Args:
        predictions: $\hat{y}$, any shape, floating point.
        targets: $y$, the same shape and dtype, finite.
        delta: $\delta$, the error at which the pieces meet, greater than 0.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` one for each entry.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, there is no entry, a target is not finite or `delta` is
            not positive.

    Source:
        Huber, "Robust Estimation of a Location Parameter" (1964),
        https://doi.org/10.1214/aoms/1177703732

    Examples:
        >>> huber_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
        tensor([0.1250, 2.5000])

    Explained in:
        [Losses][losses]
    """
    _check_pair(predictions, targets)
    check_positive("delta", delta)
    errors = (predictions - targets).abs()
    losses = torch.where(errors <= delta, errors**2 / 2, delta * (errors - delta / 2))
    return reduce_losses(losses, reduction)


# --8<-- [end:huber_loss]


# --8<-- [start:smooth_l1_loss]
def smooth_l1_loss(
    predictions: Tensor, targets: Tensor, *, beta: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    r"""The Huber loss divided by its threshold: PyTorch's `smooth_l1_loss`.

    $$\ell = \begin{cases}
    \frac{1}{2} e^2 / \beta & \text{if } |e| \le \beta \\
    |e| - \frac{1}{2} \beta & \text{otherwise}
    \end{cases} \qquad e = \hat{y} - y$$

    Large errors have the slope 1 whatever $\beta$ is: the smaller $\beta$, the closer to the
    absolute loss. Usual for the corners of boxes.

    Args:
        predictions: $\hat{y}$, any shape, floating point.
        targets: $y$, the same shape and dtype, finite.
        beta: $\beta$, the error at which the pieces meet, greater than 0.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` one for each entry.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, there is no entry, a target is not finite or `beta` is
            not positive.

    Source:
        Girshick, "Fast R-CNN" (2015), https://arxiv.org/abs/1504.08083

    Examples:
        >>> smooth_l1_loss(torch.tensor([0.5, 2.0]), torch.zeros(2))
        tensor(0.8125)

    Explained in:
        [Losses][losses]
    """
    check_positive("beta", beta)
    return huber_loss(predictions, targets, delta=beta, reduction=reduction) / beta


# --8<-- [end:smooth_l1_loss]


def _check_pair(predictions: Tensor, targets: Tensor) -> None:
    check_floating("predictions", predictions)
    check_shape("targets", targets, *predictions.shape)
    check_same("predictions", predictions, "targets", targets)
    check_not_empty("predictions", predictions)
    check_finite("targets", targets)
