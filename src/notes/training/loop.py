"""The training loop, in the open.

`train_epoch` is the loop of every tutorial, `evaluate` the same without learning. What a page needs
beyond that is an argument, not a class to inherit from.

Losses and metrics are averaged over *examples*: a last batch of 5 counts 5, not as much as one
of 256.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from notes.checks import check_positive

Batches = Iterable[tuple[Tensor, ...]]
Loss = Callable[[Tensor, Tensor], Tensor]
Metric = Callable[[Tensor, Tensor], Tensor]


def num_correct(logits: Tensor, targets: Tensor) -> Tensor:
    """How many examples have their largest score at the right class.

    Args:
        logits: `(B, K)` scores.
        targets: `(B,)` class indices.

    Returns:
        A scalar of integers, still on the device.

    Examples:
        >>> num_correct(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
        tensor(1)

    Explained in:
        [Training loop][training-loop]
    """
    return (logits.argmax(dim=1) == targets).count_nonzero()


ACCURACY: Mapping[str, Metric] = {"accuracy": num_correct}


def train_epoch(
    model: nn.Module,
    batches: Batches,
    loss_fn: Loss,
    optimizer: Optimizer,
    *,
    metrics: Mapping[str, Metric] = ACCURACY,
    batch_scheduler: LRScheduler | None = None,
    max_grad_norm: float | None = None,
    autocast_dtype: torch.dtype | None = None,
    scaler: torch.amp.GradScaler | None = None,
    epoch: int = 1,
) -> dict[str, float]:
    """Show the model every batch once and let it learn; leaves it in training mode.

    Args:
        model: Learns in place, on the device where its parameters are.
        batches: Yields `(inputs, targets)`.
        loss_fn: The mean loss of a batch, from `(outputs, targets)`.
        optimizer: Holds the model's parameters.
        metrics: By name, functions of `(outputs, targets)` that give the *sum* over the batch.
        batch_scheduler: A learning-rate schedule that advances with every batch.
        max_grad_norm: Shrink the gradient to this length where it is longer.
        autocast_dtype: Compute the forward pass in `torch.bfloat16` or `torch.float16` where that
            is safe.
        scaler: Keeps the small gradients of `torch.float16` from vanishing.
        epoch: Only for the error message.

    Returns:
        `loss` and each metric, as means over the examples, measured *while* learning.

    Raises:
        FloatingPointError: If the loss is NaN or infinite; the step that it would cause is not
            taken.
        ValueError: If there is no batch, the loss is not one number, or `max_grad_norm` not
            positive.

    Explained in:
        [Training loop][training-loop]
    """
    if max_grad_norm is not None:
        check_positive("max_grad_norm", max_grad_norm)  # a negative one would turn the gradient
    # --8<-- [start:train]
    device = _device(model)
    model.train()
    scaler = scaler or torch.amp.GradScaler(enabled=False)  # then it passes everything through
    precision = _precision(device, autocast_dtype)
    totals = _Totals(metrics)
    for step, (inputs, targets) in enumerate(batches, start=1):
        inputs, targets = inputs.to(device), targets.to(device)
        with precision:
            outputs = model(inputs)
            loss = loss_fn(outputs, targets)
        value = _finite(loss, epoch, step)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        if max_grad_norm is not None:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        scaler.step(optimizer)
        scaler.update()
        if batch_scheduler is not None:
            batch_scheduler.step()
        totals.add(value, outputs.detach(), targets)
    return totals.means()
    # --8<-- [end:train]


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Batches,
    loss_fn: Loss,
    *,
    metrics: Mapping[str, Metric] = ACCURACY,
    autocast_dtype: torch.dtype | None = None,
) -> dict[str, float]:
    """Measure the model without changing it; it is in evaluation mode while this runs.

    Each module gets the mode back in which it was found.

    Args:
        model: Judged on the device where its parameters are.
        batches: Yields `(inputs, targets)`.
        loss_fn: The mean loss of a batch, from `(outputs, targets)`.
        metrics: By name, functions of `(outputs, targets)` that give the *sum* over the batch.
        autocast_dtype: As in `train_epoch`.

    Returns:
        `loss` and each metric, as means over the examples.

    Raises:
        ValueError: If there is no batch, or the loss is not one number.

    Explained in:
        [Training loop][training-loop]
    """
    # --8<-- [start:evaluate]
    device = _device(model)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    precision = _precision(device, autocast_dtype)
    totals = _Totals(metrics)
    try:
        for inputs, targets in batches:
            inputs, targets = inputs.to(device), targets.to(device)
            with precision:
                outputs = model(inputs)
                loss = loss_fn(outputs, targets)
            totals.add(_one_number(loss), outputs, targets)
    finally:
        for module, mode in modes:
            module.training = mode
    return totals.means()
    # --8<-- [end:evaluate]


class _Totals:
    """Sums over examples. Metrics stay on the device until the end, so a GPU need not wait."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self.metrics = metrics
        self.num_examples = 0
        self.loss = 0.0
        self.sums: dict[str, Tensor | int] = dict.fromkeys(metrics, 0)

    def add(self, mean_loss: float, outputs: Tensor, targets: Tensor) -> None:
        batch_size = len(targets)
        self.num_examples += batch_size
        self.loss += mean_loss * batch_size
        for name, metric in self.metrics.items():
            self.sums[name] = self.sums[name] + metric(outputs, targets)

    def means(self) -> dict[str, float]:
        if self.num_examples == 0:
            raise ValueError("batches must yield at least one example, got none")
        sums = {"loss": self.loss} | {name: float(value) for name, value in self.sums.items()}
        return {name: value / self.num_examples for name, value in sums.items()}


def _device(model: nn.Module) -> torch.device:
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def _precision(
    device: torch.device, autocast_dtype: torch.dtype | None
) -> AbstractContextManager[None]:
    # Made once for all batches: entering a disabled autocast costs 5 microseconds a batch.
    return torch.autocast(device.type, autocast_dtype) if autocast_dtype else nullcontext()


def _one_number(loss: Tensor) -> float:
    if loss.ndim != 0:
        raise ValueError(f"loss_fn must return one number, got shape {tuple(loss.shape)}")
    return loss.item()


def _finite(loss: Tensor, epoch: int, step: int) -> float:
    value = _one_number(loss)
    if not math.isfinite(value):
        raise FloatingPointError(f"loss must be finite, got {value} in epoch {epoch}, step {step}")
    return value
