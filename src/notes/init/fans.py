r"""Fan and gain: the two numbers behind Xavier and Kaiming.

A unit adds up fan_in products of a weight and an input. With independent weights of mean 0 its
variance is $\text{fan\_in} \cdot \operatorname{Var}(w) \cdot \mathbb{E}(x^2)$. So
$\operatorname{Var}(w) = 1/\text{fan\_in}$ keeps the signal on the way forward, and
$1/\text{fan\_out}$ the gradient on the way back. An activation changes the variance too; the
gain makes up for it.

Shapes: `O` outputs, `I` inputs, `...` the sides of a kernel.
"""

import math
from typing import Literal

from torch import Tensor

from notes.checks import check_not_empty, check_shape

Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


# --8<-- [start:fans]
def fans(tensor: Tensor) -> tuple[int, int]:
    r"""How many inputs feed an output, and how many outputs an input feeds.

    $$\text{fan\_in} = I \cdot k, \qquad \text{fan\_out} = O \cdot k$$

    with $k$ the number of places in the kernel, 1 for a linear layer.

    Args:
        tensor: A weight, `(O, I, ...)`.

    Returns:
        fan_in and fan_out.

    Raises:
        ValueError: If the tensor is empty or has fewer than two dimensions.

    Examples:
        >>> import torch
        >>> fans(torch.empty(8, 4, 3, 3))
        (36, 72)

    Explained in:
        [Initialization][initialization]
    """
    check_shape("tensor", tensor, "O", "I", "...")
    check_not_empty("tensor", tensor)
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places


# --8<-- [end:fans]


# --8<-- [start:gain_of]
def gain_of(nonlinearity: Nonlinearity, negative_slope: float = 0.0) -> float:
    r"""The factor on the standard deviation that makes up for the activation that follows.

    | activation | gain |
    |---|---|
    | linear, sigmoid | $1$ |
    | tanh | $5/3$ |
    | ReLU | $\sqrt{2}$: half of the signal is cut off |
    | leaky ReLU of slope $a$ | $\sqrt{2 / (1 + a^2)}$ |
    | SELU | $3/4$ |

    Args:
        nonlinearity: Name of the activation.
        negative_slope: $a$; only `"leaky_relu"` looks at it.

    Raises:
        ValueError: If the name is not known.

    Examples:
        >>> round(gain_of("relu"), 4), round(gain_of("leaky_relu", math.sqrt(5)), 4)
        (1.4142, 0.5774)

    Explained in:
        [Initialization][initialization]
    """
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + negative_slope**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity must be one of {sorted(gains)}, got {nonlinearity!r}")
    return gains[nonlinearity]


# --8<-- [end:gain_of]
