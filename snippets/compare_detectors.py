"""Train TinySSD and TinyYOLO on the same images with the same budget, and compare.

    python compare_detectors.py             about 20 minutes on one core
    python compare_detectors.py --quick     seconds: everything runs, and the numbers mean nothing

It writes detectors.json: every number, and what it depends on.
"""

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from notes.data.tensor_loader import TensorLoader
from notes.detection.detections import Detections, detect
from notes.detection.evaluation import mean_average_precision
from notes.detection.labels import DetectionSet
from notes.detection.shapes_on_photos import CLASS_NAMES, shapes_on_photos
from notes.detection.ssd import TinySSD
from notes.detection.ssd_loss import ssd_loss
from notes.detection.targets import make_targets
from notes.detection.yolo import TinyYOLO, yolo_detections, yolo_loss
from notes.inspect import summarize
from notes.training.device import describe_device

NUM_CLASSES = len(CLASS_NAMES)
IMAGE_SIZE = 64


@dataclass(frozen=True)
class Contestant:
    """A detector: how to make it, what to minimize, and how to use it."""

    name: str
    build: Callable[[], nn.Module]
    loss: Callable[[nn.Module, Tensor, Tensor], Tensor]
    find: Callable[[nn.Module, Tensor], list[Detections]]


def loss_of_ssd(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """As on the page about SSD."""
    class_logits, offsets, anchors = model(images)
    return ssd_loss(class_logits, offsets, make_targets(anchors, labels)).total


def find_with_ssd(model: nn.Module, images: Tensor) -> list[Detections]:
    """As on the page about SSD."""
    class_logits, offsets, anchors = model(images)
    return detect(class_logits.softmax(dim=2), offsets, anchors)


def loss_of_yolo(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """As on the page about YOLO."""
    return yolo_loss(model(images), labels, NUM_CLASSES)


def find_with_yolo(model: nn.Module, images: Tensor) -> list[Detections]:
    """As on the page about YOLO."""
    return yolo_detections(model(images), NUM_CLASSES)


CONTESTANTS = (
    Contestant("TinySSD", partial(TinySSD, NUM_CLASSES), loss_of_ssd, find_with_ssd),
    # With this width the multiply-adds differ by 4 %.
    Contestant("TinyYOLO", partial(TinyYOLO, NUM_CLASSES, width=21), loss_of_yolo, find_with_yolo),
)


# --8<-- [start:budget]
@dataclass(frozen=True)
class Budget:
    """What each detector gets: the same images, steps, learning rates to choose from and seeds."""

    num_train: int = 2_400
    num_validation: int = 200  # only the choice of the learning rate sees them
    num_test: int = 300
    num_epochs: int = 4
    batch_size: int = 32
    learning_rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03)
    seed_of_choice: int = 100
    seeds: tuple[int, ...] = (0, 1, 2)


# --8<-- [end:budget]


QUICK = Budget(
    num_train=16, num_validation=4, num_test=4, num_epochs=1, learning_rates=(0.003,), seeds=(0,)
)


def draw(num_images: int, seed: int, hard: str | None = None) -> DetectionSet:
    """Images that depend on the seed alone."""
    generator = torch.Generator().manual_seed(seed)
    return shapes_on_photos(num_images, image_size=IMAGE_SIZE, hard=hard, generator=generator)


def precision(contestant: Contestant, model: nn.Module, test: DetectionSet) -> float:
    """Mean average precision at an overlap of 0.5; leaves the model in evaluation mode."""
    model.eval()
    with torch.no_grad():
        found = [one for images in test.images.split(100) for one in contestant.find(model, images)]
    return mean_average_precision(found, test.labels, num_classes=NUM_CLASSES).mean


def train(
    contestant: Contestant,
    data: DetectionSet,
    tests: Mapping[str, DetectionSet],
    rate: float,
    seed: int,
    budget: Budget,
) -> tuple[nn.Module, dict[str, list[float]]]:
    """Train a new model; with it comes its precision on each test set after each epoch."""
    torch.manual_seed(seed)
    model = contestant.build()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    batches = TensorLoader(
        *data,
        batch_size=budget.batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=budget.num_epochs * len(batches)
    )
    curves: dict[str, list[float]] = {name: [] for name in tests}
    for _ in range(budget.num_epochs):
        model.train()
        for images, labels in batches:
            loss = contestant.loss(model, images, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        for name, test in tests.items():
            curves[name].append(precision(contestant, model, test))
    return model, curves


def compare_precision(contestant: Contestant, budget: Budget) -> dict[str, Any]:
    """Choose a learning rate on validation images, then train from all seeds."""
    data = draw(budget.num_train, seed=0)
    validation = {"validation": draw(budget.num_validation, seed=1)}
    tests = {
        "test": draw(budget.num_test, seed=2),
        "overlap": draw(budget.num_test, seed=3, hard="overlap"),
    }
    choice = {
        rate: train(contestant, data, validation, rate, budget.seed_of_choice, budget)[1]
        for rate in budget.learning_rates
    }
    chosen = max(choice, key=lambda rate: choice[rate]["validation"][-1])
    runs = [train(contestant, data, tests, chosen, seed, budget)[1] for seed in budget.seeds]
    return {
        "validation": {rate: round(x["validation"][-1], 4) for rate, x in choice.items()},
        "learning_rate": chosen,
        **{name: [[round(x, 4) for x in run[name]] for run in runs] for name in tests},
    }


def count_costs(contestant: Contestant) -> dict[str, int]:
    """What a detector costs for one image."""
    summary = summarize(contestant.build(), (3, IMAGE_SIZE, IMAGE_SIZE))
    return {"num_parameters": summary.num_parameters, "multiply_adds": summary.multiply_adds}


def compare(budget: Budget) -> dict[str, Any]:
    """Measure everything, as it will stand in the JSON file."""
    packages = ("torch", "torchvision", "scikit-learn")
    detectors = []
    for contestant in CONTESTANTS:
        print(contestant.name, "...", flush=True)
        measured = count_costs(contestant) | compare_precision(contestant, budget)
        detectors.append({"name": contestant.name} | measured)
    return {
        "command": shlex.join(["python", *sys.argv]),
        "device": describe_device(torch.device("cpu")),
        "versions": {"python": platform.python_version()} | {x: version(x) for x in packages},
        "image_size": IMAGE_SIZE,
        "budget": asdict(budget),
        "detectors": detectors,
    }


def main() -> None:
    """Compare, and write what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=".", help="where detectors.json goes")
    parser.add_argument("--quick", action="store_true", help="a tiny budget")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    result = compare(QUICK if options.quick else Budget())
    path = options.folder / "detectors.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("written:", path.resolve())


if __name__ == "__main__":
    main()
