"""Save a training run to a file, and go on from there as if nothing had happened.

A checkpoint holds tensors and plain values only, never Python objects: opening one from a stranger
cannot run code.
"""

import copy
import operator
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch
from torch import nn
from torch.amp import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from notes.training._states import (
    AnyGenerator,
    HasState,
    check_fits,
    get_states,
    kinds,
    optimizer_shapes,
    plain,
    set_states,
)
from notes.training.atomic_write import atomic_write

FORMAT = "notes.checkpoint 2"


class _DryRun(Exception):  # noqa: N818 - no error: it keeps the new file from replacing the old one
    pass


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


# --8<-- [start:save_checkpoint]
def save_checkpoint(
    path: str | Path,
    *,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    scaler: GradScaler | None = None,
    generators: Mapping[str, AnyGenerator] | None = None,
    epoch: int = 0,
    extra: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> None:
    """Write everything that a training run needs to go on.

    The random states of Python, NumPy and PyTorch are always in it. The file is replaced in one
    step, once it has been read back: whoever is killed meanwhile leaves the old checkpoint or the
    new one, never half of one, and what no load accepts replaces nothing.

    Args:
        path: The file to make or replace.
        model: The model. Its parameters and buffers are saved, not its code.
        optimizer: Its momenta, step counts and learning rates.
        scheduler: Its position.
        scaler: The scale of mixed-precision training.
        generators: Further generators by name, say the one that shuffles the data: of PyTorch,
            NumPy or Python.
        epoch: Number of epochs that are finished.
        extra: More values to keep: tensors, numbers, text, and lists or dicts of them. Numbers of
            NumPy are saved as Python's.
        dry_run: Whether to throw the new file away after it has been read back: to find out
            beforehand what would be refused.

    Raises:
        FileNotFoundError: If the folder of `path` does not exist; see `atomic_write` for the rest.
        OSError: If the disk is full.
        TypeError: If a value could not be loaded again, or `epoch` is not an integer.
        ValueError: If `epoch` is negative.

    Explained in:
        [Checkpoints][checkpoints]
    """
    parts = _parts(model, optimizer, scheduler, scaler)
    contents = _plain_contents(
        {
            "format": FORMAT,
            "kinds": kinds(parts),
            "optimizer_shapes": optimizer_shapes(parts),
            "epoch": epoch,
            "extra": dict(extra or {}),
            **get_states(parts, generators or {}),
        }
    )
    with suppress(_DryRun), atomic_write(path) as file:
        _write(contents, file)
        if dry_run:
            raise _DryRun


# --8<-- [end:save_checkpoint]


# --8<-- [start:load_checkpoint]
def load_checkpoint(
    path: str | Path,
    *,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    scaler: GradScaler | None = None,
    generators: Mapping[str, AnyGenerator] | None = None,
    restore_random_states: bool = True,
    check: Callable[[Checkpoint], object] | None = None,
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
        check: Called with the result before anything is put back; raises if it is the wrong one.

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
        check_fits(contents, parts, generators)
        checkpoint = Checkpoint(operator.index(contents["epoch"]), dict(contents["extra"]))
    except (AttributeError, KeyError, TypeError):
        raise _not_ours(path) from None
    if check is not None:
        check(checkpoint)
    before = copy.deepcopy(get_states(parts, generators))
    try:
        set_states(contents, parts, generators, restore_random_states)
    except BaseException as error:
        set_states(before, parts, generators, restore_random_states)
        if not isinstance(error, Exception):  # Ctrl-C
            raise
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
) -> dict[str, HasState]:
    named = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
    return {name: part for name, part in named.items() if part is not None}


def _plain_contents(contents: dict[str, Any]) -> dict[str, Any]:
    try:
        contents = {name: plain(name, value) for name, value in contents.items()}
    except RecursionError:
        raise TypeError("extra and states must be nested less deeply") from None
    epoch = contents["epoch"]
    if type(epoch) is not int:
        raise TypeError(f"epoch must be an integer, got {epoch!r}")
    if epoch < 0:
        raise ValueError(f"epoch must be at least 0, got {epoch}")
    return contents


def _write(contents: dict[str, Any], file: BinaryIO) -> None:
    """Write the contents, and find out whether they can be read, while the old file is there."""
    try:
        torch.save(contents, file)
        file.flush()
        _load(file.name)
    except OSError:
        raise
    except Exception as error:
        if isinstance(error.__context__, OSError):  # torch.save hides that the disk is full
            raise error.__context__ from None
        raise TypeError("extra and states must hold only what torch.load accepts") from error


def _load(name: str) -> None:
    """Load a file without reading its numbers, where the system can map a file into memory."""
    how: dict[str, Any] = {"map_location": "cpu", "weights_only": True}
    try:
        torch.load(name, mmap=True, **how)
    except RuntimeError:
        torch.load(name, **how)


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
