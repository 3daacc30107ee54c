"""Hand blocks to the program that runs them, see `sandbox`.

What a block finds in its environment: no display, matplotlib's Agg backend, and as many threads as
`OMP_NUM_THREADS` says (1 if it says nothing). Other variables that change how torch computes, such
as `ATEN_CPU_CAPABILITY`, reach the block as they are.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Self

from booktools.doctests.worker import CAN_FORK, SOURCE, Job, Outcome

# These change what a program prints or draws, or tell a block that it is being tested.
REMOVED = {"COLUMNS", "DISPLAY", "FORCE_COLOR", "LINES", "PYTHONWARNINGS", "WAYLAND_DISPLAY"}


def block_environment(variables: Mapping[str, str], hash_seed: int) -> dict[str, str]:
    """The environment of a block, from that of pytest."""
    kept = {
        name: value
        for name, value in variables.items()
        if name not in REMOVED and not name.startswith("PYTEST_")
    }
    return (
        {"OMP_NUM_THREADS": "1"}
        | kept
        | {
            "MPLBACKEND": "Agg",
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONPATH": str(SOURCE),
            "PYTHONUTF8": "1",
        }
    )


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

    def start(self) -> None:
        """Start the program, unless it runs, and wait until it has imported the libraries."""
        if self.process is None or self.process.poll() is not None:
            self.process = self._start()
            self._exchange("")

    def run(self, job: Job) -> Outcome:
        """Run a block in a fresh process and return what became of it."""
        self.start()
        code = self._exchange(json.dumps(asdict(job)))
        return _read(Path(job.folder), code)

    def close(self) -> None:
        """End the program."""
        if self.process is not None:
            self.process.communicate()
            self.process = None

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

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from booktools.doctests.worker import serve; serve({self.fork})",
            ],
            env=block_environment(os.environ, self.hash_seed),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _read(folder: Path, code: str) -> Outcome:
    """Collect the files that the process left behind."""

    def text(name: str) -> str:
        path = folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    known = text("outcome.json")
    outcome = Outcome(**json.loads(known)) if known else Outcome()
    outcome.printed, outcome.errors = text("printed"), text("errors")
    outcome.attempts = text("network").splitlines()
    if not known or code != "0":
        outcome.failure += f"the block must end normally, got exit code {code or 'none'}\n"
    return outcome
