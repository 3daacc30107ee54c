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
from notes.training._checks import (
    MIN_SCALE,
    check_gradients,
    check_metrics,
    check_optimizer,
    check_parameters,
    parameters_of,
)

Batches = Iterable[tuple[Tensor, ...]]
Loss = Callable[[Tensor, Tensor], Tensor]
Metric = Callable[[Tensor, Tensor], Tensor]


def num_correct(logits: Tensor, targets: Tensor) -> Tensor:
    """How many examples have their largest score at the right class.

    With soft targets the class with the largest share is the right one. Where every example has
    many places, such as pixels, it counts as the share of its places that are right.

    Args:
        logits: `(B, K)` scores, or `(B, K, ...)` with scores for every place.
        targets: `(B,)` or `(B, ...)` class indices, or shares of the classes in the shape of the
            logits. Places with an index that is no class count as wrong.

    Returns:
        A scalar still on the device, at most B.

    Raises:
        ValueError: If there are less than two classes, or the targets have another shape.

    Examples:
        >>> num_correct(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
        tensor(1)

    Explained in:
        [Training loop][training-loop]
    """
    if logits.ndim < 2 or logits.shape[1] < 2:
        raise ValueError(
            "logits must have shape (B, K, ...) with at least 2 classes to count right answers, "
            f"got {tuple(logits.shape)} (give other metrics)"
        )
    predicted = logits.argmax(dim=1)  # (B, ...)
    if targets.shape == logits.shape:
        targets = targets.argmax(dim=1)  # (B, ...)
    if targets.shape != predicted.shape:
        raise ValueError(
            f"targets must have shape {tuple(predicted.shape)}, or that of the logits, "
            f"got {tuple(targets.shape)}"
        )
    right = predicted == targets
    return right.count_nonzero() if right.ndim == 1 else right.flatten(1).float().mean(dim=1).sum()


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
        optimizer: Holds the model's parameters, or some of them.
        metrics: By name, functions of `(outputs, targets)` that give the *sum* over the batch.
        batch_scheduler: A learning-rate schedule that advances with every step.
        max_grad_norm: Shrink the gradient of the optimizer's parameters to this length where it is
            longer.
        autocast_dtype: Compute the forward pass in `torch.bfloat16` or `torch.float16` where that
            is safe.
        scaler: Keeps the small gradients of `torch.float16` from vanishing. Where a gradient is
            too large for its scale, it leaves out the step and makes the scale smaller.
        epoch: Only for the error message.

    Returns:
        `loss` and each metric, as means over the examples, measured *while* learning.

    Raises:
        FloatingPointError: If the loss or a gradient is NaN or infinite, before the step that it
            would spoil; or if a parameter has become so.
        TypeError: If the loss is no tensor, or the name of a metric not text.
        ValueError: If there is no batch, the loss or a metric is not one number, a metric is
            called `loss`, `max_grad_norm` is not positive, or the optimizer would train nothing.

    Explained in:
        [Training loop][training-loop]
    """
    if max_grad_norm is not None:
        check_positive("max_grad_norm", max_grad_norm)  # a negative one would turn the gradient
    check_optimizer(optimizer, model, loss_fn)
    # --8<-- [start:train]
    device = _device(model)
    model.train()
    parameters = parameters_of(optimizer)
    scaler = scaler or torch.amp.GradScaler(enabled=False)  # then it passes everything through
    precision = _precision(device, autocast_dtype)
    totals = _Totals(metrics)
    for step, (inputs, targets) in enumerate(batches, start=1):
        inputs, targets = inputs.to(device), targets.to(device)
        with precision:
            outputs = model(inputs)
            loss = _one_number(loss_fn(outputs, targets))
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        value = _finite(loss, epoch, step)  # now, as a GPU then waits only once
        if not scaler.is_enabled():  # which leaves out a step that is not finite
            check_gradients(model, parameters, f"in epoch {epoch}, step {step}")
        if max_grad_norm is not None:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(parameters, max_grad_norm)
        if _take_step(optimizer, scaler) and batch_scheduler is not None:
            batch_scheduler.step()
        totals.add(value, outputs.detach(), targets)
    check_parameters(model, parameters, f"after epoch {epoch}")
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
        TypeError: If the loss is no tensor, or the name of a metric not text.
        ValueError: If there is no batch, the loss or a metric is not one number, or a metric is
            called `loss`.

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
                loss = _one_number(loss_fn(outputs, targets))
            totals.add(loss.item(), outputs, targets)
    finally:
        for module, mode in modes:
            module.training = mode
    return totals.means()
    # --8<-- [end:evaluate]


class _Totals:
    """Sums over examples. Metrics stay on the device until the end, so a GPU need not wait."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        check_metrics(metrics)
        self.metrics = metrics
        self.num_examples = 0
        self.loss = 0.0
        self.sums: dict[str, Tensor | int] = dict.fromkeys(metrics, 0)

    def add(self, mean_loss: float, outputs: Tensor, targets: Tensor) -> None:
        batch_size = len(targets)
        self.num_examples += batch_size
        self.loss += mean_loss * batch_size
        for name, metric in self.metrics.items():
            value = metric(outputs, targets)
            if getattr(value, "ndim", 0) != 0:
                raise ValueError(
                    f"metrics[{name!r}] must return one number, got shape {tuple(value.shape)}"
                )
            self.sums[name] = self.sums[name] + value

    def means(self) -> dict[str, float]:
        if self.num_examples == 0:
            raise ValueError("batches must yield at least one example each time, got none")
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


def _one_number(loss: Tensor) -> Tensor:
    if not isinstance(loss, Tensor):
        raise TypeError(f"loss_fn must return a tensor, got {type(loss).__name__}")
    if loss.ndim != 0:
        raise ValueError(f"loss_fn must return one number, got shape {tuple(loss.shape)}")
    return loss


def _finite(loss: Tensor, epoch: int, step: int) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise FloatingPointError(f"loss must be finite, got {value} in epoch {epoch}, step {step}")
    return value


def _take_step(optimizer: Optimizer, scaler: torch.amp.GradScaler) -> bool:
    """Whether the step was taken: the scaler leaves it out where its scale was too large."""
    scale = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    if scaler.get_scale() < MIN_SCALE:
        raise FloatingPointError(
            f"gradient must be finite, got nan or inf with every scale down to {MIN_SCALE}"
        )
    return scaler.get_scale() >= scale
