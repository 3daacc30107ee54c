"""Notice what goes wrong in a block outside its main thread, where no error ends the program.

Python reports errors of threads, finalizers, exit functions and asyncio tasks on standard error;
C++ libraries and child processes write there too. So a report there fails the block. A future that
has failed, and a child process that ends with an error code, say nothing until somebody looks: they
are followed, and fail a block that does not look.
"""

import atexit
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

REPORT = re.compile(
    r"^(?:Traceback \(most recent|Exception ignored|Task was destroyed|\[?[WEF]\d{4} )|Warning: ",
    re.MULTILINE,
)
LOOKS_AT_CODES = re.compile(r"returncode|exitcode|CalledProcessError|waitstatus|= *os\.system")
STARTERS = ("booktools.", "subprocess", "multiprocessing.")
ENDED = (None, 0, -signal.SIGTERM, -9)  # running, well, or ended by the block itself


class Aftermath:
    """Follows futures and child processes from now on.

    Args:
        code: The block.
        script: Its file name.
    """

    def __init__(self, code: str, script: str) -> None:
        self.script = script
        self.started: list[Any] = []
        self.seen: set[int] = set()
        for kind, looks in (
            (Future, ("result", "exception")),
            (AsyncResult, ("get", "successful")),
        ):
            _follow(kind, "__init__", self._keep)
            for look in looks:
                _follow(kind, look, self._look)
        if not LOOKS_AT_CODES.search(code):
            _follow(subprocess.Popen, "__init__", self._start)
            _follow(BaseProcess, "start", self._start)
            _follow(os, "system", self._command)

    def finish(self) -> Iterator[str]:
        """End the program as Python does, and say what has failed unseen."""
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads and executors
        atexit._run_exitfuncs()  # ends worker processes and what the block registered
        sys.modules["__main__"] = type(sys)("__main__")
        gc.collect()  # finalizers of what the block has left
        for one in (one for one in self.started if id(one) not in self.seen):
            if error := _error(one):
                yield f"{type(one).__name__} failed, and nobody looked at it: {error}"

    def _look(self, one: Any, _: Any) -> None:
        self.seen.add(id(one))

    def _command(self, command: str, code: Any) -> None:
        self.started.append(subprocess.CompletedProcess(command, code))

    def _keep(self, one: Any, _: Any) -> None:
        self.started.append(one)

    def _start(self, process: Any, error: Any) -> None:
        if error:
            return  # it has not started
        frame = sys._getframe()
        while frame.f_back and frame.f_globals["__name__"].startswith(STARTERS):
            frame = frame.f_back
        if frame.f_code.co_filename == self.script:
            self.started.append(process)


def _error(one: Any) -> str:
    """What went wrong in a future or a process that is at its end, or an empty text."""
    if isinstance(one, Future):
        error = one.exception() if one.done() and not one.cancelled() else None
        return repr(error) if error else ""
    if isinstance(one, AsyncResult):
        return repr(vars(one)["_value"]) if one.ready() and not one.successful() else ""
    if isinstance(one, subprocess.Popen):
        one.poll()
    code = one.exitcode if isinstance(one, BaseProcess) else one.returncode
    return f"exit code {code}" if code not in ENDED else ""


def _follow(owner: Any, name: str, note: Callable[[Any, Any], None]) -> None:
    """Call `note` with the first argument and the result or error of each call of a function."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def followed(*args: Any, **kwargs: Any) -> Any:
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            note(args[0], error)
            raise
        note(args[0], result)
        return result

    setattr(owner, name, followed)
