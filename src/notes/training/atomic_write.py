"""Replace a file in one step, so that nobody ever sees half of it.

The new content goes to a temporary file in the same folder, from there to the disk, and only then
takes the old file's name. Renaming within a folder is one step for the operating system: a process
that is killed, at whatever moment, leaves the old file or the new one.

Source: Pillai et al., "All File Systems Are Not Created Equal" (2014),
https://www.usenix.org/conference/osdi14/technical-sessions/presentation/pillai.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

STALE_SECONDS = 600  # a writer that lives touches its file far more often


# --8<-- [start:atomic_write]
@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write to, which takes the place of `path` when the block ends well.

    If the block fails, the temporary file is removed and `path` stays as it was. A killed process
    cannot tidy up: its temporary file (`.name.<random>.tmp`) stays until a later write to the same
    path finds that nobody has touched it for ten minutes. Several processes may write to one path
    at once: each has its own temporary file, and the last one to finish wins.

    Args:
        path: The file to make or replace. A symbolic link is followed.

    Yields:
        The temporary file, open for writing.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If `path` is a folder.
        PermissionError: If `path` is a read-only file, or its folder cannot be written.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "note.txt")
        ...     with atomic_write(path) as file:
        ...         _ = file.write(b"all or nothing")
        ...     path.read_bytes()
        b'all or nothing'

    Explained in:
        [Checkpoints][checkpoints]
    """
    path = Path(path).resolve()
    _check_path(path)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        file = temporary.open("xb")
    except OSError as error:
        reason = f"{str(path.parent)!r} ({error.strerror})"
        raise PermissionError(f"path must be in a writable folder, got {reason}") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the content must be on the disk before its name is
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


# --8<-- [end:atomic_write]


def _check_path(path: Path) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must be in an existing folder, got {str(path)!r}")
    if path.is_dir():
        raise IsADirectoryError(f"path must be a file, got the folder {str(path)!r}")
    # Renaming would replace a protected file without a word: only its folder's rights count.
    if path.exists() and not path.stat().st_mode & 0o222:
        raise PermissionError(f"path must not be a read-only file, got {str(path)!r}")


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.iterdir():
        is_ours = leftover.name.startswith(f".{path.name}.") and leftover.suffix == ".tmp"
        if is_ours and _age(leftover) > STALE_SECONDS:
            leftover.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # another writer has just finished with it
        return 0


def _flush_folder(folder: Path) -> None:
    """Put the new name on the disk as well; where folders cannot be opened, the system does it."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
