"""Train for several epochs and keep a record.

`fit` adds nothing to the loop but repetition: an epoch of learning, a look at the validation data,
a line of progress, a checkpoint.
"""

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from notes.checkpoint import load_checkpoint, save_checkpoint
from notes.checks import check_positive
from notes.training.loop import ACCURACY, Batches, Loss, Metric, evaluate, train_epoch
from notes.training.progress import ProgressLine

History = dict[str, list[float]]


class Writer(Protocol):
    """What `fit` needs of TensorBoard's `SummaryWriter`.

    Explained in:
        [Training loop][training-loop]
    """

    def add_scalar(self, tag: str, value: float, global_step: int) -> None:
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

    Ctrl-C ends the training early: the history of the whole epochs is returned all the same.

    Args:
        model: Learns in place; it is left in training mode.
        train_batches: Yields `(inputs, targets)` anew for each epoch.
        val_batches: The same for measuring; without them nothing is validated.
        loss_fn: The mean loss of a batch, from `(outputs, targets)`.
        optimizer: Holds the model's parameters.
        num_epochs: How often the model sees the training data, resumed epochs included.
        metrics: By name, functions of `(outputs, targets)` that give the sum over a batch.
        scheduler: A learning-rate schedule.
        schedule_by: Whether the schedule advances after each epoch or after each batch.
        max_grad_norm: Shrink the gradient to this length where it is longer.
        autocast_dtype: Compute the forward pass in this half precision where that is safe.
        channels_last: Store images and filters with the channels last, which is often faster.
        compile: Run the model through `torch.compile`; a mapping gives its options.
        patience: Stop when the validation loss (without validation data, the training loss) has
            not improved for so many epochs, and go back to the best weights.
        checkpoint: A file that is written after each epoch.
        resume: Go on from that file if it is there. A loader's `generator` is restored too, so
            the result is the same as without the interruption.
        writer: Also receives every value, such as TensorBoard's `SummaryWriter`.
        progress: Whether to show a line for each epoch, on standard error.

    Returns:
        Lists with one value per epoch: `train_loss`, `train_accuracy`, and with validation data
        `val_loss`, `val_accuracy`.

    Raises:
        FloatingPointError: If the loss is NaN or infinite, before it can spoil the model.
        ValueError: If there is no epoch or no batch, the loss is not one number, or the
            checkpoint does not fit.

    Explained in:
        [Training loop][training-loop]
    """
    check_positive("num_epochs", num_epochs)
    if patience is not None:
        check_positive("patience", patience)
    if resume and checkpoint is None:
        raise ValueError("checkpoint must be given to resume from, got None")
    if channels_last:
        model.to(memory_format=torch.channels_last)
    network = _compiled(model, compile)
    scaler = torch.amp.GradScaler(enabled=autocast_dtype == torch.float16)
    generator = getattr(train_batches, "generator", None)
    state: dict[str, Any] = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "scaler": scaler if scaler.is_enabled() else None,
        "generators": {} if generator is None else {"train_batches": generator},
    }
    history: History = {}
    best = _Best(patience)
    first_epoch = 1
    if resume and checkpoint is not None and Path(checkpoint).exists():
        saved = load_checkpoint(checkpoint, **state)
        first_epoch, history = saved.epoch + 1, saved.extra["history"]
        best.load_state_dict(saved.extra["best"])

    for epoch in range(first_epoch, num_epochs + 1):
        if best.is_long_ago(epoch - 1):
            break
        try:
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
        except KeyboardInterrupt:
            break
        history = {name: [*history.get(name, []), value] for name, value in measured.items()}
        watched = measured.get("val_loss", measured["train_loss"])
        if schedule_by == "epoch":
            _advance(scheduler, watched)
        if writer is not None:
            for name, value in measured.items():
                writer.add_scalar(name, value, epoch)
        best.look(watched, epoch, model)
        if checkpoint is not None:
            extra = {"history": history, "best": best.state_dict()}
            save_checkpoint(checkpoint, **state, epoch=epoch, extra=extra)
    best.restore(model)
    return history


# --8<-- [end:fit]


class _Best:
    """The weights with the smallest loss so far; does nothing without patience."""

    def __init__(self, patience: int | None) -> None:
        self.patience = patience
        self.loss = math.inf
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def look(self, loss: float, epoch: int, model: nn.Module) -> None:
        if self.patience is not None and loss < self.loss:
            self.loss, self.epoch = loss, epoch
            self.weights = copy.deepcopy(dict(model.state_dict()))

    def is_long_ago(self, epoch: int) -> bool:
        return self.patience is not None and epoch - self.epoch >= self.patience

    def restore(self, model: nn.Module) -> None:
        if self.weights:
            model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"loss": self.loss, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loss, self.epoch, self.weights = state["loss"], state["epoch"], state["weights"]


def _compiled(model: nn.Module, options: bool | Mapping[str, Any]) -> nn.Module:
    if options is False:
        return model
    compiled = torch.compile(model, **({} if options is True else options))
    assert isinstance(compiled, nn.Module)
    return compiled


def _advance(scheduler: LRScheduler | None, watched: float) -> None:
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(watched)
    elif scheduler is not None:
        scheduler.step()
