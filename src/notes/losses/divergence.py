"""The distance from one distribution to another.

Shapes: `B` batch, `K` classes.
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


# --8<-- [start:kl_divergence]
def kl_divergence(
    log_probabilities: Tensor, targets: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    r"""Kullback-Leibler divergence from the predicted to the target distributions.

    $$\ell_i = \sum_k t_{ik} \left( \log t_{ik} - \log p_{ik} \right)$$

    0 if they are equal, and larger otherwise; a class with $t = 0$ adds 0. `"mean"` is the mean
    over the *examples*, which PyTorch's `kl_div` calls `"batchmean"`; its own `"mean"` divides by
    $K$ as well and is no divergence.

    Args:
        log_probabilities: $\log p$, `(B, K)`, floating point; from `log_softmax`.
        targets: $t$, `(B, K)` of the same dtype, in [0, 1].
        reduction: `"mean"`, `"sum"` or `"none"`.

    Returns:
        One number, or with `"none"` `(B,)`.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes differ, the batch is empty, or a row is no distribution: that is
            what happens if one forgets the logarithm.

    Source:
        Kullback and Leibler, "On Information and Sufficiency" (1951),
        https://doi.org/10.1214/aoms/1177729694

    Examples:
        >>> predicted, target = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.2, 0.8]])
        >>> kl_divergence(predicted.log(), target)
        tensor(0.1927)

    Explained in:
        [Losses][losses]
    """
    check_shape("log_probabilities", log_probabilities, "B", "K")
    check_shape("targets", targets, *log_probabilities.shape)
    check_floating("log_probabilities", log_probabilities)
    check_same("log_probabilities", log_probabilities, "targets", targets)
    check_not_empty("log_probabilities", log_probabilities)
    check_probabilities("targets", targets)
    _check_sums("targets", targets)
    _check_sums("exponentials of log_probabilities", log_probabilities.exp())
    # xlogy(t, t) is t * log(t), and 0 for t = 0. The same care for t * log(p): 0 * -inf is NaN.
    cross = torch.where(targets > 0, targets * log_probabilities, 0.0)
    return reduce_losses((torch.xlogy(targets, targets) - cross).sum(dim=1), reduction)


# --8<-- [end:kl_divergence]


def _check_sums(name: str, rows: Tensor) -> None:
    """Refuse rows that do not sum to 1, within what rounding in their dtype explains."""
    sums = rows.detach().sum(dim=1)
    tolerance = max(1e-3, torch.finfo(rows.dtype).eps ** 0.5)
    wrong = sums[~((sums - 1).abs() <= tolerance)]
    if len(wrong):
        raise ValueError(f"{name} must sum to 1 in each row, got {wrong[0].item():.4g}")
