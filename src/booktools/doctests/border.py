"""Refuse a block what its readers do not share: the network, and other files of this machine.

A block may catch the error, but the attempt is written to a file and fails it afterwards. It writes
into its own folders only, and reads neither the temporary folder, where another block could leave
something, nor the repository, of which a reader has the package alone. 127.0.0.1 is no network.

Python's own sockets and files are watched, in the block and in processes forked from it. What C++
libraries and other programs do is not; `sandbox` takes the network from these too where it can.
"""

import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
LOOK_UPS = {f"socket.get{name}" for name in ("addrinfo", "hostbyname", "hostbyaddr", "nameinfo")}
SENDS = {f"socket.{name}" for name in ("connect", "sendto", "sendmsg")}
READS = {"open", "os.listdir", "os.scandir"}
WRITES = {f"os.{name}" for name in ("mkdir", "remove", "rename", "rmdir", "link", "symlink")}
WRITES.add("sqlite3.connect")
CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
READABLE = ("MPLCONFIGDIR", "MATPLOTLIBRC")
LOCAL = re.compile(rf"|127(\.\d+){{3}}|0\.0\.0\.0|::1?|localhost|{re.escape(socket.gethostname())}")


def close_border(folders: tuple[Path, ...], log: Path, script: str, line: int) -> None:
    """Leave this process nothing but its folders, and give the log a line for each attempt.

    It names the line of the page that tries: the block's own in `script`, plus `line`.
    """
    own, known, closed = (
        [os.path.realpath(path) for path in paths]
        for paths in (
            folders,
            [sys.prefix, sys.base_prefix, *sys.path[1:], *map(os.environ.__getitem__, READABLE)],
            (tempfile.gettempdir(), log.parents[2], SOURCE.parent),
        )
    )

    def allowed(path: str, writes: bool) -> bool:
        if writes and not _inside(path, own):
            return path == os.devnull or "__pycache__" in path
        return any(_inside(path, some) for some in (own, known)) or not _inside(path, closed)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        error: OSError | None = None
        if event in LOOK_UPS or event in SENDS:
            if not LOCAL.fullmatch(host := _host(*args[: 1 + (event in SENDS)])):
                message = f"a page must run without network, but this block tried to reach {host}"
                error = ConnectionError(message)
        elif event in READS or event in WRITES:
            writes = event in WRITES or (event == "open" and bool(args[2] & CHANGING))
            for name in args[: 1 + (event in WRITES)]:
                is_name = isinstance(name, str | bytes | os.PathLike)
                path = os.path.realpath(os.fsdecode(name)) if is_name else os.devnull
                exists = event == "os.mkdir" and os.path.isdir(path)  # nothing will change
                if not allowed(path, writes and not exists):
                    message = f"a page must keep to its own files, but this block tried {path}"
                    error = PermissionError(message)
        if error:
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"line {_line(script) + line}: {error}\n")
            raise error

    sys.addaudithook(hook)


def _host(first: Any, address: Any = None) -> str:
    """The host of a look-up, or of a socket and an address; empty if it is on this machine."""
    if not isinstance(first, socket.socket):
        address = first
    elif first.family not in (socket.AF_INET, socket.AF_INET6):
        return ""  # how DataLoader workers talk to their parent
    return os.fsdecode((address[0] if isinstance(address, tuple) else address) or "")


def _inside(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)


def _line(script: str) -> int:
    """The line of the block that is being run."""
    frame = sys._getframe()
    while frame.f_back and frame.f_code.co_filename != script:
        frame = frame.f_back
    return frame.f_lineno if frame.f_code.co_filename == script else 0
