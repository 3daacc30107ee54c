"""Xavier initialization: for linear layers, sigmoid and tanh.

Every function here fills its argument in place, leaves autograd out of it, and returns the tensor.
A generator must live on the device of the tensor, as in `torch.nn.init`.

Shapes: `O` outputs, `I` inputs, `...` the sides of a kernel.
"""

import math

import torch
from torch import Generator, Tensor

from notes.checks import check_floating, check_positive
from notes.init.fans import fans


# --8<-- [start:xavier_uniform_]
def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    r"""Fill with $U(-a, a)$, scaled between the needs of the forward and the backward pass.

    $$a = \text{gain} \cdot \sqrt{\frac{6}{\text{fan\_in} + \text{fan\_out}}}$$

    Args:
        tensor: A weight, `(O, I, ...)`, floating point; filled in place.
        gain: From `gain_of`, greater than 0.
        generator: Draws the values. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is empty or has fewer than two dimensions, or the gain is not positive.

    Source:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks" (2010), https://proceedings.mlr.press/v9/glorot10a.html

    Examples:
        >>> weight = xavier_uniform_(torch.empty(8, 4))
        >>> bool((weight.abs() <= math.sqrt(6 / 12)).all())
        True

    Explained in:
        [Initialization][initialization]
    """
    bound = math.sqrt(3) * _xavier_std(tensor, gain)  # U(-b, b) has the variance b * b / 3
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


# --8<-- [end:xavier_uniform_]


# --8<-- [start:xavier_normal_]
def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    r"""Fill with $\mathcal{N}(0, \sigma^2)$, of the same variance as `xavier_uniform_`.

    $$\sigma = \text{gain} \cdot \sqrt{\frac{2}{\text{fan\_in} + \text{fan\_out}}}$$

    Args:
        tensor: A weight, `(O, I, ...)`, floating point; filled in place.
        gain: From `gain_of`, greater than 0.
        generator: Draws the values. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is empty or has fewer than two dimensions, or the gain is not positive.

    Source:
        Glorot and Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html

    Examples:
        >>> weight = xavier_normal_(torch.empty(400, 600))
        >>> abs(float(weight.std()) - math.sqrt(2 / 1000)) < 0.001
        True

    Explained in:
        [Initialization][initialization]
    """
    std = _xavier_std(tensor, gain)
    with torch.no_grad():
        return tensor.normal_(0.0, std, generator=generator)


# --8<-- [end:xavier_normal_]


# --8<-- [start:xavier_std]
def _xavier_std(tensor: Tensor, gain: float) -> float:
    check_floating("tensor", tensor)
    check_positive("gain", gain)
    return gain * math.sqrt(2 / sum(fans(tensor)))


# --8<-- [end:xavier_std]
