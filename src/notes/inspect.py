"""Look inside a network: what each layer puts out, holds and costs.

A multiply-add is one multiplication and the addition that follows it. A weight is used once for
each position of the output, so a layer costs *weights x positions*. Products of two activations,
as in attention, are counted too; biases, activations, pooling and normalization are not, as is
usual.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import type_before_parametrizations
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Layer:
    """One row of a summary.

    Attributes:
        name: Path of the module inside the model, such as `features.0`.
        kind: Class of the module.
        output_shape: Shape of its output (of the first tensor in it) with a batch of 1.
        num_parameters: Parameters that this row owns, with those of modules inside it that have no
            row; shared ones count where they come first.
        multiply_adds: Multiply-adds for one input, without those of other rows inside.

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

    Attributes:
        layers: The rows.
        parameters_elsewhere: Parameters that no row owns: of modules that did not run, such as a
            head for training only, or that lent their weights without running.
        multiply_adds_elsewhere: Multiply-adds between the rows, such as a product of matrices in
            the `forward` of the model.

    Explained in:
        [LeNet][lenet]
    """

    layers: tuple[Layer, ...]
    parameters_elsewhere: int = 0
    multiply_adds_elsewhere: int = 0

    @property
    def num_parameters(self) -> int:
        """All parameters of the model, each counted once."""
        return sum(layer.num_parameters for layer in self.layers) + self.parameters_elsewhere

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one input."""
        return sum(layer.multiply_adds for layer in self.layers) + self.multiply_adds_elsewhere

    @property
    def num_activations(self) -> int:
        """Numbers that all layers together put out for one input."""
        return sum(torch.Size(layer.output_shape).numel() for layer in self.layers)

    def __str__(self) -> str:
        rows = [
            _cells(x.name, x.kind, x.output_shape, x.num_parameters, x.multiply_adds)
            for x in self.layers
        ]
        elsewhere = (self.parameters_elsewhere, self.multiply_adds_elsewhere)
        if any(elsewhere):
            rows.append(_cells("elsewhere", "", (), *elsewhere))
        total = _cells("total", "", (), self.num_parameters, self.multiply_adds)
        table = [("layer", "kind", "output", "parameters", "multiply-adds"), *rows, total]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        template = "{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}"
        return "\n".join(
            template.format(*itertools.chain(*zip(row, widths, strict=True))) for row in table
        )


def _cells(name: str, kind: str, shape: tuple[int, ...], *numbers: int) -> tuple[str, ...]:
    return (name, kind, "x".join(map(str, shape)), *(f"{number:,}" for number in numbers))


def _kind(module: nn.Module) -> str:
    return type_before_parametrizations(module).__name__


def _has_row(name: str, module: nn.Module) -> bool:
    """Whether no module inside this one runs, or it holds parameters of its own."""
    if "parametrizations" in name.split("."):  # part of a weight, not a layer
        return False
    parts = {
        child == "parametrizations" or isinstance(part, nn.ParameterList | nn.ParameterDict)
        for child, part in module.named_children()
    }
    return not parts or any(parts) or bool(list(module.parameters(recurse=False)))


def _first_tensor(value: object) -> Tensor | None:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return next((x for x in map(_first_tensor, value) if x is not None), None)
    return None


def _recurrent_cost(module: nn.RNNBase, inputs: object) -> int:
    """By formula, as not all kernels of recurrent layers are counted."""
    first = _first_tensor(inputs)
    steps = 0 if first is None else first.numel() // module.input_size
    return steps * sum(w.numel() for part in module.all_weights for w in part if w.ndim == 2)


def _with_parameters(layers: list[Layer], model: nn.Module) -> tuple[tuple[Layer, ...], int]:
    """The rows with their parameters, and the number of parameters that are left over.

    A parameter belongs to the first row around it, and of several names that it has to the
    earliest one.
    """
    rows: dict[str, int] = {}
    for row, layer in enumerate(layers):
        rows.setdefault(layer.name, row)
    nowhere = len(layers)
    owners: dict[nn.Parameter, int] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        while name not in rows and name:
            name = name.rpartition(".")[0]
        owners[parameter] = min(owners.get(parameter, nowhere), rows.get(name, nowhere))
    sizes = [0] * (nowhere + 1)
    for parameter, row in owners.items():
        sizes[row] += 0 if is_lazy(parameter) else parameter.numel()
    owning = [replace(x, num_parameters=n) for x, n in zip(layers, sizes, strict=False)]
    return tuple(owning), sizes[nowhere]


@contextmanager
def _counter() -> Iterator[FlopCounterMode]:
    """Counts matrix products and convolutions. Attention runs in its plain form for that."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            yield counter
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


class _Look:
    """What is written down while one input goes through the model."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self.counter = counter
        self.layers: list[Layer] = []
        self.in_rows = 0  # multiply-adds that belong to a row already
        self.running = [("model", 0)]

    def in_no_row(self) -> int:
        return self.counter.get_total_flops() // 2 - self.in_rows

    def start(self, name: str, module: nn.Module, *inputs: object) -> None:
        shape = getattr(_first_tensor(inputs), "shape", ())
        place = f"{name} ({_kind(module)}) after {tuple(shape)}"
        self.running.append((place, self.in_no_row()))

    def finish(self, name: str, module: nn.Module, *inputs_and_output: object) -> None:
        _, before = self.running.pop()
        *inputs, outputs = inputs_and_output
        output, cost = _first_tensor(outputs), self.in_no_row() - before
        if output is None:
            return
        self.in_rows += cost
        if isinstance(module, nn.RNNBase):
            cost = _recurrent_cost(module, inputs)
        self.layers.append(Layer(name, _kind(module), tuple(output.shape), 0, cost))


# --8<-- [start:summarize]
def summarize(
    model: nn.Module, input_shape: tuple[int, ...], *, dtype: torch.dtype | None = None
) -> Summary:
    """Shape, parameters and cost of every layer, found by sending one zero input through.

    The model is put into evaluation mode for the look and back afterwards; nothing in it changes,
    except that lazy layers take their shape from the input.

    Args:
        model: Any module that takes one tensor. It may live on the `meta` device.
        input_shape: Shape of one input without the batch, such as `(1, 28, 28)`.
        dtype: Of the input; that of the parameters if not given. Embeddings want `torch.long`.

    Returns:
        A row for each run of a module without children, or with parameters of its own.

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
    hooks = []
    with torch.no_grad(), _evaluation_mode(model), _counter() as counter:
        look = _Look(counter)
        for name, module in model.named_modules():
            if _has_row(name, module):
                hooks += [
                    module.register_forward_pre_hook(partial(look.start, name), with_kwargs=True),
                    module.register_forward_hook(partial(look.finish, name), with_kwargs=True),
                ]
        try:
            model(inputs)
        except Exception as error:
            raise ValueError(
                f"input_shape must fit the model, got {tuple(input_shape)}: "
                f"{look.running[-1][0]}: {error}"
            ) from error
        finally:
            for hook in hooks:
                hook.remove()
    layers, elsewhere = _with_parameters(look.layers, model)
    return Summary(layers, elsewhere, look.in_no_row())


# --8<-- [end:summarize]
