"""Train every network of the part on convolutional networks on the same digits, and compare.

`python snippets/compare_networks.py` takes some minutes and writes docs/networks/compared.json, and
from it the tables and the numbers of the plot in docs/networks/compared.md. With `--quick` it takes
seconds, shows the tables and writes nothing: its numbers mean nothing.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from booktools.pages.rewrite import replace_between
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

PAGES = Path(__file__).parents[1] / "docs" / "networks"
TABLES = "<!-- results: begin -->", "<!-- results: end -->"
NUMBERS = "results = {\n", "}\n"  # in the block that draws the plot
REFERENCE = "LeNet"  # its time is 1
BATCH_NORM = " + BN"


@dataclass(frozen=True)
class Contestant:
    """A network, the side of its images, and how it differs from the network of its page."""

    name: str
    image_size: int
    change: str
    make: Callable[[], nn.Module]
    add_batch_norm: bool = False

    def build(self) -> nn.Module:
        """A new network, with PyTorch's start."""
        model = self.make()
        return with_batch_norm(model) if self.add_batch_norm else model


def with_batch_norm(model: nn.Module) -> nn.Module:
    """Put a batch normalization behind every convolution, in place."""
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                setattr(parent, name, nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels)))
    return model


WITHOUT = (  # batch normalization
    Contestant("LeNet", 28, "ReLU, max pooling", partial(lenet, activation="relu", pooling="max")),
    Contestant("AlexNet", 65, "width 1/8", partial(alexnet, image_size=65, width=1 / 8)),
    Contestant("VGG-11", 32, "width 1/8", partial(vgg, 11, width=1 / 8, map_size=1)),
    Contestant("NiN", 67, "width 1/8, no last ReLU", partial(nin, width=1 / 8, final_relu=False)),
    Contestant("GoogLeNet", 64, "width 1/8", partial(googlenet, width=1 / 8)),
)
WITH = tuple(replace(x, name=x.name + BATCH_NORM, add_batch_norm=True) for x in WITHOUT)
CONTESTANTS = (
    Contestant("MLP", 8, "one hidden layer of 256", partial(mlp, (64, 256, 10))),
    *(contestant for pair in zip(WITHOUT, WITH, strict=True) for contestant in pair),
    Contestant("ResNet-18", 64, "width 1/8; has BN", partial(resnet18, width=1 / 8)),
)


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


def train(
    contestant: Contestant, images: Tensor, labels: Tensor, rate: float, seed: int, budget: Budget
) -> nn.Module:
    """Train a new network until the budget is spent."""
    torch.manual_seed(seed)  # the first weights, and dropout
    model = contestant.build()
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


def compare_accuracy(contestant: Contestant, budget: Budget) -> dict[str, Any]:
    """Choose a learning rate on validation digits, then train from all seeds with all digits."""
    digits, test = load_digits(image_size=contestant.image_size)
    images, labels = (x[: budget.num_train] for x in digits)
    split = budget.num_train - budget.num_validation
    validation_right = {}
    for rate in budget.learning_rates:
        seed = budget.seed_of_choice
        model = train(contestant, images[:split], labels[:split], rate, seed, budget)
        validation_right[rate] = count_right(model, images[split:], labels[split:])
    chosen = max(validation_right, key=validation_right.__getitem__)  # of equals the smallest
    test_right = [
        count_right(train(contestant, images, labels, chosen, seed, budget), *test)
        for seed in budget.seeds
    ]
    return {
        "validation_right": {str(rate): right for rate, right in validation_right.items()},
        "learning_rate": chosen,
        "test_right": test_right,
        "num_test": len(test.labels),
    }


def count_costs(contestant: Contestant) -> dict[str, int]:
    """What a network costs, found without computing anything."""
    with torch.device("meta"):
        model = contestant.build()
    summary = summarize(model, (1, contestant.image_size, contestant.image_size))
    return {
        "num_parameters": summary.num_parameters,
        "multiply_adds": summary.multiply_adds,
        "num_activations": summary.num_activations,
    }


