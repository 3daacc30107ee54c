"""Batch normalization: give every channel mean 0 and variance 1, then a learned mean and scale.

Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
Internal Covariate Shift" (2015), https://arxiv.org/abs/1502.03167. Differs from the paper: the
statistics for evaluation are running averages, as in PyTorch, not those of many batches.

Half-precision inputs are calculated with in `float32`, as in PyTorch, and may meet parameters of
either dtype.

Shapes: `B` batch, `C` channels or features, `...` nothing, or the positions: `H`, `W`.
"""

import torch
from torch import Tensor, nn

from notes.checks import (
    as_integer,
    check_device,
    check_finite,
    check_floating,
    check_not_empty,
    check_positive,
    check_probability,
    check_same,
    check_shape,
)


def batch_statistics(inputs: Tensor) -> tuple[Tensor, Tensor]:
    r"""Mean and variance of each channel, over the examples and all positions.

    $$\mu_c = \frac{1}{n} \sum_{i=1}^{n} x_{ic} \qquad
    \sigma_c^2 = \frac{1}{n} \sum_{i=1}^{n} (x_{ic} - \mu_c)^2$$

    Here $n$ counts the examples, times the positions if there are any. The variance is the biased
    one, divided by $n$ and not by $n - 1$.

    Args:
        inputs: `(B, C, ...)`, floating point, at least one value for each channel.

    Returns:
        Means and variances, each `(C,)`; `float32` for half-precision inputs.

    Raises:
        TypeError: If the inputs are not a floating-point tensor.
        ValueError: If the inputs have fewer than two dimensions or no value.

    Examples:
        >>> batch_statistics(torch.tensor([[1.0, 10.0], [3.0, 30.0]]))
        (tensor([ 2., 20.]), tensor([  1., 100.]))

    Explained in:
        [Batch normalization][batch-normalization]
    """
    _check_inputs(inputs)
    check_not_empty("inputs", inputs)
    inputs = _at_least_float32(inputs)  # the squares of half-precision numbers may overflow
    # --8<-- [start:batch_statistics]
    values = inputs.transpose(0, 1).flatten(start_dim=1)  # (C, n)
    mean = values.mean(dim=1)
    variance = ((values - mean[:, None]) ** 2).mean(dim=1)
    return mean, variance

    # --8<-- [end:batch_statistics]


def normalize(
    inputs: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    eps: float = 1e-5,
) -> Tensor:
    r"""Standardize each channel with the given statistics, then scale and shift it.

    $$y_{ic} = \gamma_c \, \frac{x_{ic} - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} + \beta_c$$

    Args:
        inputs: $x$, `(B, C, ...)`, floating point.
        mean: $\mu$, `(C,)`.
        variance: $\sigma^2$, `(C,)`, not negative.
        weight: $\gamma$, `(C,)`: the learned scale.
        bias: $\beta$, `(C,)`: the learned mean.
        eps: $\epsilon$, greater than 0: a channel that is constant must not divide by 0.

    Returns:
        $y$, in the shape and dtype of the inputs.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes do not fit together or `eps` is not positive.

    Examples:
        >>> inputs = torch.tensor([[1.0], [3.0]])
        >>> mean, variance = batch_statistics(inputs)
        >>> normalize(inputs, mean, variance, weight=torch.ones(1), bias=torch.zeros(1))
        tensor([[-1.0000],
                [ 1.0000]])

    Explained in:
        [Batch normalization][batch-normalization]
    """
    _check_inputs(inputs)
    check_positive("eps", eps)
    given = {"mean": mean, "variance": variance, "weight": weight, "bias": bias}
    for name, tensor in given.items():
        _check_of_channels(name, tensor, inputs)
    mean, variance = _at_least_float32(mean), _at_least_float32(variance)
    # --8<-- [start:normalize]
    # (C,) to (C, 1, 1): stands under the channels, and the same at every position.
    shape = [-1] + [1] * (inputs.dim() - 2)
    mean, variance = mean.reshape(shape), variance.reshape(shape)
    weight, bias = weight.reshape(shape), bias.reshape(shape)
    outputs = weight * (inputs - mean) / torch.sqrt(variance + eps) + bias
    return outputs.to(inputs.dtype)  # half precision again, if it was

    # --8<-- [end:normalize]


