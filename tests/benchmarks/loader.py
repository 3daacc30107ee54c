"""Batches from tensors in memory: `TensorLoader` and PyTorch's `DataLoader`."""

from collections.abc import Iterable
from functools import partial

import torch
from tables import Row, Table, median_own, rows_against, times_as_fast, with_goal
from timing import Contestant, now, take_turns
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from notes.data.tensor_loader import TensorLoader

Loader = Iterable[tuple[Tensor, ...]]
BATCH_SIZE = 256
# As many bytes as a batch of the notes' data sets: what a shuffled batch costs is mostly a copy.
DATA_SETS = {
    "28×28 gray bytes": ((1, 28, 28), torch.uint8),  # noqa: RUF001
    "28×28 gray float32": ((1, 28, 28), torch.float32),  # noqa: RUF001
    "32×32 RGB bytes": ((3, 32, 32), torch.uint8),  # noqa: RUF001
}


def make_data(
    shape: tuple[int, ...], dtype: torch.dtype, num_examples: int
) -> tuple[Tensor, Tensor]:
    """Random images with their numbers as labels, so that a mix-up would show."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (num_examples, *shape), generator=generator, dtype=torch.uint8)
    return images.to(dtype), torch.arange(num_examples)


def make_loaders(images: Tensor, labels: Tensor) -> dict[str, Loader]:
    """The contestants; the first is the reference."""
    data_set = TensorDataset(images, labels)
    return {
        "`DataLoader`, shuffled": DataLoader(data_set, batch_size=BATCH_SIZE, shuffle=True),
        "`TensorLoader`, shuffled": TensorLoader(
            images, labels, batch_size=BATCH_SIZE, shuffle=True
        ),
        "`TensorLoader`, in order": TensorLoader(images, labels, batch_size=BATCH_SIZE),
    }


def seconds_per_batch(loader: Loader) -> float:
    """Time one pass."""
    start, count = now(), 0
    for _ in loader:
        count += 1
    return (now() - start) / count


def measure(num_rounds: int, num_batches: int = 40) -> Table:
    """Compare the loaders on each kind of images."""
    rows: list[Row] = []
    for kind, (shape, dtype) in DATA_SETS.items():
        loaders = make_loaders(*make_data(shape, dtype, num_batches * BATCH_SIZE))
        contestants: dict[str, Contestant] = {
            f"{name}: {kind}": partial(seconds_per_batch, loader)
            for name, loader in loaders.items()
        }
        reference, shuffled, _ = contestants
        seconds = take_turns(contestants, num_rounds)
        rows += with_goal(
            rows_against(reference, seconds, lambda value: 1e6 * value, times_as_fast),
            shuffled,
            median_own,
            at_most=30,
        )
    return Table(
        title="The loader in memory",
        setting=f"Batches of {BATCH_SIZE} images with their labels, no worker processes, "
        f"{torch.get_num_threads()} threads. {num_rounds} rounds of {num_batches} batches.",
        own="µs per batch",
        compared="times as fast as `DataLoader`",
        rows=tuple(rows),
    )
