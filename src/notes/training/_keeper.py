"""What `fit` keeps from epoch to epoch: the best weights, and the file to go on from."""

import copy
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from torch import nn
from torch.nn.parameter import is_lazy

from notes.training._generators import find_generators
from notes.training.atomic_write import check_writable
from notes.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

History = dict[str, list[float]]


class Best:
    """The weights with the smallest loss so far; does nothing without patience."""

    def __init__(self, model: nn.Module, patience: int | None) -> None:
        self.model = model
        self.patience = patience
        self.loss = math.inf
        self.epoch = 0
        self.weights: dict[str, Any] = {}

    def look(self, loss: float, epoch: int) -> None:
        """Keep the weights if they are the best ones."""
        if self.patience is not None and loss < self.loss:
            self.weights = copy.deepcopy(self.model.state_dict())
            self.loss, self.epoch = loss, epoch

    def is_long_ago(self, epoch: int) -> bool:
        """Whether patience is at an end."""
        return self.patience is not None and epoch - self.epoch >= self.patience

    def restore(self) -> None:
        """Give the model its best weights."""
        if self.weights:
            self.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any] | None:
        """What a checkpoint holds."""
        if self.patience is None:
            return None
        return {"loss": self.loss, "epoch": self.epoch, "weights": self.weights}

    def resume(self, state: dict[str, Any] | None, epoch: int) -> None:
        """Go on from what a checkpoint held."""
        if self.patience is None:
            return
        if state is None:  # nobody waited until now, so waiting begins here
            self.epoch = epoch
        else:
            self.loss, self.epoch, self.weights = state["loss"], state["epoch"], state["weights"]


class Keeper:
    """Writes the checkpoint after each epoch, and reads it; does nothing without a path."""

    def __init__(
        self,
        path: str | Path | None,
        best: Best,
        *,
        parts: Mapping[str, Any],
        sources: Mapping[str, object],
    ) -> None:
        self.path = None if path is None else Path(path)
        self.best = best
        self.states = dict(parts)
        if not parts["scaler"].is_enabled():
            self.states["scaler"] = None
        if path is not None:
            self.states["generators"] = find_generators(**sources, model=parts["model"])

    def start(self, names: list[str], *, resume: bool) -> History:
        """The history so far. What no checkpoint could hold is refused now, not after an epoch."""
        if self.path is not None:
            check_writable("checkpoint", self.path)
            if not any(map(is_lazy, self.states["model"].parameters())):
                save_checkpoint(self.path, **self.states, dry_run=True)
            if resume and self.path.exists():
                check = partial(_check_saved, file=self.path.name, names=names)
                saved = load_checkpoint(self.path, **self.states, check=check)
                self.best.resume(saved.extra["best"], saved.epoch)
                return cast(History, saved.extra["history"])
        return {name: [] for name in names}

    def save(self, history: History, epoch: int) -> None:
        """Write what is needed to go on after this epoch."""
        if self.path is not None:
            extra = {"history": history, "best": self.best.state_dict()}
            save_checkpoint(self.path, **self.states, epoch=epoch, extra=extra)


def _check_saved(saved: Checkpoint, *, file: str, names: list[str]) -> None:
    history = saved.extra.get("history")
    if saved.extra.keys() != {"history", "best"} or not isinstance(history, dict):
        raise ValueError(f"checkpoint must be one that fit has written, got {file!r}")
    if history.keys() != set(names):
        raise ValueError(f"metrics must be those of the checkpoint, {list(history)}, got {names}")
