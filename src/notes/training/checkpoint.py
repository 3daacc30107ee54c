"""Save a training run to a file, and go on from there as if nothing had happened.

A checkpoint holds tensors and plain values only, never Python objects: opening one from a stranger
cannot run code.
"""

import copy
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn
from torch.amp import GradScaler
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from notes.training._random_states import get_random_states, set_random_states
from notes.training.atomic_write import atomic_write

FORMAT = "notes.checkpoint 1"
PLAIN_TYPES = (type(None), bool, int, float, str, torch.dtype, torch.device, torch.Size)


# --8<-- [start:Checkpoint]
class Checkpoint(NamedTuple):
    """What a checkpoint holds beside the states that it puts back.

    Attributes:
        epoch: Number of epochs that were finished: the next one, counted from 0.
        extra: The values that `save_checkpoint` was given, say a history of losses.

    Explained in:
        [Checkpoints][checkpoints]
    """

    epoch: int
    extra: dict[str, Any]


# --8<-- [end:Checkpoint]


class _HasState(Protocol):
    def state_dict(self) -> Any: ...
    def load_state_dict(self, state_dict: Any) -> Any: ...


# --8<-- [start:save_checkpoint]
def save_checkpoint(
    path: str | Path,
    *,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    scaler: GradScaler | None = None,
    generators: Mapping[str, Generator] | None = None,
    epoch: int = 0,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write everything that a training run needs to go on.

    The random states of Python, NumPy and PyTorch are always in it. The file is replaced in one
    step: whoever is killed meanwhile leaves the old checkpoint or the new one, never half of one.

    Args:
        path: The file to make or replace.
        model: The model. Its parameters and buffers are saved, not its code.
        optimizer: Its momenta, step counts and learning rates.
        scheduler: Its position.
        scaler: The scale of mixed-precision training.
        generators: Further generators by name, say the one that shuffles the data.
        epoch: Number of epochs that are finished.
        extra: More values to keep: tensors, numbers, text, and lists or dicts of them.

    Raises:
        FileNotFoundError: If the folder of `path` does not exist; see `atomic_write` for the rest.
        TypeError: If a value could not be loaded again.
        ValueError: If `epoch` is negative.

    Explained in:
        [Checkpoints][checkpoints]
    """
    if epoch < 0:
        raise ValueError(f"epoch must be at least 0, got {epoch}")
    parts = _parts(model, optimizer, scheduler, scaler)
    contents = {
        "format": FORMAT,
        "kinds": _kinds(parts),
        "optimizer_shapes": _optimizer_shapes(optimizer),
        "epoch": epoch,
        "extra": dict(extra or {}),
        **_states(parts, generators or {}),
    }
    for name, value in contents.items():
        _check_plain(name, value)
    with atomic_write(path) as file:
        torch.save(contents, file)


# --8<-- [end:save_checkpoint]


# --8<-- [start:load_checkpoint]
def load_checkpoint(
    path: str | Path,
    *,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    scaler: GradScaler | None = None,
    generators: Mapping[str, Generator] | None = None,
    restore_random_states: bool = True,
) -> Checkpoint:
    """Put a training run back to where it was saved; all of it or, after an error, nothing of it.

    Parts of the file that are not asked for are left alone: to use a trained model, hand over the
    model only. The model keeps its mode, training or evaluation, and its device.

    Args:
        path: A file that `save_checkpoint` has written.
        model: A model of the same architecture.
        optimizer: An optimizer of the same kind, for the same parameters in the same order.
        scheduler: A scheduler of the same kind.
        scaler: A scaler.
        generators: Generators by the names they were saved under.
        restore_random_states: Whether to put the global random generators back as well.

    Returns:
        The number of finished epochs and the extra values.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, holds more than plain values, or does not fit what was
            handed over.

    Explained in:
        [Checkpoints][checkpoints]
    """
    path, generators = Path(path), generators or {}
    contents = _read(path)
    parts = _parts(model, optimizer, scheduler, scaler)
    try:
        _check_fits(contents, parts, generators)
    except (AttributeError, KeyError, TypeError):
        raise _not_ours(path) from None
    before = copy.deepcopy(_states(parts, generators))
    try:
        checkpoint = Checkpoint(int(contents["epoch"]), dict(contents["extra"]))
        _apply(contents, parts, generators, restore_random_states)
    except Exception as error:
        _apply(before, parts, generators, restore_random_states)
        raise ValueError(
            f"path must be a checkpoint that fits, got {path.name!r}: {error}"
        ) from error
    return checkpoint


# --8<-- [end:load_checkpoint]


def _parts(
    model: nn.Module,
    optimizer: Optimizer | None,
    scheduler: LRScheduler | None,
    scaler: GradScaler | None,
) -> dict[str, _HasState]:
    named = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
    return {name: part for name, part in named.items() if part is not None}


def _states(parts: dict[str, _HasState], generators: Mapping[str, Generator]) -> dict[str, Any]:
    return {
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "generators": {name: generator.get_state() for name, generator in generators.items()},
        "random_states": get_random_states(),
    }


def _apply(
    states: dict[str, Any],
    parts: dict[str, _HasState],
    generators: Mapping[str, Generator],
    restore_random_states: bool,
) -> None:
    for name, part in parts.items():
        part.load_state_dict(states["parts"][name])
    for name, generator in generators.items():
        generator.set_state(states["generators"][name])
    if restore_random_states:
        set_random_states(states["random_states"])


def _kinds(parts: dict[str, _HasState]) -> dict[str, str]:
    """The class of each part. For a model the names and shapes of its parameters count."""
    return {name: type(part).__name__ for name, part in parts.items() if name != "model"}


def _optimizer_shapes(optimizer: Optimizer | None) -> list[list[list[int]]]:
    """The shape of each parameter of each group. The optimizer itself only counts them."""
    groups = optimizer.param_groups if optimizer else []
    return [[list(parameter.shape) for parameter in group["params"]] for group in groups]


def _check_plain(name: str, value: Any) -> None:
    """Refuse what `torch.load(..., weights_only=True)` would refuse, while the run still lives."""
    if is_lazy(value):
        raise TypeError(f"{name} must have a shape (run a batch through lazy layers first)")
    # Exact types: numpy.float64 is a float to isinstance, and an unknown object to torch.load.
    kind = type(value)
    if kind in (dict, OrderedDict, Counter):
        for key, item in value.items():
            _check_plain(f"{name}[{key!r}]", item)
    elif kind in (list, tuple):
        for position, item in enumerate(value):
            _check_plain(f"{name}[{position}]", item)
    elif kind not in (*PLAIN_TYPES, Tensor, nn.Parameter):
        raise TypeError(
            f"{name} must be a tensor, number, text, or a list or dict of them, got {kind.__name__}"
        )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"path must be an existing checkpoint, got {str(path)!r}")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch.load does not compare the checksums
    except Exception as error:
        raise ValueError(f"path must be a whole checkpoint, got {path.name!r}: {error}") from None
    if damaged:
        raise ValueError(f"path must be an undamaged checkpoint, got {path.name!r}")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        # The text of torch's own error advises to load without protection.
        raise ValueError(
            f"path must be a checkpoint of plain values, got {path.name!r}, "
            "which could run code when opened"
        ) from None
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise _not_ours(path)
    return contents


def _not_ours(path: Path) -> ValueError:
    return ValueError(f"path must be a checkpoint written by save_checkpoint, got {path.name!r}")


def _check_fits(
    contents: dict[str, Any], parts: dict[str, _HasState], generators: Mapping[str, Generator]
) -> None:
    for asked, saved in ((parts, "parts"), (generators, "generators")):
        missing = sorted(set(asked) - set(contents[saved]))
        if missing:
            raise ValueError(
                f"path must be a checkpoint with the state of {missing[0]!r}, "
                f"got one with {sorted(contents[saved])}"
            )
    _check_model(contents["parts"]["model"], parts["model"].state_dict())
    for name, kind in _kinds(parts).items():
        saved_kind = contents["kinds"][name]
        if kind != saved_kind:
            raise ValueError(f"{name} must be of the saved kind, {saved_kind}, got {kind}")
    if "optimizer" in parts:
        _check_optimizer(contents["optimizer_shapes"], parts["optimizer"])


def _check_model(saved: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    for name in [*saved, *current]:
        saved_form, current_form = _form(saved.get(name)), _form(current.get(name))
        if saved_form != current_form:
            raise ValueError(
                f"model must have the architecture of the checkpoint, {name} {saved_form}, "
                f"got {name} {current_form}"
            )


def _form(value: Any) -> str:
    if is_lazy(value):
        return "without a shape (run a batch through lazy layers first)"
    if isinstance(value, Tensor):
        return f"of shape {tuple(value.shape)} and {value.dtype}"
    return "missing" if value is None else f"of type {type(value).__name__}"


def _check_optimizer(saved: list[list[list[int]]], optimizer: Any) -> None:
    current = _optimizer_shapes(optimizer)
    if saved != current:
        raise ValueError(
            f"optimizer must have the parameters of the checkpoint, of shapes {saved}, "
            f"got {current}"
        )
