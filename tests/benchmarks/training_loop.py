"""What a training loop costs on top of the network: `fit`, the bare loop and other people's loops.

The network is one small linear layer, so nearly all the time is the loop's own. Peers that are not
installed are left out.
"""

import logging
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec

import torch
from tables import Row, Table, median_compared, rows_against, with_goal
from timing import Clocked, take_turns, threads
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Optimizer

from notes.training.fit import fit

Loop = Callable[[nn.Module, Optimizer, Clocked], dict[str, float]]  # returns what it measured


def bare(model: nn.Module, optimizer: Optimizer, batches: Clocked) -> dict[str, float]:
    """Learn and measure nothing."""
    model.train()
    for inputs, targets in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return {}


def ours(model: nn.Module, optimizer: Optimizer, batches: Clocked) -> dict[str, float]:
    """Let `fit` measure loss and accuracy, which is its default."""
    history = fit(
        model,
        batches,
        loss_fn=F.cross_entropy,
        optimizer=optimizer,
        num_epochs=1,
        progress=False,
    )
    return {"loss": history["train_loss"][0], "accuracy": history["train_accuracy"][0]}


def ours_loss_only(model: nn.Module, optimizer: Optimizer, batches: Clocked) -> dict[str, float]:
    """Let `fit` measure only the loss, which it needs to stop at a NaN."""
    history = fit(
        model,
        batches,
        loss_fn=F.cross_entropy,
        optimizer=optimizer,
        num_epochs=1,
        metrics={},
        progress=False,
    )
    return {"loss": history["train_loss"][0]}


def d2l_style(model: nn.Module, optimizer: Optimizer, batches: Clocked) -> dict[str, float]:
    """Add up loss, right answers and examples as Python numbers after each batch."""
    model.train()
    sums = [0.0, 0.0, 0.0]
    for inputs, targets in batches:
        outputs = model(inputs)
        loss = F.cross_entropy(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right = (outputs.argmax(dim=1).type(targets.dtype) == targets).type(targets.dtype).sum()
        new = (loss.item() * len(targets), float(right), targets.numel())
        sums = [total + value for total, value in zip(sums, new, strict=True)]
    return {"loss": sums[0] / sums[2], "accuracy": sums[1] / sums[2]}


def ignite(model: nn.Module, optimizer: Optimizer, batches: Clocked) -> dict[str, float]:
    """Ignite's trainer with nothing attached."""
    from ignite.engine import create_supervised_trainer

    create_supervised_trainer(model, optimizer, F.cross_entropy).run(batches, max_epochs=1)
    return {}


def ignite_with_metrics(
    model: nn.Module, optimizer: Optimizer, batches: Clocked
) -> dict[str, float]:
    """Ignite's trainer with its own metrics for loss and accuracy."""
    from ignite.engine import create_supervised_trainer
    from ignite.metrics import Accuracy, Average

    trainer = create_supervised_trainer(
        model,
        optimizer,
        F.cross_entropy,
        output_transform=lambda inputs, targets, outputs, loss: (outputs, targets, loss.item()),
    )
    Average(output_transform=lambda output: output[2]).attach(trainer, "loss")
    Accuracy(output_transform=lambda output: output[:2]).attach(trainer, "accuracy")
    measured = trainer.run(batches, max_epochs=1).metrics
    return {name: float(measured[name]) for name in ("loss", "accuracy")}


def lightning(
    model: nn.Module, optimizer: Optimizer, batches: Clocked, *, log: bool = False
) -> dict[str, float]:
    """Lightning's Trainer, in its fastest mode or with two values logged for the epoch."""
    from lightning.pytorch import LightningModule, Trainer

    class Learner(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def training_step(self, batch: tuple[Tensor, ...], _: int) -> Tensor:
            inputs, targets = batch
            outputs = self.model(inputs)
            loss = F.cross_entropy(outputs, targets)
            if log:
                accuracy = (outputs.argmax(dim=1) == targets).float().mean()
                values = {"loss": loss, "accuracy": accuracy}
                self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(targets))
            return loss

        def configure_optimizers(self) -> Optimizer:
            return optimizer

    silent = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    options = {"enable_checkpointing": False, **silent} if log else {"barebones": True}
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice about workers and loggers
        trainer = Trainer(accelerator="cpu", devices=1, max_epochs=1, **options)
        trainer.fit(Learner(), batches)
    return {name: float(value) for name, value in trainer.logged_metrics.items()} if log else {}


LOOPS: dict[str, Loop] = {
    "bare loop, measures nothing": bare,
    "`fit`, loss and accuracy": ours,
    "`fit`, loss only": ours_loss_only,
    "loop in the style of d2l, loss and accuracy": d2l_style,
}
PEERS: dict[str, dict[str, Loop]] = {
    "ignite": {
        "ignite, measures nothing": ignite,
        "ignite, loss and accuracy": ignite_with_metrics,
    },
    "lightning": {
        "Lightning, barebones, measures nothing": lightning,
        "Lightning, loss and accuracy": partial(lightning, log=True),
    },
}


def installed_loops() -> dict[str, Loop]:
    """All loops whose package is there."""
    loops = dict(LOOPS)
    for package, peers in PEERS.items():
        loops |= peers if find_spec(package) else {}
    return loops


def make_batches(num_batches: int, batch_size: int = 256) -> list[tuple[Tensor, Tensor]]:
    """Random inputs with random labels."""
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(batch_size, 8, generator=generator),
            torch.randint(0, 10, (batch_size,), generator=generator),
        )
        for _ in range(num_batches)
    ]


def train(
    loop: Loop, batches: Sequence[tuple[Tensor, ...]]
) -> tuple[nn.Module, dict[str, float], float]:
    """Train a new small network; return it, what was measured, and the seconds for each batch."""
    torch.manual_seed(0)
    model = nn.Linear(8, 10)
    clocked = Clocked(batches)
    measured = loop(model, SGD(model.parameters(), lr=0.1), clocked)
    return model, measured, clocked.seconds_per_batch


def measure(num_rounds: int, num_batches: int = 200) -> Table:
    """Compare the loops."""
    batches = make_batches(num_batches)
    contestants = {
        name: partial(lambda loop: train(loop, batches)[2], loop)
        for name, loop in installed_loops().items()
    }
    with threads(1):
        seconds = take_turns(contestants, num_rounds)
    rows: Sequence[Row] = rows_against(
        "bare loop, measures nothing",
        seconds,
        own=lambda value: 1e6 * value,
        compare=lambda reference, value: 1e6 * (value - reference),
    )
    missing = [package for package in PEERS if not find_spec(package)]
    return Table(
        title="The training loop",
        setting=f"One linear layer from 8 to 10 features, batches of 256, SGD, one thread: "
        f"such small tensors leave nothing to do for a second one. {num_rounds} rounds of "
        f"{num_batches} batches.",
        own="µs per batch",
        compared="µs more than the bare loop",
        rows=with_goal(rows, "`fit`, loss and accuracy", median_compared, at_most=35),
        note=f"Not installed, so not measured: {', '.join(missing)}." if missing else "",
    )