def batch_norm(
    inputs: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalize with the batch's own statistics in training, with the running ones otherwise.

    Training also moves the running averages, in place, a step toward the batch:

    $$r \leftarrow (1 - m)\, r + m \, s$$

    with momentum $m$ and the batch's statistic $s$. The running variance takes the unbiased
    variance, $\sigma^2 \cdot n / (n - 1)$, while the batch is normalized with the biased one.

    Args:
        inputs: `(B, C, ...)`, floating point.
        running_mean: `(C,)`; changed in training.
        running_var: `(C,)`; changed in training.
        weight: `(C,)`: the learned scale.
        bias: `(C,)`: the learned mean.
        training: Which statistics to use.
        momentum: $m$, in [0, 1]: how much the newest batch counts.
        eps: Added to the variance, greater than 0.

    Returns:
        The shape and dtype of the inputs.

    Raises:
        TypeError: If the dtypes differ or are not floating-point ones.
        ValueError: If the shapes do not fit together, a number is out of range, or, in training,
            there is only one value for each channel or one that is not finite.

    Source:
        Ioffe and Szegedy (2015), https://arxiv.org/abs/1502.03167

    Examples:
        >>> mean, var = torch.zeros(1), torch.ones(1)
        >>> inputs = torch.tensor([[1.0], [3.0]])
        >>> batch_norm(inputs, mean, var, torch.ones(1), torch.zeros(1), training=True)
        tensor([[-1.0000],
                [ 1.0000]])
        >>> mean, var
        (tensor([0.2000]), tensor([1.1000]))

    Explained in:
        [Batch normalization][batch-normalization]
    """
    _check_inputs(inputs)
    check_probability("momentum", momentum)
    for name, running in {"running_mean": running_mean, "running_var": running_var}.items():
        _check_of_channels(name, running, inputs)
    # --8<-- [start:batch_norm]
    if not training:
        return normalize(inputs, running_mean, running_var, weight, bias, eps=eps)
    mean, variance = batch_statistics(inputs)
    count = inputs.numel() // inputs.shape[1]
    if count == 1:
        raise ValueError(
            "inputs must have more than 1 value per channel in training, "
            f"got shape {tuple(inputs.shape)}"
        )
    check_finite("inputs", inputs)  # one NaN would stay in the running averages for ever
    output = normalize(inputs, mean, variance, weight, bias, eps=eps)
    with torch.no_grad():
        unbiased = variance * count / (count - 1)
        running_mean.copy_((1 - momentum) * running_mean + momentum * mean)
        running_var.copy_((1 - momentum) * running_var + momentum * unbiased)
    return output

    # --8<-- [end:batch_norm]


class BatchNorm(nn.Module):
    """Batch normalization with its own parameters and averages: `(B, C, ...)` to the same shape.

    Stands for `torch.nn.BatchNorm1d`, `2d` and `3d` at once, and each can load the other's
    `state_dict`: `weight` and `bias` are parameters; the averages are buffers, which are saved
    and moved with the layer, but not trained.

    Args:
        num_features: `C`.
        momentum: How much the newest batch counts in the averages, in [0, 1].
        eps: Added to the variance, greater than 0.

    Attributes:
        weight: `(C,)`, starts at 1.
        bias: `(C,)`, starts at 0.
        running_mean: `(C,)`, starts at 0.
        running_var: `(C,)`, starts at 1.
        num_batches_tracked: How many batches have moved the averages.
        momentum: As given.
        eps: As given.

    Raises:
        ValueError: If a number is out of range.

    Examples:
        >>> layer = BatchNorm(3)
        >>> layer(torch.rand(2, 3, 4, 4)).shape
        torch.Size([2, 3, 4, 4])
        >>> layer.num_batches_tracked
        tensor(1)

    Explained in:
        [Batch normalization][batch-normalization]
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, num_features: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        num_features = as_integer("num_features", num_features)
        check_probability("momentum", momentum)
        check_positive("eps", eps)
        super().__init__()
        self.momentum = momentum
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, inputs: Tensor) -> Tensor:
        """`(B, C, ...)` to the same shape."""
        output = batch_norm(
            inputs,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )
        if self.training:
            self.num_batches_tracked += 1
        return output


def _check_inputs(inputs: Tensor) -> None:
    check_shape("inputs", inputs, "B", "C", "...")
    check_floating("inputs", inputs)


def _check_of_channels(name: str, tensor: Tensor, inputs: Tensor) -> None:
    """Refuse what is not `(C,)` in the dtype of the inputs, or `float32` for half precision."""
    check_shape(name, tensor, inputs.shape[1])
    check_device("inputs", inputs, name, tensor)
    if tensor.dtype != torch.promote_types(inputs.dtype, torch.float32):
        check_same("inputs", inputs, name, tensor)


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
