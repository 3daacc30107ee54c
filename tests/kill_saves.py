"""Kill processes while they save a checkpoint, and count what they leave behind.

    python tests/kill_saves.py FOLDER KILLS atomic|in-place

Run as a program of its own: one process imports PyTorch, and each process to be killed is a cheap
copy of it. Prints a line of JSON.
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

from notes.checkpoint import load_checkpoint, save_checkpoint

NUM_WEIGHTS = 200_000  # 800 kB: most of the time goes into writing


def make_model(value):
    model = nn.Linear(NUM_WEIGHTS, 1, bias=False)
    return model.requires_grad_(False).apply(lambda layer: layer.weight.fill_(value))


def save_until_killed(path, first_epoch, how):
    epoch = first_epoch
    while True:
        target = path if how == "atomic" else path.with_name("new")
        save_checkpoint(target, model=make_model(epoch), epoch=epoch)
        if how == "in-place":
            path.write_bytes(target.read_bytes())
        epoch += 1


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


def main(folder, num_kills, how):
    torch.set_num_threads(1)
    path, moments = Path(folder, "run.pt"), random.Random(0)
    last, damaged, backwards = 0, 0, 0
    for _ in range(num_kills):
        process = os.fork()
        if process == 0:
            save_until_killed(path, last + 1, how)
        time.sleep(moments.uniform(0.0, 0.03))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        epoch = state_of(path)
        damaged += epoch == -1
        backwards += 0 <= epoch < last
        last = max(last, epoch)
    leftovers = len(list(path.parent.glob(".run.pt.*.tmp")))
    counts = {"damaged": damaged, "backwards": backwards, "epochs": last, "leftovers": leftovers}
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
