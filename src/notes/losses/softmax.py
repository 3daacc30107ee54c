r"""Softmax without overflow.

$e^{89}$ is too large for float32. Softmax does not change if the same number is taken from all
scores of a row; taking the largest leaves no exponent above 0.

Shapes: `...` any number of leading dimensions, `K` classes.
"""

import torch
from torch import Tensor

from notes.checks import check_floating


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
    shift = logits.detach().max(dim=-1, keepdim=True).values  # (..., 1)
    shift = torch.where(shift.isinf(), 0.0, shift)  # inf - inf would be NaN
    return shift.squeeze(-1) + (logits - shift).exp().sum(dim=-1).log()


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
    return logits - log_sum_exp(logits)[..., None]


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
    return log_softmax(logits).exp()


# --8<-- [end:softmax]
