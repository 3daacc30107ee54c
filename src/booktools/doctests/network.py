"""Refuse the network to a block, and remember each attempt.

The refusal is a `ConnectionError`, as on a machine without network, so a block may catch it and
show its offline alternative to nobody but a reader who is offline. The attempt is written to a file
all the same and fails the block afterwards: a page that tries the network depends on it.

Python's own sockets are watched, in the block and in worker processes forked from it. Programs that
a block starts, and spawned workers, are not.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def refuse_network(log: Path, script: str) -> None:
    """Refuse the network to this process until it ends.

    Args:
        log: Gets one line for each attempt.
        script: File name of the block, to tell the line that tries.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in LOOK_UPS and event not in SENDS:
            return
        if event in SENDS and args[0].family == socket.AF_UNIX:
            return  # how DataLoader workers talk to their parent
        address = args[1] if event in SENDS else args[0]
        host = address[0] if isinstance(address, tuple) else address
        message = f"a page must run without network, but this block tried to reach {host}"
        entry = f"line {_line(script)}: {message}\n".encode()
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, entry)
        os.close(file)
        raise ConnectionError(message)

    sys.addaudithook(hook)


def _line(script: str) -> int:
    """The line of the block that is being run."""
    frame = sys._getframe()
    while frame.f_back and frame.f_code.co_filename != script:
        frame = frame.f_back
    return frame.f_lineno if frame.f_code.co_filename == script else 0
