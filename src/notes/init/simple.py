"""Fill a tensor without looking at its shape.

Every function here fills its argument in place, leaves autograd out of it, and returns the tensor.
A generator must live on the device of the tensor, as in `torch.nn.init`.
Pass it `layer.weight`, or a whole tree by `notes.init.by_type.init_by_type`.
"""

import torch
from torch import Generator, Tensor

from notes.checks import check_floating


# --8<-- [start:uniform_]
def uniform_(
    tensor: Tensor, low: float = 0.0, high: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    r"""Fill with draws from $U(\text{low}, \text{high})$: every value between is as likely.

    The variance is $(\text{high} - \text{low})^2 / 12$.

    Args:
        tensor: Any shape, floating point; filled in place.
        low: The smallest value.
        high: The upper end, not below `low`.
        generator: Draws the values. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If `high` is below `low`.

    Examples:
        >>> weight = uniform_(torch.empty(2, 3), -0.1, 0.1)
        >>> bool((weight.abs() <= 0.1).all())
        True

    Explained in:
        [Initialization][initialization]
    """
    check_floating("tensor", tensor)
    if not low <= high:
        raise ValueError(f"high must be at least low, {low}, got {high}")
    with torch.no_grad():
        return tensor.uniform_(low, high, generator=generator)


# --8<-- [end:uniform_]


# --8<-- [start:normal_]
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    r"""Fill with draws from $\mathcal{N}(\text{mean}, \text{std}^2)$.

    The argument is the standard deviation, and the second place of $\mathcal{N}$ the variance:
    `std=0.01` means a variance of 0.0001.

    Args:
        tensor: Any shape, floating point; filled in place.
        mean: The center.
        std: The standard deviation, not negative.
        generator: Draws the values. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If `std` is negative.

    Examples:
        >>> normal_(torch.empty(2), mean=3.0, std=0.0)
        tensor([3., 3.])

    Explained in:
        [Initialization][initialization]
    """
    check_floating("tensor", tensor)
    if not std >= 0:
        raise ValueError(f"std must be at least 0, got {std}")
    with torch.no_grad():
        return tensor.normal_(mean, std, generator=generator)


# --8<-- [end:normal_]


# --8<-- [start:constant_]
def constant_(tensor: Tensor, value: float) -> Tensor:
    """Fill with one value.

    Right for biases. For weights it is a trap: the units of a layer start equal, get equal
    gradients and stay equal.

    Args:
        tensor: Any shape, floating point; filled in place.
        value: The value.

    Raises:
        TypeError: If the tensor is not a floating-point one.

    Examples:
        >>> constant_(torch.empty(3), 0.5)
        tensor([0.5000, 0.5000, 0.5000])

    Explained in:
        [Initialization][initialization]
    """
    check_floating("tensor", tensor)
    with torch.no_grad():
        return tensor.fill_(value)


# --8<-- [end:constant_]
