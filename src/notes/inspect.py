"""Look inside a network: what each layer puts out, holds and costs.

A multiply-add is one multiplication and the addition that follows it. A weight is used once for
each position of the output, so a layer costs *weights x positions*; biases, activations, pooling
and normalization are not counted, as is usual.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
Transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class Layer:
    """One row of a summary.

    Attributes:
        name: Path of the module inside the model, such as `features.0`.
        kind: Class of the module.
        output_shape: Shape of its output with a batch of 1.
        num_parameters: Parameters that this row owns; shared ones count where they come first.
        multiply_adds: Multiply-adds for one input.

    Explained in:
        [LeNet][lenet]
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    num_parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Summary:
    """The layers of a model in the order in which they ran; `print` shows them as a table.

    Explained in:
        [LeNet][lenet]
    """

    layers: tuple[Layer, ...]

    @property
    def num_parameters(self) -> int:
        """All parameters of the model, each counted once."""
        return sum(layer.num_parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one input."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def num_activations(self) -> int:
        """Numbers that all layers together put out for one input."""
        return sum(torch.Size(layer.output_shape).numel() for layer in self.layers)

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "multiply-adds")
        rows = [
            (x.name, x.kind, _size(x.output_shape), f"{x.num_parameters:,}", f"{x.multiply_adds:,}")
            for x in self.layers
        ]
        total = ("total", "", "", f"{self.num_parameters:,}", f"{self.multiply_adds:,}")
        table = [head, *rows, total]
        widths = [max(len(row[column]) for row in table) for column in range(len(head))]
        return "\n".join(_line(row, widths) for row in table)


# --8<-- [start:summarize]
def summarize(
    model: nn.Module, input_shape: tuple[int, ...], *, dtype: torch.dtype | None = None
) -> Summary:
    """Shape, parameters and cost of every layer, found by sending one zero input through.

    The model is put into evaluation mode for the look and back afterwards; nothing in it changes.

    Args:
        model: Any module that takes one tensor. It may live on the `meta` device.
        input_shape: Shape of one input without the batch, such as `(1, 28, 28)`.
        dtype: Of the input; that of the parameters if not given. Embeddings want `torch.long`.

    Returns:
        A row for each module without children, or with parameters of its own.

    Raises:
        ValueError: If the model cannot take this input; the message names the layer.

    Examples:
        >>> print(summarize(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (4,)))
        layer  kind    output  parameters  multiply-adds
        0      Linear  1x3             15             12
        1      ReLU    1x3              0              0
        total                          15             12

    Explained in:
        [LeNet][lenet]
    """
    first = next(model.parameters(), torch.zeros(()))
    inputs = torch.zeros(1, *input_shape, dtype=dtype or first.dtype, device=first.device)
    layers: list[Layer] = []
    counted: set[int] = set()
    running = ["model"]

    def start(name: str, module: nn.Module, args: tuple[Tensor, ...]) -> None:
        running.append(f"{name} ({type(module).__name__}) after {tuple(args[0].shape)}")

    def finish(name: str, module: nn.Module, args: tuple[Tensor, ...], output: object) -> None:
        running.pop()
        result = output[0] if isinstance(output, tuple) else output
        if not isinstance(result, Tensor):
            return
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(map(id, own))
        size, cost = sum(p.numel() for p in own), _multiply_adds(module, args[0], result)
        layers.append(Layer(name, type(module).__name__, tuple(result.shape), size, cost))

    hooks = []
    for name, module in model.named_modules():
        if _is_leaf(module) or list(module.parameters(recurse=False)):
            hooks += [
                module.register_forward_pre_hook(lambda m, a, n=name: start(n, m, a)),
                module.register_forward_hook(lambda m, a, o, n=name: finish(n, m, a, o)),
            ]
    try:
        with torch.no_grad(), _evaluation_mode(model):
            model(inputs)
    except RuntimeError as error:
        raise ValueError(
            f"input_shape must fit the model, got {tuple(input_shape)}: {running[-1]}: {error}"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    return Summary(tuple(layers))


# --8<-- [end:summarize]


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _multiply_adds(module: nn.Module, inputs: Tensor, output: Tensor) -> int:
    if isinstance(module, nn.Linear):
        return module.weight.numel() * (output.numel() // module.out_features)
    if isinstance(module, Convolution):
        return module.weight.numel() * (output.numel() // module.out_channels)
    if isinstance(module, Transposed):
        return module.weight.numel() * (inputs.numel() // module.in_channels)
    if isinstance(module, nn.RNNBase):
        steps = inputs.numel() // module.input_size
        return steps * sum(w.numel() for n, w in module.named_parameters() if "weight" in n)
    if isinstance(module, nn.RNNCellBase):
        return (
            inputs.numel()
            // module.input_size
            * (module.weight_ih.numel() + module.weight_hh.numel())
        )
    return 0


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
    return "  ".join(left + right)
