"""Kaiming initialization: for ReLU and its relatives.

Every function here fills its argument in place, leaves autograd out of it, and returns the tensor.
A generator must live on the device of the tensor, as in `torch.nn.init`.

Shapes: `O` outputs, `I` inputs, `...` the sides of a kernel.
"""

import math
from typing import Literal

import torch
from torch import Generator, Tensor

from notes.checks import check_floating
from notes.init.fans import Nonlinearity, fans, gain_of

Mode = Literal["fan_in", "fan_out"]


# --8<-- [start:kaiming_uniform_]
def kaiming_uniform_(
    tensor: Tensor,
    negative_slope: float = 0.0,
    *,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    r"""Fill with $U(-b, b)$, scaled for ReLU and its relatives.

    $$b = \text{gain} \cdot \sqrt{\frac{3}{\text{fan}}}
    \qquad \text{for leaky ReLU} \quad b = \sqrt{\frac{6}{(1 + a^2) \, \text{fan}}}$$

    ReLU cuts off half of the signal, so the variance of the weights is doubled: $2/\text{fan}$.

    Args:
        tensor: A weight, `(O, I, ...)`, floating point; filled in place.
        negative_slope: $a$ of the leaky ReLU that follows; 0 for ReLU. PyTorch calls it `a`.
        mode: `"fan_in"` keeps the variance of the signals, `"fan_out"` that of the gradients.
        nonlinearity: The activation that follows.
        generator: Draws the values. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is empty or has fewer than two dimensions, or a name is not known.

    Source:
        He et al., "Delving Deep into Rectifiers" (2015), https://arxiv.org/abs/1502.01852

    Examples:
        >>> weight = kaiming_uniform_(torch.empty(400, 600))
        >>> bool((weight.abs() <= 0.1).all())
        True

    Explained in:
        [Initialization][initialization]
    """
    std = _kaiming_std(tensor, negative_slope, mode, nonlinearity)
    bound = math.sqrt(3) * std  # U(-b, b) has the variance b * b / 3
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


# --8<-- [end:kaiming_uniform_]


# --8<-- [start:kaiming_normal_]
def kaiming_normal_(
    tensor: Tensor,
    negative_slope: float = 0.0,
    *,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    r"""Fill with $\mathcal{N}(0, \sigma^2)$, of the same variance as `kaiming_uniform_`.

    $$\sigma = \frac{\text{gain}}{\sqrt{\text{fan}}}
    \qquad \text{for leaky ReLU} \quad \sigma = \sqrt{\frac{2}{(1 + a^2) \, \text{fan}}}$$

    Args:
        tensor: A weight, `(O, I, ...)`, floating point; filled in place.
        negative_slope: $a$ of the leaky ReLU that follows; 0 for ReLU. PyTorch calls it `a`.
        mode: `"fan_in"` keeps the variance of the signals, `"fan_out"` that of the gradients.
        nonlinearity: The activation that follows.
        generator: Draws the values. Without one, PyTorch's global generator does.

    Raises:
        TypeError: If the tensor is not a floating-point one.
        ValueError: If it is empty or has fewer than two dimensions, or a name is not known.

    Source:
        He et al. (2015), https://arxiv.org/abs/1502.01852

    Examples:
        >>> weight = kaiming_normal_(torch.empty(400, 600), 0.1, mode="fan_out")
        >>> abs(float(weight.std()) - math.sqrt(2 / 1.01 / 400)) < 0.001
        True

    Explained in:
        [Initialization][initialization]
    """
    std = _kaiming_std(tensor, negative_slope, mode, nonlinearity)
    with torch.no_grad():
        return tensor.normal_(0.0, std, generator=generator)


# --8<-- [end:kaiming_normal_]


# --8<-- [start:kaiming_std]
def _kaiming_std(
    tensor: Tensor, negative_slope: float, mode: Mode, nonlinearity: Nonlinearity
) -> float:
    check_floating("tensor", tensor)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan_in, fan_out = fans(tensor)
    fan = fan_in if mode == "fan_in" else fan_out
    return gain_of(nonlinearity, negative_slope) / math.sqrt(fan)


# --8<-- [end:kaiming_std]
