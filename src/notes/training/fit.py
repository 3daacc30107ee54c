"""Train for several epochs and keep a record.

`fit` adds nothing to the loop but repetition: an epoch of learning, a look at the validation data,
a line of progress, a checkpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from notes.checks import as_integer, check_positive
from notes.training._checks import (
    check_metrics,
    check_optimizer,
    check_starts_anew,
    parameters_of,
)
from notes.training._keeper import Best, History, Keeper
from notes.training.loop import ACCURACY, Batches, Loss, Metric, evaluate, train_epoch
from notes.training.progress import ProgressLine


class Writer(Protocol):
    """What `fit` needs of TensorBoard's `SummaryWriter`.

    Explained in:
        [Training loop][training-loop]
    """

    def add_scalar(self, tag: str, value: float, global_step: int, /) -> None:
        """Record one value."""


# --8<-- [start:Extras]
@dataclass(frozen=True, kw_only=True)
class Extras:
    """What `fit` does beyond the plain loop; each is left out unless it is asked for.

    Attributes:
        max_grad_norm: Shrink the gradient to this length where it is longer.
        autocast_dtype: Compute the forward pass in this half precision where that is safe.
        patience: Stop when the validation loss (without validation data, the training loss) has
            not improved for so many epochs. However the training ends, by Ctrl-C too, the model
            then gets the weights of its best epoch.
        checkpoint: A file that is written after each epoch.
        resume: Go on from that file if it is there. The random generators that the batches, the
            model and the loss hold are restored too, so the result is the same as without the
            interruption; see [Checkpoints][checkpoints] for what is not.
        writer: Also receives every value, such as TensorBoard's `SummaryWriter`.

    Raises:
        TypeError: If `patience` is not an integer.
        ValueError: If a number is not positive, or there is no checkpoint to resume from.

    Explained in:
        [Training loop][training-loop]
    """

    max_grad_norm: float | None = None
    autocast_dtype: torch.dtype | None = None
    patience: int | None = None
    checkpoint: str | Path | None = None
    resume: bool = False
    writer: Writer | None = None

    def __post_init__(self) -> None:
        if self.max_grad_norm is not None:
            check_positive("max_grad_norm", self.max_grad_norm)
        if self.patience is not None:
            as_integer("patience", self.patience)
        if self.resume and self.checkpoint is None:
            raise ValueError("checkpoint must be given to resume from, got None")


# --8<-- [end:Extras]


# --8<-- [start:fit]
def fit(
    model: nn.Module,
    train_batches: Batches,
    val_batches: Batches | None = None,
    *,
    loss_fn: Loss,
    optimizer: Optimizer,
    num_epochs: int,
    metrics: Mapping[str, Metric] = ACCURACY,
    scheduler: LRScheduler | None = None,
    schedule_by: Literal["epoch", "batch"] = "epoch",
    extras: Extras = Extras(),
    progress: bool = True,
) -> History:
    """Train up to epoch `num_epochs` and return what was measured.

    Ctrl-C ends the training early and is no error: the history of the whole epochs is returned,
    and the model keeps what it has learned in the unfinished one.

    Args:
        model: Learns in place; it is left in training mode.
        train_batches: Yields `(inputs, targets)` anew for each epoch.
        val_batches: The same for measuring; without them nothing is validated.
        loss_fn: The mean loss of a batch, from `(outputs, targets)`.
        optimizer: Holds the model's parameters, or some of them.
        num_epochs: How often the model sees the training data, resumed epochs included.
        metrics: By name, functions of `(outputs, targets)` that give the sum over a batch.
        scheduler: A learning-rate schedule. `ReduceLROnPlateau` watches the loss that `patience`
            watches.
        schedule_by: Whether the schedule advances after each epoch or after each batch.
        extras: Clipping, half precision, early stopping, checkpoints, TensorBoard.
        progress: Whether to show a line for each epoch, on standard error.

    Returns:
        Lists with one value per epoch: `train_loss`, `train_accuracy`, and with validation data
        `val_loss`, `val_accuracy`. With `patience` the epochs after the best one are in them.

    Raises:
        FloatingPointError: If the training loss or a gradient is NaN or infinite, before it can
            spoil the model.
        OSError: If the checkpoint cannot be written, before the first epoch.
        TypeError: If `num_epochs` is not an integer, the batches cannot start anew, or a
            checkpoint could not hold a state.
        ValueError: If there is no epoch or no batch, the loss or a metric is not one number, the
            optimizer would train nothing, the schedule cannot advance as asked, or the checkpoint
            does not fit.

    Explained in:
        [Training loop][training-loop]
    """
    num_epochs = as_integer("num_epochs", num_epochs)
    _check(model, loss_fn, optimizer, metrics, scheduler, schedule_by)
    if num_epochs > 1:
        check_starts_anew(train_batches=train_batches, val_batches=val_batches)
    best = Best(model, extras.patience)
    scaler = _scaler(optimizer, extras.autocast_dtype)
    keeper = Keeper(
        extras.checkpoint,
        best,
        parts={"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler},
        sources={"train_batches": train_batches, "val_batches": val_batches, "loss_fn": loss_fn},
    )
    history = keeper.start(_names(metrics, val_batches), resume=extras.resume)
    model.train()
    how: dict[str, Any] = {"metrics": metrics, "autocast_dtype": extras.autocast_dtype}
    try:
        for epoch in range(1 + len(history["train_loss"]), num_epochs + 1):
            if best.is_long_ago(epoch - 1):
                break
            with ProgressLine(f"epoch {epoch}/{num_epochs}", train_batches, progress) as line:
                train = train_epoch(
                    model,
                    line.count(train_batches),
                    loss_fn,
                    optimizer,
                    batch_scheduler=scheduler if schedule_by == "batch" else None,
                    max_grad_norm=extras.max_grad_norm,
                    scaler=scaler,
                    epoch=epoch,
                    **how,
                )
                val = {} if val_batches is None else evaluate(model, val_batches, loss_fn, **how)
                measured = _measured(train=train, val=val)
                line.show(measured)
            history = {name: [*history[name], value] for name, value in measured.items()}
            watched = measured.get("val_loss", measured["train_loss"])
            best.look(watched, epoch)
            if schedule_by == "epoch":
                _advance(scheduler, watched)
            _record(extras.writer, measured, epoch)
            keeper.save(history, epoch)
    except KeyboardInterrupt:
        pass  # the history holds the whole epochs
    best.restore()
    return history


# --8<-- [end:fit]


def _check(
    model: nn.Module,
    loss_fn: Loss,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric],
    scheduler: LRScheduler | None,
    schedule_by: str,
) -> None:
    check_optimizer(optimizer, model, loss_fn)
    check_metrics(metrics)
    if schedule_by not in ("epoch", "batch"):
        raise ValueError(f"schedule_by must be 'epoch' or 'batch', got {schedule_by!r}")
    if schedule_by == "batch" and isinstance(scheduler, ReduceLROnPlateau):
        raise ValueError(f"schedule_by must be 'epoch' for ReduceLROnPlateau, got {schedule_by!r}")


def _scaler(optimizer: Optimizer, autocast_dtype: torch.dtype | None) -> torch.amp.GradScaler:
    device = parameters_of(optimizer)[0].device
    return torch.amp.GradScaler(device.type, enabled=autocast_dtype == torch.float16)


def _names(metrics: Mapping[str, Metric], val_batches: Batches | None) -> list[str]:
    parts = ["train"] if val_batches is None else ["train", "val"]
    return [f"{part}_{name}" for part in parts for name in ("loss", *metrics)]


def _measured(**parts: Mapping[str, float]) -> dict[str, float]:
    return {f"{part}_{name}": parts[part][name] for part in parts for name in parts[part]}


def _advance(scheduler: LRScheduler | None, watched: float) -> None:
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(watched)
    elif scheduler is not None:
        scheduler.step()


def _record(writer: Writer | None, measured: Mapping[str, float], epoch: int) -> None:
    if writer is not None:
        for name, value in measured.items():
            writer.add_scalar(name, value, epoch)
