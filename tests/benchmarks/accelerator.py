"""The training loop where the data and the network are on a GPU.

`fit` against a bare loop that does all that is known to help: data on the GPU, channels last,
bfloat16, a compiled network, a fused optimizer, and no look at the loss, which would wait for the
GPU.
"""

from collections.abc import Callable
from functools import partial

import torch
from tables import Table, rows_against, times_as_fast
from timing import Clocked, Contestant, take_turns
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD

from notes.models.resnet import resnet18
from notes.training.fit import Extras, fit

BARE = "bare loop, tuned by hand, measures nothing"


def tuned(model: nn.Module, batches: Clocked, compiled: bool) -> None:
    """Learn as fast as possible and measure nothing."""
    device = next(model.parameters()).device
    model.train().to(memory_format=torch.channels_last)
    network = torch.compile(model) if compiled else model
    optimizer = SGD(model.parameters(), lr=0.01, fused=True)
    for inputs, targets in batches:
        with torch.autocast(device.type, torch.bfloat16):
            loss = F.cross_entropy(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def ours(model: nn.Module, batches: Clocked, *, best: bool = False, compiled: bool = False) -> None:
    """Let `fit` measure loss and accuracy."""
    if best:
        model.to(memory_format=torch.channels_last)
    if compiled:
        model.compile()
    fit(
        model,
        batches,
        loss_fn=F.cross_entropy,
        optimizer=SGD(model.parameters(), lr=0.01),
        num_epochs=1,
        extras=Extras(autocast_dtype=torch.bfloat16 if best else None),
        progress=False,
    )


def make_contestants(compiled: bool) -> dict[str, Callable[[nn.Module, Clocked], None]]:
    """The loops; the first is the reference."""
    return {
        BARE: partial(tuned, compiled=compiled),
        "`fit`, float32": ours,
        "`fit`, bfloat16 and channels last": partial(ours, best=True),
        "`fit`, the same and compiled": partial(ours, best=True, compiled=compiled),
    }


def make_batches(
    num_batches: int, batch_size: int, device: torch.device
) -> list[tuple[Tensor, Tensor]]:
    """The same random images over and over, on the device."""
    torch.manual_seed(0)
    images = torch.randn(batch_size, 3, 32, 32, device=device)
    return [(images, torch.randint(0, 10, (batch_size,), device=device))] * num_batches


def measure(
    num_rounds: int,
    device: torch.device,
    num_batches: int = 60,
    batch_size: int = 512,
    num_warm: int = 10,
    compiled: bool = True,
) -> Table:
    """Compare the loops on one device."""
    batches = make_batches(num_batches, batch_size, device)

    def seconds_per_image(loop: Callable[[nn.Module, Clocked], None]) -> float:
        torch.manual_seed(0)
        model = resnet18(in_channels=3).to(device)
        clocked = Clocked(batches, num_warm)  # the first batches also compile
        loop(model, clocked)
        return clocked.seconds_per_batch / batch_size

    contestants: dict[str, Contestant] = {
        name: partial(seconds_per_image, loop) for name, loop in make_contestants(compiled).items()
    }
    seconds = take_turns(contestants, num_rounds)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Table(
        title=f"Training on a GPU: {name}",
        setting=f"ResNet-18, 32×32 RGB images, batches of {batch_size}, SGD, all data on the GPU. "  # noqa: RUF001
        f"{num_rounds} rounds of {num_batches} batches, the first {num_warm} not counted.",
        own="images per second",
        compared="times as fast as the bare loop",
        rows=rows_against(BARE, seconds, lambda value: 1 / value, times_as_fast),
    )
