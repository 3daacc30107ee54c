"""Replace a file in one step, so that nobody ever sees half of it.

The new content goes to a temporary file in the same folder, from there to the disk, and only then
takes the old file's name. Renaming within a folder is one step for the operating system: a process
that is killed, at whatever moment, leaves the old file or the new one.

Source: Pillai et al., "All File Systems Are Not Created Equal" (2014),
https://www.usenix.org/conference/osdi14/technical-sessions/presentation/pillai.
"""

import errno
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

STALE_SECONDS = 600  # a writer that lives touches its file far more often


def check_writable(name: str, path: str | Path) -> None:
    """Refuse a path that `atomic_write` could not replace, before there is anything to write.

    A temporary file is made for a moment, since only that shows what the system allows.

    Args:
        name: What the caller calls the argument.
        path: The file to make or replace.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If `path` is a folder.
        OSError: If `path` is a device or a pipe, or its name is too long.
        PermissionError: If `path` is a read-only file, or its folder cannot be written.

    Examples:
        >>> check_writable("checkpoint", "no/such/folder/run.pt")
        Traceback (most recent call last):
        ...
        FileNotFoundError: checkpoint must be in an existing folder, got 'no/such/folder/run.pt'

    Explained in:
        [Checkpoints][checkpoints]
    """
    given, path = repr(str(path)), Path(path).resolve()
    try:
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{name} must be in an existing folder, got {given}")
        if path.is_dir():
            raise IsADirectoryError(f"{name} must be a file, got the folder {given}")
        temporary = _temporary(path)
        temporary.open("xb").close()
        temporary.unlink()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise OSError(f"{name} must have a shorter name, got {given}") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = f"{str(path.parent)!r} ({error.strerror})"
            raise PermissionError(f"{name} must be in a writable folder, got {reason}") from error
        raise
    if path.exists() and not path.is_file():
        raise OSError(f"{name} must be a file, got the device or pipe {given}")
    # Renaming would replace a protected file without a word: only its folder's rights count.
    if path.exists() and not (path.stat().st_mode & 0o222 and _may_write(path)):
        raise PermissionError(f"{name} must not be a read-only file, got {given}")


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write to, which takes the place of `path` when the block ends well.

    If the block fails, the temporary file is removed and `path` stays as it was. A killed process
    cannot tidy up: its temporary file (`.name.<random>.tmp`) stays until a later write to the same
    path finds that nobody has touched it for ten minutes. Several processes may write to one path
    at once: each has its own temporary file, and the last one to finish wins.

    A file that is replaced keeps its mode, its extended attributes and, where the system allows
    it, its owner. Another name of the same file (a hard link) keeps the old content.

    Args:
        path: The file to make or replace. A symbolic link is followed.

    Yields:
        The temporary file, open for writing.

    Raises:
        OSError: As `check_writable` does, or if the disk is full.

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
    check_writable("path", path)
    _remove_leftovers(path)
    temporary = _temporary(path)
    try:
        with temporary.open("xb") as file:
            if path.exists():
                _copy_rights(path, temporary)  # before anything stands in it
            yield file
            file.flush()
            os.fsync(file.fileno())  # the content must be on the disk before its name is
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # "No space left on device" alone does not say where
        raise
    _flush_folder(path.parent)


def _copy_rights(old: Path, new: Path) -> None:
    """Give the new file the owner, the mode and the extended attributes of the old one."""
    status = old.stat()
    for owner in ((-1, status.st_gid), (status.st_uid, -1)):
        with suppress(OSError, AttributeError):  # only root gives files away; Windows has no owners
            os.chown(new, *owner)
    shutil.copystat(old, new)
    os.utime(new)  # copied as well, and the old time would look like a leftover's


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def _remove_leftovers(path: Path) -> None:
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{32}}\.tmp")
    with suppress(OSError):  # tidying up is no reason to fail
        for leftover in path.parent.iterdir():
            if ours.fullmatch(leftover.name) and _is_stale(leftover):
                leftover.unlink()


def _is_stale(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > STALE_SECONDS


def _flush_folder(folder: Path) -> None:
    """Put the new name on the disk as well; where folders cannot be opened, the system does it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
