"""Measure contestants in turns, A B A B ..., so that a slow minute of the machine hits them all."""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

Contestant = Callable[[], float]  # does its work once and returns the seconds that a unit took


@dataclass(frozen=True)
class Spread:
    """The middle of many rounds, and between which values the middle half of them lies."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles; of a single value, that value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def take_turns(
    contestants: Mapping[str, Contestant], num_rounds: int, warm_up: bool = True
) -> dict[str, list[float]]:
    """Let each contestant run once unmeasured, if it is to warm up, then once in every round."""
    for run in contestants.values() if warm_up else ():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(num_rounds):
        for name, run in contestants.items():
            seconds[name].append(run())
    return seconds


class Clocked:
    """Batches with a stopwatch inside, so that a loop is timed without a change to it.

    The time runs from one batch that is handed out to the last one: what happens before and after
    the loop does not count, and it does not matter whether a loop asks once more at the end.

    Args:
        batches: The batches.
        num_warm: How many batches pass before the clock starts.
    """

    def __init__(self, batches: Sequence[tuple[Tensor, ...]], num_warm: int = 0) -> None:
        if not 0 <= num_warm < len(batches) - 1:
            raise ValueError(f"num_warm must lie in [0, {len(batches) - 1}), got {num_warm}")
        self.batches = batches
        self.num_warm = num_warm
        self.started = self.stopped = math.nan

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        last = len(self.batches) - 1
        for number, batch in enumerate(self.batches):
            if number == self.num_warm:
                self.started = now()
            if number == last:
                self.stopped = now()
            yield batch

    @property
    def seconds_per_batch(self) -> float:
        """What the loop took for each batch."""
        return (self.stopped - self.started) / (len(self.batches) - 1 - self.num_warm)


def now() -> float:
    """Seconds on a clock, after the GPU, if there is one, has done what it was told."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let PyTorch compute with so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
