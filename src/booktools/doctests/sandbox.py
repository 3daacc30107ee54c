"""Hand blocks to the program that runs them, see `worker`.

Nothing of the user's machine reaches a block but what says where programs are and how torch
computes: the environment is made of the variables in `KEPT` and of fixed ones. So there is no
display, no GPU, no own matplotlibrc, and as many threads as `OMP_NUM_THREADS` says (1 if it says
nothing). Where Linux allows it, the program gets a network of its own, in which nothing but
127.0.0.1 can be reached.
"""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Self

from booktools.doctests.aftermath import REPORT
from booktools.doctests.border import SOURCE
from booktools.doctests.worker import CAN_FORK, Job, Outcome, name_lines

KEPT = re.compile(
    r"(?:OMP|ATEN|ONEDNN|DNNL|MKL|KMP)_\w+|PATH|(?:DY)?LD_LIBRARY_PATH"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|NUMBER_OF_PROCESSORS|PROCESSOR_ARCHITECTURE",
    re.IGNORECASE,
)
NO_NETWORK = ("unshare", "--map-current-user", "--keep-caps", "--net")


def block_environment(variables: Mapping[str, str], hash_seed: int, home: str) -> dict[str, str]:
    """The environment of a block, from that of pytest."""
    kept = {name: value for name, value in variables.items() if KEPT.fullmatch(name)}
    return {
        "OMP_NUM_THREADS": "1",
        **kept,
        "CUDA_VISIBLE_DEVICES": "",
        "HOME": home,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(SOURCE.parent / ".cache" / "matplotlib"),  # its list of fonts
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": str(SOURCE),
        "PYTHONUTF8": "1",
        "TZ": "UTC",
        "USERPROFILE": home,
    }


@functools.cache
def no_network() -> tuple[str, ...]:
    """The command that runs another one without network; empty where the system has none."""
    try:
        subprocess.run([*NO_NETWORK, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return NO_NETWORK


class Sandbox:
    """A running sandbox program; it starts with the first job.

    Args:
        hash_seed: Seed of Python's hashes, which decide the order of a set of words.
        fork: Whether each block is a fork of the program or, slower, a new interpreter.
    """

    def __init__(self, hash_seed: int, *, fork: bool = CAN_FORK) -> None:
        self.hash_seed = hash_seed
        self.fork = fork
        self.process: subprocess.Popen[str] | None = None
        self.home = tempfile.TemporaryDirectory(prefix="b", ignore_cleanup_errors=True)

    def start(self) -> None:
        """Start the program, unless it runs, and wait until it has imported the libraries."""
        if self.process is None or self.process.poll() is not None:
            program = f"from booktools.doctests.worker import serve; serve({self.fork})"
            self.process = subprocess.Popen(
                [*no_network(), sys.executable, "-c", program],
                cwd=self.home.name,
                env=block_environment(os.environ, self.hash_seed, self.home.name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._exchange("")

    def run(self, job: Job) -> Outcome:
        """Run a block in a fresh process and return what became of it."""
        self.start()
        return _read(job, self._exchange(json.dumps(asdict(job))))

    def close(self) -> None:
        """End the program."""
        if self.process is not None:
            self.process.communicate()
            self.process = None
        self.home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, request: str) -> str:
        if self.process is None or self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the sandbox must be started with pipes, got none")
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def _read(job: Job, code: str) -> Outcome:
    """Collect the files that the process left behind."""

    def text(name: str) -> str:
        path = Path(job.folder) / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    known = text("outcome.json")
    outcome = Outcome(**json.loads(known)) if known else Outcome()
    outcome.printed, outcome.errors = text("printed"), name_lines(text("errors"), job)
    outcome.attempts = text("attempts").splitlines()
    if not known or code != "0":
        outcome.failure += f"the block must end normally, got exit code {code or 'none'}\n"
    if REPORT.search(outcome.errors):
        outcome.failure += "standard error must hold no warning and no traceback\n"
    return outcome
