"""Notice what goes wrong in a block outside its main thread, where no error ends the program.

Python reports errors of threads, finalizers, exit functions and asyncio tasks on standard error;
C++ libraries and child processes write there too. So a report there fails the block. A future that
has failed, and a child process that ends with an error code, say nothing until somebody looks: they
are followed, and fail a block that does not look.
"""

import atexit
import contextlib
import functools
import gc
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing.pool import AsyncResult
from multiprocessing.process import BaseProcess
from typing import Any

LOOKS_AT_CODES = re.compile(r"returncode|exitcode|CalledProcessError|waitstatus|= *os\.system")
ENDED = (None, 0, -signal.SIGTERM, -9)  # running, well, or ended by the block itself
STARTERS = ("booktools.", "subprocess", "multiprocessing.")


def follow(code: str, script: str) -> Callable[[], Iterator[str]]:
    """Follow the futures and child processes that a block starts from now on.

    Returns:
        A function that ends the program as Python does, and says what has failed unseen.
    """
    started: list[Any] = []
    seen: set[int] = set()

    def start(process: Any) -> None:
        frame = sys._getframe()
        while frame.f_back and frame.f_globals["__name__"].startswith(STARTERS):
            frame = frame.f_back
        if frame.f_code.co_filename == script:  # and not a library
            started.append(process)

    for kind, looks in ((Future, ("result", "exception")), (AsyncResult, ("get", "successful"))):
        _follow(kind, "__init__", started.append)
        for look in looks:
            _follow(kind, look, lambda one: seen.add(id(one)), before=True)
    if not LOOKS_AT_CODES.search(code):
        _follow(subprocess.Popen, "__init__", start)
        _follow(BaseProcess, "start", start)
        os.system = lambda command: subprocess.call(command, shell=True) << 8

    def finish() -> Iterator[str]:
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads and executors
        atexit._run_exitfuncs()  # ends worker processes and what the block registered
        sys.modules["__main__"] = type(sys)("__main__")
        gc.collect()  # finalizers of what the block has left
        for one in (one for one in started if id(one) not in seen):
            if error := _error(one):
                yield f"{type(one).__name__} failed, and nobody looked at it: {error}\n"

    return finish


def _error(one: Any) -> str:
    """What went wrong in a future or a process that is at its end, or an empty text."""
    match one:
        case Future():
            error = one.exception() if one.done() and not one.cancelled() else None
            return repr(error) if error else ""
        case AsyncResult():
            return repr(vars(one)["_value"]) if one.ready() and not one.successful() else ""
    if isinstance(one, subprocess.Popen):
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.wait(1)  # for its end, if that is near
    code = one.exitcode if isinstance(one, BaseProcess) else one.returncode
    return f"exit code {code}" if code not in ENDED else ""


def _follow(owner: Any, name: str, note: Callable[[Any], None], before: bool = False) -> None:
    """Call `note` with the object at each call of a method, or after each one that succeeds."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def followed(one: Any, *args: Any, **kwargs: Any) -> Any:
        if before:
            note(one)
        result = original(one, *args, **kwargs)
        if not before:
            note(one)
        return result

    setattr(owner, name, followed)
