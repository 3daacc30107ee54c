"""Train every network of the part on convolutional networks on the same digits, and compare.

    python compare_networks.py             some minutes
    python compare_networks.py --quick     seconds: everything runs, and the numbers mean nothing

It writes networks.json: every number, and what it depends on.
"""

import argparse
import json
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from notes.data.digits import load_digits
from notes.data.tensor_loader import TensorLoader
from notes.init.by_type import init_by_type
from notes.init.kaiming import kaiming_normal_
from notes.inspect import summarize
from notes.models.alexnet import alexnet
from notes.models.googlenet import googlenet
from notes.models.lenet import lenet
from notes.models.mlp import mlp
from notes.models.nin import nin
from notes.models.resnet import resnet18
from notes.models.vgg import vgg
from notes.training.device import best_device, describe_device
from notes.training.fit import fit
from notes.training.loop import evaluate


# --8<-- [start:budget]
@dataclass(frozen=True)
class Budget:
    """What every network gets: the same digits, epochs, learning rates to choose from and seeds."""

    num_train: int = 1_400
    num_validation: int = 200  # the last of them; only the choice of the learning rate sees them
    num_epochs: int = 10
    batch_size: int = 50
    learning_rates: tuple[float, ...] = (0.0003, 0.001, 0.003, 0.01)
    seed_of_choice: int = 100
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    num_rounds: int = 40  # of the measurement of time


# --8<-- [end:budget]


QUICK = Budget(
    num_train=40, num_validation=20, num_epochs=1, learning_rates=(0.003,), seeds=(0,), num_rounds=2
)


@dataclass(frozen=True)
class Contestant:
    """A network, the side of its images, and how it differs from the network of its page."""

    name: str
    image_size: int
    change: str
    build: Callable[[], nn.Module]


def with_batch_norm(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network and put a batch normalization behind each of its convolutions."""
    model = build()
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                setattr(parent, name, nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels)))
    return model


PLAIN = (
    Contestant("LeNet", 28, "ReLU, max pooling", partial(lenet, activation="relu", pooling="max")),
    Contestant("AlexNet", 65, "width 1/8", partial(alexnet, image_size=65, width=1 / 8)),
    Contestant("VGG-11", 32, "width 1/8", partial(vgg, 11, width=1 / 8, map_size=1)),
    Contestant("NiN", 67, "width 1/8, no last ReLU", partial(nin, width=1 / 8, final_relu=False)),
    Contestant("GoogLeNet", 64, "width 1/8", partial(googlenet, width=1 / 8)),
)
NORMED = [replace(x, name=f"{x.name} + BN", build=partial(with_batch_norm, x.build)) for x in PLAIN]
CONTESTANTS = (
    Contestant("MLP", 8, "one hidden layer of 256", partial(mlp, (64, 256, 10))),
    *(contestant for pair in zip(PLAIN, NORMED, strict=True) for contestant in pair),
    Contestant("ResNet-18", 64, "width 1/8; has BN", partial(resnet18, width=1 / 8)),
)


def train(
    build: Callable[[], nn.Module],
    images: Tensor,
    labels: Tensor,
    rate: float,
    seed: int,
    budget: Budget,
) -> nn.Module:
    """Train a new network until the budget is spent."""
    torch.manual_seed(seed)  # the first weights, and dropout
    model = build()
    init_by_type(model, {nn.Conv2d: kaiming_normal_, nn.Linear: kaiming_normal_})
    model.to(best_device())
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    batches = TensorLoader(
        images,
        labels,
        batch_size=budget.batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
        device=best_device(),
    )
    fit(
        model,
        batches,
        loss_fn=F.cross_entropy,
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=budget.num_epochs),
        num_epochs=budget.num_epochs,
        progress=False,
    )
    return model


def count_right(model: nn.Module, images: Tensor, labels: Tensor) -> int:
    """How many images the model reads correctly."""
    accuracy = evaluate(model, [(images, labels)], F.cross_entropy)["accuracy"]
    return round(accuracy * len(labels))


def compare_accuracy(one: Contestant, budget: Budget) -> dict[str, Any]:
    """Choose a learning rate on validation digits, then train from all seeds with all digits."""
    digits, test = load_digits(image_size=one.image_size)
    images, labels = (x[: budget.num_train] for x in digits)
    split = budget.num_train - budget.num_validation
    validation_right = {}
    for rate in budget.learning_rates:
        seed = budget.seed_of_choice
        model = train(one.build, images[:split], labels[:split], rate, seed, budget)
        validation_right[rate] = count_right(model, images[split:], labels[split:])
    chosen = max(validation_right, key=validation_right.__getitem__)  # of equals the smallest
    models = (train(one.build, images, labels, chosen, seed, budget) for seed in budget.seeds)
    return {
        "validation_right": validation_right,
        "learning_rate": chosen,
        "test_right": [count_right(model, *test) for model in models],
        "num_test": len(test.labels),
    }


def count_costs(one: Contestant) -> dict[str, int]:
    """What a network costs, found without computing anything."""
    with torch.device("meta"):
        summary = summarize(one.build(), (1, one.image_size, one.image_size))
    names = ("num_parameters", "multiply_adds", "num_activations")
    return {name: getattr(summary, name) for name in names}


# --8<-- [start:now]
def now(device: torch.device) -> float:
    """Seconds on a clock, after the GPU, if there is one, has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


# --8<-- [end:now]


def compare_times(num_rounds: int, batch_size: int = 64) -> dict[str, dict[str, float]]:
    """Time for a batch as a multiple of LeNet's in the same round: median and quartiles.

    The networks take turns, so a slow moment of the machine hits them all.
    """
    device = best_device()
    models = {one.name: one.build().to(device).eval() for one in CONTESTANTS}
    sides = {one.name: one.image_size for one in CONTESTANTS}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(1 + num_rounds):  # the first round only warms up
        for name, model in models.items():
            images = torch.rand(batch_size, 1, sides[name], sides[name], device=device)
            start = now(device)
            with torch.inference_mode():
                model(images)
            seconds[name].append(now(device) - start)
    times = {}
    for name, own in seconds.items():
        ratios = [a / b for a, b in zip(own[1:], seconds["LeNet"][1:], strict=True)]
        quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
        times[name] = dict(zip(("low", "median", "high"), quartiles, strict=True))
    return times


def compare(budget: Budget) -> dict[str, Any]:
    """Measure everything, as it will stand in the JSON file."""
    packages = ("torch", "torchvision", "scikit-learn")
    times = compare_times(budget.num_rounds)
    networks = []
    for one in CONTESTANTS:
        print(one.name, "...", flush=True)
        about = {"name": one.name, "image_size": one.image_size, "change": one.change}
        measured = {"time": times[one.name], **compare_accuracy(one, budget)}
        networks.append(about | count_costs(one) | measured)
    return {
        "command": shlex.join(["python", *sys.argv]),
        "device": describe_device(best_device()),
        "versions": {"python": platform.python_version()} | {x: version(x) for x in packages},
        "budget": asdict(budget),
        "networks": networks,
    }


def main() -> None:
    """Compare, and write what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=".", help="where networks.json goes")
    parser.add_argument("--quick", action="store_true", help="a tiny budget")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    result = compare(QUICK if options.quick else Budget())
    path = options.folder / "networks.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("written:", path.resolve())


if __name__ == "__main__":
    main()
