"""How the signals and the gradients fare on their way through a network."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from notes.checks import check_finite, check_not_empty


@dataclass
class LayerVariance:
    """What one layer puts out and gets back.

    Attributes:
        name: Path of the module inside the model, such as `features.0`.
        kind: Class of the module.
        activation: Variance of all the numbers that it puts out.
        gradient: Variance of the gradient of its output; 0 if none arrives.

    Explained in:
        [Initialization][initialization]
    """

    name: str
    kind: str
    activation: float
    gradient: float = 0.0


# --8<-- [start:variance_report]
def variance_report(
    model: nn.Module, inputs: Tensor, *, generator: Generator | None = None
) -> list[LayerVariance]:
    """Variance of every layer's output and of the gradient that comes back to it.

    One batch goes forward; then standard normal noise goes backward from the output, as if it
    were the gradient of a loss. So the gradient of the last layer has a variance of about 1, and
    every change toward the first is the network's doing. A healthy network keeps both variances
    within a few powers of ten over its whole depth.

    The look is taken at a copy: parameters, gradients, running averages and mode stay as they are.

    Args:
        model: Any module that takes one tensor and puts out one. It is looked at in the mode it
            is in: dropout and batch normalization count as they are.
        inputs: One batch, finite.
        generator: Draws the noise, on the device of the output. Without one, PyTorch's global
            generator does.

    Returns:
        A row for each module without children that puts out a floating-point tensor, in the order
        in which they ran; a module that ran twice has two rows. A variance that has left the range
        of the dtype is infinite or NaN.

    Raises:
        ValueError: If the inputs are empty or not finite.

    Source:
        Glorot and Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html, figures 6 and 7

    Examples:
        >>> from notes.init.structured import orthogonal_
        >>> generator = torch.Generator().manual_seed(0)
        >>> model = nn.Sequential(*(nn.Linear(256, 256, bias=False) for _ in range(3)))
        >>> for layer in model:
        ...     _ = orthogonal_(layer.weight, gain=2.0, generator=generator)
        >>> inputs = torch.randn(64, 256, generator=generator)
        >>> for row in variance_report(model, inputs, generator=generator):
        ...     print(row.name, row.kind, round(row.activation), round(row.gradient))
        0 Linear 4 16
        1 Linear 16 4
        2 Linear 64 1

    Explained in:
        [Initialization][initialization]
    """
    check_not_empty("inputs", inputs)
    check_finite("inputs", inputs)
    model = copy.deepcopy(model)  # batch normalization would move its averages
    inputs = inputs.detach().clone().requires_grad_(inputs.is_floating_point())
    rows: list[LayerVariance] = []
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(_watch(name, rows))
    with torch.enable_grad():
        output = model(inputs)
    if output.requires_grad:
        output.backward(torch.empty_like(output).normal_(generator=generator))
    return rows


# --8<-- [end:variance_report]


def _watch(name: str, rows: list[LayerVariance]) -> Callable[[nn.Module, object, object], None]:
    """A hook that appends one row for each call of a module."""

    def look(module: nn.Module, _: object, output: object) -> None:
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return
        row = LayerVariance(name, type(module).__name__, _variance(output))
        rows.append(row)

        def receive(gradient: Tensor) -> None:
            row.gradient = _variance(gradient)

        # A hook on the tensor still sees the right gradient if the next layer works in place.
        if output.requires_grad:
            output.register_hook(receive)

    return look


def _variance(values: Tensor) -> float:
    # In float64, so that the report itself does not overflow before the network does.
    return values.detach().double().var(correction=0).item()
