"""Kill processes while they save a checkpoint, until one leaves a damaged file or KILLS are done.

    python tests/training/kill_saves.py FOLDER KILLS atomic|in-place

Run as a program of its own: one process imports PyTorch, and each process to be killed is a cheap
copy of it. `in-place` writes without `atomic_write`, to see the damage. Prints a line of JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from notes.training import checkpoint
from notes.training.checkpoint import load_checkpoint, save_checkpoint

NUM_WEIGHTS = 100_000  # 400 kB: most of the time goes into writing


def make_model(value):
    model = nn.Linear(NUM_WEIGHTS, 1, bias=False)
    return model.requires_grad_(False).apply(lambda layer: layer.weight.fill_(value))


def save(path, epoch):
    save_checkpoint(path, model=make_model(epoch), epoch=epoch)


def save_until_killed(path, first_epoch, ready):
    epoch = first_epoch
    while True:
        save(path, epoch)
        epoch += 1
        os.write(ready, b".")


def state_of(path):
    """The epoch in the file if everything in it belongs to that epoch, otherwise -1."""
    if not path.exists():
        return 0
    model = make_model(-1)
    try:
        epoch = load_checkpoint(path, model=model).epoch
    except ValueError:
        return -1
    return epoch if torch.equal(model.weight, make_model(epoch).weight) else -1


def seconds_for_a_save(path):
    start = time.perf_counter()
    for _ in range(5):
        save(path, 0)
    path.unlink()
    return (time.perf_counter() - start) / 5


def main(folder, num_kills, how):
    torch.set_num_threads(1)
    if how == "in-place":
        checkpoint.atomic_write = lambda path: path.open("wb")
    path, moments = Path(folder, "run.pt"), random.Random(0)
    seconds = seconds_for_a_save(path)
    kills, last, damaged, backwards = 0, 0, 0, 0
    while kills < num_kills and not damaged:
        is_ready, ready = os.pipe()
        process = os.fork()
        if process == 0:
            save_until_killed(path, last + 1, ready)
        os.close(ready)
        assert os.read(is_ready, 1)  # a new process is slow at first; from here on it only saves
        time.sleep(moments.uniform(0, 2 * seconds))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(is_ready)
        epoch = state_of(path)
        kills += 1
        damaged += epoch == -1
        backwards += 0 <= epoch < last
        last = max(last, epoch)
    counts = {
        "kills": kills,
        "damaged": damaged,
        "backwards": backwards,
        "epochs": last,
        "leftovers": len(list(path.parent.glob(".run.pt.*.tmp"))),
    }
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
