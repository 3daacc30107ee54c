"""Train for several epochs and keep a record.

`fit` adds nothing to the loop but repetition: an epoch of learning, a look at the validation data,
a line of progress.
"""

import copy
import math
from collections.abc import Iterator, Mapping, Sized
from types import TracebackType
from typing import Protocol, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from tqdm import tqdm

from notes.checks import check_positive
from notes.training.loop import ACCURACY, Batches, Loss, Metric, evaluate, train_epoch

History = dict[str, list[float]]


class Writer(Protocol):
    """What `fit` needs of TensorBoard's `SummaryWriter`.

    Explained in:
        [LeNet][lenet]
    """

    def add_scalar(self, tag: str, value: float, global_step: int) -> None:
        """Record one value."""


class _ProgressLine:
    """One line on standard error for each epoch: a bar over the batches, then what was measured."""

    def __init__(self, title: str, batches: Batches, visible: bool) -> None:
        total = len(batches) if isinstance(batches, Sized) else None
        self.bar = tqdm(total=total, desc=title, unit="batch", disable=not visible)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.close()

    def count(self, batches: Batches) -> Iterator[tuple[Tensor, ...]]:
        for batch in batches:
            yield batch
            self.bar.update()

    def show(self, measured: Mapping[str, float]) -> None:
        self.bar.set_postfix({name: f"{value:.4f}" for name, value in measured.items()})


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
    scheduler: LRScheduler | ReduceLROnPlateau | None = None,
    batch_scheduler: LRScheduler | None = None,
    max_grad_norm: float | None = None,
    autocast_dtype: torch.dtype | None = None,
    patience: int | None = None,
    writer: Writer | None = None,
    progress: bool = True,
) -> History:
    """Train for `num_epochs` epochs and return what was measured.

    Ctrl-C ends the training early: the history of the whole epochs is returned all the same.

    Args:
        model: Learns in place; it is left in training mode.
        train_batches: Yields `(inputs, targets)` anew for each epoch.
        val_batches: The same for measuring; without them nothing is validated.
        loss_fn: The mean loss of a batch, from `(outputs, targets)`.
        optimizer: Holds the model's parameters.
        num_epochs: How often the model sees the training data.
        metrics: By name, functions of `(outputs, targets)` that give the sum over a batch.
        scheduler: A learning-rate schedule that advances after each epoch.
        batch_scheduler: One that advances after each batch.
        max_grad_norm: Shrink the gradient to this length where it is longer.
        autocast_dtype: Compute the forward pass in this half precision where that is safe.
        patience: Stop when the validation loss (without validation data, the training loss) has
            not improved for so many epochs, and go back to the best weights.
        writer: Also receives every value, such as TensorBoard's `SummaryWriter`.
        progress: Whether to show a line for each epoch, on standard error.

    Returns:
        Lists with one value per epoch: `train_loss`, `train_accuracy`, and with validation data
        `val_loss`, `val_accuracy`.

    Raises:
        FloatingPointError: If the loss is NaN or infinite, before it can spoil the model.
        ValueError: If there is no epoch or no batch, or the loss is not one number.

    Explained in:
        [LeNet][lenet]
    """
    check_positive("num_epochs", num_epochs)
    if patience is not None:
        check_positive("patience", patience)
    scaler = torch.amp.GradScaler(enabled=autocast_dtype == torch.float16)
    history: History = {}
    best_loss, best_state, best_epoch = math.inf, model.state_dict(), 0
    for epoch in range(1, num_epochs + 1):
        try:
            with _ProgressLine(f"epoch {epoch}/{num_epochs}", train_batches, progress) as line:
                train = train_epoch(
                    model,
                    line.count(train_batches),
                    loss_fn,
                    optimizer,
                    metrics=metrics,
                    batch_scheduler=batch_scheduler,
                    max_grad_norm=max_grad_norm,
                    autocast_dtype=autocast_dtype,
                    scaler=scaler,
                    epoch=epoch,
                )
                measured = {f"train_{name}": value for name, value in train.items()}
                if val_batches is not None:
                    val = evaluate(
                        model, val_batches, loss_fn, metrics=metrics, autocast_dtype=autocast_dtype
                    )
                    measured |= {f"val_{name}": value for name, value in val.items()}
                line.show(measured)
        except KeyboardInterrupt:
            break
        history = {name: [*history.get(name, []), value] for name, value in measured.items()}
        if writer is not None:
            for name, value in measured.items():
                writer.add_scalar(name, value, epoch)
        watched = measured.get("val_loss", measured["train_loss"])
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(watched)
        elif scheduler is not None:
            scheduler.step()
        if patience is not None:
            if watched < best_loss:
                best_loss, best_state, best_epoch = (
                    watched,
                    copy.deepcopy(model.state_dict()),
                    epoch,
                )
            elif epoch - best_epoch >= patience:
                break
    if patience is not None:
        model.load_state_dict(best_state)
    return history


# --8<-- [end:fit]
