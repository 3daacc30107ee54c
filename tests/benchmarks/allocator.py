"""What glibc's memory settings gain for a LeNet step.

glibc gives large blocks back to the system and fetches them anew for the next batch. Two variables
of the environment stop that. They are read when a program starts, so each contestant is a process:
this file, run as a program, prints the seconds of one step.
"""

import os
import platform
import subprocess
import sys
from functools import partial

import torch
from tables import Table, rows_against, times_as_fast
from timing import Clocked, Contestant, take_turns
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD

from notes.models.lenet import lenet
from notes.training.loop import train_epoch

BATCH_SIZE = 256
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(2**30)}
DEFAULT, KEPT = "glibc's defaults", " ".join(f"`{k}={v}`" for k, v in KEEP_MEMORY.items())


def seconds_per_step(num_batches: int) -> float:
    """Time LeNet in this process, after three steps that do not count."""
    torch.manual_seed(0)
    batch = (torch.randn(BATCH_SIZE, 1, 28, 28), torch.randint(0, 10, (BATCH_SIZE,)))
    model: nn.Module = lenet(activation="relu")
    clocked = Clocked([batch] * num_batches, num_warm=3)
    train_epoch(model, clocked, F.cross_entropy, SGD(model.parameters(), lr=0.01))
    return clocked.seconds_per_batch


def in_a_new_process(num_batches: int, settings: dict[str, str]) -> float:
    """Time LeNet in a process with these settings of its memory and no others."""
    others = {name: value for name, value in os.environ.items() if name not in KEEP_MEMORY}
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, __file__, str(num_batches)],
        env=others | {"PYTHONPATH": paths} | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure(num_rounds: int, num_batches: int = 100) -> Table | None:
    """Compare the settings; without glibc there is nothing to compare."""
    if platform.libc_ver()[0] != "glibc":
        return None
    contestants: dict[str, Contestant] = {
        DEFAULT: partial(in_a_new_process, num_batches, {}),
        KEPT: partial(in_a_new_process, num_batches, KEEP_MEMORY),
    }
    seconds = take_turns(contestants, num_rounds, warm_up=False)
    return Table(
        title="Memory that is kept",
        setting=f"`train_epoch` with `lenet()`, ReLU, batches of {BATCH_SIZE}, "
        f"{torch.get_num_threads()} threads. {num_rounds} rounds of {num_batches} batches, each "
        "round in a new process.",
        own="ms per batch",
        compared="times as fast as the defaults",
        rows=rows_against(DEFAULT, seconds, lambda value: 1e3 * value, times_as_fast),
    )


if __name__ == "__main__":
    print(seconds_per_step(int(sys.argv[1])))
