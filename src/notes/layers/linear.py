"""The linear layer: every output is a weighted sum of all inputs, plus a bias.

Shapes: `...` any number of leading dimensions, `D` features of the input, `O` features of the
output.
"""

import math

import torch
from torch import Generator, Tensor, nn

from notes.checks import as_integer, check_floating, check_same, check_shape


# --8<-- [start:linear]
def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Weighted sums of the last dimension.

    $$Y = X W^\top + b$$

    Each row of $W$ holds the weights of one output. All dimensions but the last are left as they
    are, so a layer can work on single examples, batches and batches of sequences.

    Args:
        inputs: $X$, `(..., D)`, floating point. An empty batch gives an empty output.
        weight: $W$, `(O, D)`.
        bias: $b$, `(O,)`, or none.

    Returns:
        $Y$, `(..., O)`.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the sizes do not fit together.

    Examples:
        >>> weight = torch.tensor([[1.0, 1.0], [1.0, -1.0]])  # the sum and the difference
        >>> linear(torch.tensor([[5.0, 3.0]]), weight, bias=torch.tensor([0.0, 10.0]))
        tensor([[ 8., 12.]])

    Explained in:
        [Layers by hand][layers-by-hand]
    """
    check_shape("weight", weight, "O", "D")
    check_floating("inputs", inputs)
    check_same("inputs", inputs, "weight", weight)
    if inputs.dim() == 0 or inputs.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"inputs must have {weight.shape[1]} features in the last dimension, "
            f"got shape {tuple(inputs.shape)}"
        )
    output = inputs @ weight.T  # (..., O)
    if bias is None:
        return output
    check_shape("bias", bias, weight.shape[0])
    check_same("inputs", inputs, "bias", bias)
    return output + bias.to(output.dtype)  # another one under autocast only


# --8<-- [end:linear]


# --8<-- [start:Linear]
class Linear(nn.Module):
    r"""A linear layer with its own weight and bias: `(..., D)` inputs to `(..., O)` outputs.

    It names, shapes and starts its parameters as `torch.nn.Linear` does, so each can load the
    other's `state_dict`. All of them start from $U(-1/\sqrt{D},\, 1/\sqrt{D})$.

    Args:
        in_features: `D`.
        out_features: `O`.
        bias: Whether a bias is added.
        generator: Draws the parameters. Without one, PyTorch's global generator does.

    Attributes:
        weight: `(O, D)`.
        bias: `(O,)`, or none.

    Raises:
        ValueError: If a number of features is not positive.

    Examples:
        >>> layer = Linear(4, 3, generator=torch.Generator().manual_seed(0))
        >>> layer(torch.zeros(2, 5, 4)).shape
        torch.Size([2, 5, 3])

    Explained in:
        [Layers by hand][layers-by-hand]
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        generator: Generator | None = None,
    ) -> None:
        in_features = as_integer("in_features", in_features)
        out_features = as_integer("out_features", out_features)
        super().__init__()
        bound = 1 / math.sqrt(in_features)
        weight = torch.empty(out_features, in_features).uniform_(-bound, bound, generator=generator)
        self.weight = nn.Parameter(weight)
        self.bias: nn.Parameter | None = None
        if bias:
            start = torch.empty(out_features).uniform_(-bound, bound, generator=generator)
            self.bias = nn.Parameter(start)

    def forward(self, inputs: Tensor) -> Tensor:
        """`(..., D)` inputs to `(..., O)` outputs."""
        return linear(inputs, self.weight, self.bias)


# --8<-- [end:Linear]
