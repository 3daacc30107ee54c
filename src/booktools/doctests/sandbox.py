"""Hand blocks to the program that runs them, see `worker`.

Nothing of the user's machine reaches a block but where programs are and how torch computes: its
environment is what `KEPT` lets through and some fixed values. There is no display, no GPU and no
own matplotlibrc, and as many threads as `OMP_NUM_THREADS` says (1 if it says nothing). Where Linux
allows it, the program gets a network of its own, in which there is only 127.0.0.1.
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
from typing import Any

from booktools.doctests.border import SOURCE
from booktools.doctests.worker import CAN_FORK, Job, Outcome, name_lines

KEPT = re.compile(
    r"(?:OMP|ATEN|ONEDNN|DNNL|MKL|KMP|PROCESSOR)_\w+|PATH(?:EXT)?|(?:DY)?LD_LIBRARY_PATH"
    r"|SYSTEM(?:ROOT|DRIVE)|WINDIR|COMSPEC|NUMBER_OF_PROCESSORS",
    re.IGNORECASE,
)
NO_NETWORK = ("unshare", "--map-current-user", "--keep-caps", "--net")
REPORT = re.compile(  # of an error or a warning, from Python or from C++
    r"^(?:Traceback \(most recent|Exception ignored|Task was destroyed|\[?[WEF]\d{4} )|Warning: ",
    re.MULTILINE,
)


def block_environment(variables: Mapping[str, str], hash_seed: int, home: str) -> dict[str, str]:
    """The environment of a block, from that of pytest."""
    return {
        "OMP_NUM_THREADS": "1",
        **{name: value for name, value in variables.items() if KEPT.fullmatch(name)},
        **dict.fromkeys(("HOME", "USERPROFILE"), home),
        "CUDA_VISIBLE_DEVICES": "",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(SOURCE.parent / ".cache" / "matplotlib"),  # its list of fonts
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": str(SOURCE),
        "PYTHONUTF8": "1",
        "TZ": "UTC",
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
    """A running program, in which hashes and so sets have one order; it starts with the first job.

    Each block is a fork of the program or, slower, a new interpreter.
    """

    def __init__(self, hash_seed: int, *, fork: bool = CAN_FORK) -> None:
        self.hash_seed, self.fork = hash_seed, fork
        self.home: Any = None
        self.process: Any = None

    def run(self, job: Job) -> Outcome:
        """Run a block in a fresh process and return what became of it."""
        if self.process is None or self.process.poll() is not None:
            self.close()
            self.home = tempfile.TemporaryDirectory(prefix="b", ignore_cleanup_errors=True)
            program = f"from booktools.doctests.worker import serve; serve({self.fork})"
            self.process = subprocess.Popen(
                [*no_network(), sys.executable, "-c", program],
                cwd=self.home.name,
                env=block_environment(os.environ, self.hash_seed, self.home.name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self.process.stdin.write(json.dumps(asdict(job)) + "\n")
        self.process.stdin.flush()
        return _read(job, self.process.stdout.readline().strip())

    def close(self) -> None:
        """End the program."""
        if self.process is not None:
            self.process.communicate()
            self.home.cleanup()
            self.process = None


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
