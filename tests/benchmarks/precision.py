"""A training step of the CIFAR network: what half precision and channels last gain."""

from collections.abc import Sequence
from functools import partial

import torch
from tables import Table, median_compared, rows_against, times_as_fast, with_goal
from timing import Clocked, Contestant, take_turns
from torch import Tensor
from torch.nn import functional as F
from torch.optim import SGD

from notes.models.cifar import cifar_cnn
from notes.training.fit import Extras, fit

BATCH_SIZE = 128
BOTH = "bfloat16 and channels last"
ARGUMENTS: dict[str, tuple[torch.dtype | None, torch.memory_format]] = {
    "no argument: float32": (None, torch.contiguous_format),
    "channels last": (None, torch.channels_last),
    "bfloat16": (torch.bfloat16, torch.contiguous_format),
    BOTH: (torch.bfloat16, torch.channels_last),
}


def make_batches(num_batches: int, batch_size: int = BATCH_SIZE) -> list[tuple[Tensor, Tensor]]:
    """Random images with random labels."""
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(batch_size, 3, 32, 32, generator=generator),
            torch.randint(0, 10, (batch_size,), generator=generator),
        )
        for _ in range(num_batches)
    ]


def train(
    arguments: tuple[torch.dtype | None, torch.memory_format],
    batches: Sequence[tuple[Tensor, ...]],
) -> tuple[float, float]:
    """Train a new network; return the loss and the seconds for each batch."""
    torch.manual_seed(0)
    dtype, memory_format = arguments
    model = cifar_cnn().to(memory_format=memory_format)
    clocked = Clocked(batches)
    history = fit(
        model,
        clocked,
        loss_fn=F.cross_entropy,
        optimizer=SGD(model.parameters(), lr=0.01),
        num_epochs=1,
        extras=Extras(autocast_dtype=dtype),
        progress=False,
    )
    return history["train_loss"][0], clocked.seconds_per_batch


def measure(num_rounds: int, num_batches: int = 5, batch_size: int = BATCH_SIZE) -> Table:
    """Compare the arguments."""
    batches = make_batches(num_batches, batch_size)
    contestants: dict[str, Contestant] = {
        name: partial(lambda arguments: train(arguments, batches)[1], arguments)
        for name, arguments in ARGUMENTS.items()
    }
    seconds = take_turns(contestants, num_rounds)
    rows = rows_against("no argument: float32", seconds, lambda value: 1e3 * value, times_as_fast)
    return Table(
        title="Half precision and channels last",
        setting=f"`fit` with `cifar_cnn()`, batches of {batch_size}, SGD, loss and accuracy, "
        f"{torch.get_num_threads()} threads. {num_rounds} rounds of {num_batches} batches.",
        own="ms per batch",
        compared="times as fast as float32",
        rows=with_goal(rows, BOTH, median_compared, at_least=2),
    )