def compare_times(num_rounds: int, batch_size: int = 64) -> dict[str, dict[str, float]]:
    """Time for a batch as a multiple of the reference's in the same round: median and quartiles.

    The networks take turns, so a slow moment of the machine hits them all.
    """
    device = best_device()
    runs = {
        x.name: (
            x.build().to(device).eval(),
            torch.rand(batch_size, 1, x.image_size, x.image_size, device=device),
        )
        for x in CONTESTANTS
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + num_rounds):  # the first round only warms up
        for name, (model, images) in runs.items():
            start = _now(device)
            with torch.inference_mode():
                model(images)
            seconds[name].append(_now(device) - start)
    times = {}
    for name in runs:
        pairs = zip(seconds[name][1:], seconds[REFERENCE][1:], strict=True)
        ratios = [own / reference for own, reference in pairs]
        quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
        times[name] = dict(zip(("low", "median", "high"), quartiles, strict=True))
    return times


# --8<-- [start:now]
def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()  # a GPU is told what to do and does it later
    return time.perf_counter()


# --8<-- [end:now]


def compare(budget: Budget) -> dict[str, Any]:
    """Measure everything, as it will stand in the JSON file."""
    times = compare_times(budget.num_rounds)
    networks = []
    for contestant in CONTESTANTS:
        print(contestant.name, "...", flush=True)
        networks.append(
            {
                "name": contestant.name,
                "image_size": contestant.image_size,
                "change": contestant.change,
                **count_costs(contestant),
                "time": times[contestant.name],
                **compare_accuracy(contestant, budget),
            }
        )
    packages = [f"{name} {version(name)}" for name in ("torch", "torchvision", "scikit-learn")]
    return {
        "command": "python snippets/compare_networks.py",
        "versions": ", ".join([f"Python {platform.python_version()}", *packages]),
        "device": describe_device(best_device()),
        "budget": asdict(budget),
        "networks": networks,
    }


def render_tables(result: Mapping[str, Any]) -> str:
    """The two tables of the page, in Markdown."""
    networks = result["networks"]
    main = [["network", "accuracy, %", "parameters", "multiply-adds", "memory, kB", "time"]]
    for network in networks:
        accuracies = [100 * right / network["num_test"] for right in network["test_right"]]
        main.append(
            [
                network["name"],
                f"{statistics.mean(accuracies):.1f} ({min(accuracies):.1f}–{max(accuracies):.1f})",  # noqa: RUF001
                f"{network['num_parameters']:,}",
                f"{network['multiply_adds']:,}",
                f"{4 * network['num_activations'] / 1000:,.0f}",  # float32: 4 bytes each
                f"{network['time']['median']:.2g}",
            ]
        )
    rates = {network["name"]: f"{network['learning_rate']:g}" for network in networks}
    settings = [["network", "images", "changed", "learning rate", "with BN"]]
    for network in networks:
        name, size = network["name"], network["image_size"]
        if not name.endswith(BATCH_NORM):
            with_it = rates.get(name + BATCH_NORM, "")
            settings.append([name, f"{size}×{size}", network["change"], rates[name], with_it])  # noqa: RUF001
    origin = f"With {result['versions']}, on {result['device']}."
    return "\n\n".join([_markdown(main), origin, _markdown(settings)])


def _markdown(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    text = "\n".join([head, "|---|" + "--:|" * (len(rows[0]) - 1), *body])
    # No line ends inside a name or a range.
    text = text.replace(BATCH_NORM, BATCH_NORM.replace(" ", "\N{NO-BREAK SPACE}"))
    return text.replace(" (", "\N{NO-BREAK SPACE}(").replace("–", "\N{WORD JOINER}–\N{WORD JOINER}")  # noqa: RUF001


def render_numbers(result: Mapping[str, Any]) -> str:
    """The numbers of the plot, as lines of Python."""
    return "".join(
        f'    "{network["name"]}": ({network["multiply_adds"]}, {network["test_right"]}),\n'
        for network in result["networks"]
    )


def write_page(page: str, result: Mapping[str, Any]) -> str:
    """The page with the tables and the numbers of a result."""
    page = replace_between(page, *TABLES, f"\n\n{render_tables(result)}\n\n")
    return replace_between(page, *NUMBERS, render_numbers(result))


def main() -> None:
    """Compare, show the tables and, unless it was quick, write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small budget, writes nothing")
    quick = parser.parse_args().quick
    result = compare(QUICK if quick else Budget())
    print(render_tables(result))
    if not quick:
        content = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        (PAGES / "compared.json").write_text(content, encoding="utf-8")
        page = PAGES / "compared.md"
        text = write_page(page.read_text(encoding="utf-8"), result)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
