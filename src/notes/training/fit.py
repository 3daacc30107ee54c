"""Train for several epochs and keep a record.

`fit` adds nothing to the loop but repetition: an epoch of learning, a look at the validation data,
a line of progress, a checkpoint.
"""

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import torch
from torch import Generator, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from notes.checks import check_positive
from notes.training.checkpoint import load_checkpoint, save_checkpoint
from notes.training.loop import ACCURACY, Batches, Loss, Metric, evaluate, train_epoch
from notes.training.progress import ProgressLine

History = dict[str, list[float]]


class Writer(Protocol):
    """What `fit` needs of TensorBoard's `SummaryWriter`.

    Explained in:
        [Training loop][training-loop]
    """

    def add_scalar(self, tag: str, value: float, global_step: int, /) -> None:
        """Record one value."""


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
    max_grad_norm: float | None = None,
    autocast_dtype: torch.dtype | None = None,
    channels_last: bool = False,
    compile: bool | Mapping[str, Any] = False,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    writer: Writer | None = None,
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
        optimizer: Holds the model's parameters.
        num_epochs: How often the model sees the training data, resumed epochs included.
        metrics: By name, functions of `(outputs, targets)` that give the sum over a batch.
        scheduler: A learning-rate schedule. `ReduceLROnPlateau` watches the loss that `patience`
            watches.
        schedule_by: Whether the schedule advances after each epoch or after each batch.
        max_grad_norm: Shrink the gradient to this length where it is longer.
        autocast_dtype: Compute the forward pass in this half precision where that is safe.
        channels_last: Store filters, and with them the images between the layers, with the
            channels last, which is often faster. The model stays so.
        compile: Run the model through `torch.compile`; a mapping gives its options.
        patience: Stop when the validation loss (without validation data, the training loss) has
            not improved for so many epochs. However the training ends, by Ctrl-C too, the model
            then gets the weights of its best epoch.
        checkpoint: A file that is written after each epoch.
        resume: Go on from that file if it is there. A loader's `generator` is restored too, so
            the result is the same as without the interruption.
        writer: Also receives every value, such as TensorBoard's `SummaryWriter`.
        progress: Whether to show a line for each epoch, on standard error.

    Returns:
        Lists with one value per epoch: `train_loss`, `train_accuracy`, and with validation data
        `val_loss`, `val_accuracy`. With `patience` the epochs after the best one are in them.

    Raises:
        FileNotFoundError: If the folder of `checkpoint` does not exist.
        FloatingPointError: If the training loss is NaN or infinite, before it can spoil the model.
        ValueError: If there is no epoch or no batch, the loss is not one number, the schedule
            cannot advance as asked, or the checkpoint does not fit.

    Explained in:
        [Training loop][training-loop]
    """
    check_positive("num_epochs", num_epochs)
    _check_schedule(scheduler, schedule_by)
    _check_checkpoint(checkpoint, resume)
    best = _Best(model, patience)
    network = _prepare(model, channels_last, compile)
    scaler = _scaler(optimizer, autocast_dtype)
    states: dict[str, Any] = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "scaler": scaler if scaler.is_enabled() else None,
        "generators": _generators(train_batches=train_batches, val_batches=val_batches),
    }
    names = _names(metrics, val_batches)
    history: History = {name: [] for name in names}
    if resume and checkpoint is not None and Path(checkpoint).exists():
        history = _resume(Path(checkpoint), states, names, best)

    try:
        for epoch in range(1 + len(history["train_loss"]), num_epochs + 1):
            if best.is_long_ago(epoch - 1):
                break
            with ProgressLine(f"epoch {epoch}/{num_epochs}", train_batches, progress) as line:
                train = train_epoch(
                    network,
                    line.count(train_batches),
                    loss_fn,
                    optimizer,
                    metrics=metrics,
                    batch_scheduler=scheduler if schedule_by == "batch" else None,
                    max_grad_norm=max_grad_norm,
                    autocast_dtype=autocast_dtype,
                    scaler=scaler,
                    epoch=epoch,
                )
                measured = {f"train_{name}": value for name, value in train.items()}
                if val_batches is not None:
                    val = evaluate(
                        network,
                        val_batches,
                        loss_fn,
                        metrics=metrics,
                        autocast_dtype=autocast_dtype,
                    )
                    measured |= {f"val_{name}": value for name, value in val.items()}
                line.show(measured)
            history = {name: [*history[name], measured[name]] for name in names}
            watched = measured.get("val_loss", measured["train_loss"])
            best.look(watched, epoch)
            if schedule_by == "epoch":
                _advance(scheduler, watched)
            if writer is not None:
                for name, value in measured.items():
                    writer.add_scalar(name, value, epoch)
            if checkpoint is not None:
                extra = {"history": history, "best": best.state_dict()}
                save_checkpoint(checkpoint, **states, epoch=epoch, extra=extra)
    except KeyboardInterrupt:
        pass  # the history holds the whole epochs
    best.restore()
    return history


# --8<-- [end:fit]


class _Best:
    """The weights with the smallest loss so far; does nothing without patience."""

    def __init__(self, model: nn.Module, patience: int | None) -> None:
        if patience is not None:
            check_positive("patience", patience)
        self.model = model
        self.patience = patience
        self.loss = math.inf
        self.epoch = 0
        self.weights: dict[str, Any] = {}

    def look(self, loss: float, epoch: int) -> None:
        if self.patience is not None and loss < self.loss:
            self.weights = copy.deepcopy(self.model.state_dict())
            self.loss, self.epoch = loss, epoch

    def is_long_ago(self, epoch: int) -> bool:
        return self.patience is not None and epoch - self.epoch >= self.patience

    def restore(self) -> None:
        if self.weights:
            self.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any] | None:
        if self.patience is None:
            return None
        return {"loss": self.loss, "epoch": self.epoch, "weights": self.weights}

    def resume(self, state: dict[str, Any] | None, epoch: int) -> None:
        if self.patience is None:
            return
        if state is None:  # nobody waited until now, so waiting begins here
            self.epoch = epoch
        else:
            self.loss, self.epoch, self.weights = state["loss"], state["epoch"], state["weights"]


def _check_schedule(scheduler: LRScheduler | None, schedule_by: str) -> None:
    if schedule_by not in ("epoch", "batch"):
        raise ValueError(f"schedule_by must be 'epoch' or 'batch', got {schedule_by!r}")
    if schedule_by == "batch" and isinstance(scheduler, ReduceLROnPlateau):
        raise ValueError(f"schedule_by must be 'epoch' for ReduceLROnPlateau, got {schedule_by!r}")


def _check_checkpoint(checkpoint: str | Path | None, resume: bool) -> None:
    """Notice before the first epoch, not after it, that nothing could be saved."""
    if resume and checkpoint is None:
        raise ValueError("checkpoint must be given to resume from, got None")
    if checkpoint is not None and not Path(checkpoint).resolve().parent.is_dir():
        raise FileNotFoundError(
            f"checkpoint must be in an existing folder, got {str(checkpoint)!r}"
        )


def _prepare(model: nn.Module, channels_last: bool, options: bool | Mapping[str, Any]) -> nn.Module:
    """What to call instead of the model. It has the same parameters, under other names."""
    model.train()
    if channels_last:
        model.to(memory_format=torch.channels_last)
    if options is False:
        return model
    return cast(nn.Module, torch.compile(model, **({} if options is True else options)))


def _scaler(optimizer: Optimizer, autocast_dtype: torch.dtype | None) -> torch.amp.GradScaler:
    device = optimizer.param_groups[0]["params"][0].device
    return torch.amp.GradScaler(device.type, enabled=autocast_dtype == torch.float16)


def _generators(**loaders: object) -> dict[str, Generator]:
    found = {name: getattr(loader, "generator", None) for name, loader in loaders.items()}
    return {name: value for name, value in found.items() if isinstance(value, Generator)}


def _names(metrics: Mapping[str, Metric], val_batches: Batches | None) -> list[str]:
    parts = ["train"] if val_batches is None else ["train", "val"]
    return [f"{part}_{name}" for part in parts for name in ("loss", *metrics)]


def _resume(path: Path, states: dict[str, Any], names: list[str], best: _Best) -> History:
    """Put everything back to where the file left it; the history so far."""
    saved = load_checkpoint(path, **states)
    if saved.extra.keys() != {"history", "best"}:
        raise ValueError(f"checkpoint must be one that fit has written, got {path.name!r}")
    history: History = saved.extra["history"]
    if history.keys() != set(names):
        raise ValueError(f"metrics must be those of the checkpoint, {list(history)}, got {names}")
    best.resume(saved.extra["best"], saved.epoch)
    return history


def _advance(scheduler: LRScheduler | None, watched: float) -> None:
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(watched)
    elif scheduler is not None:
        scheduler.step()
