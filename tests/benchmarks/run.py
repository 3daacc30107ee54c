"""Measure how fast the package is, and write the page about it.

`python tests/benchmarks/run.py` takes a few minutes and writes docs/reference/speed.json and the
tables in docs/reference/speed.md, and the same for the chapter on the way from readable to fast.
With `--chapter` it measures only for the chapter. With `--quick` it takes seconds, shows the tables
and writes nothing: its numbers are noise.
"""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import accelerator
import allocator
import detection_boxes
import detection_detect
import detection_nms
import detection_steps
import detection_targets
import loader
import precision
import torch
import training_loop
from tables import Table, render, written_into

import augmentation

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
CHAPTER = REFERENCE.parent / "detection"
PACKAGES = ("torch", "torchvision", "pillow", "lightning", "pytorch-ignite")


def measure_all(quick: bool) -> dict[str, Any]:
    """Run every benchmark in this process and return what was measured, ready for JSON."""
    machine = describe_machine()  # now, since its load will soon be ours
    tables: list[Table | None]
    if quick:
        tables = [
            training_loop.measure(num_rounds=2, num_batches=3),
            loader.measure(num_rounds=2, num_batches=2),
            augmentation.measure(num_rounds=2, num_images=32),
            precision.measure(num_rounds=2, num_batches=2, batch_size=4),
            detection_boxes.measure_overlap(num_rounds=2, num_boxes=(20, 30)),
            detection_boxes.measure_anchors(num_rounds=2, height=6, width=8),
            detection_targets.measure(num_rounds=2, num_images=2, num_calls=1),
            detection_nms.measure(num_rounds=2, sizes=(20, 40)),
            detection_detect.measure(num_rounds=2, num_images=1, num_anchors=84),
            allocator.measure(num_rounds=1, num_batches=5),
        ]
    else:
        tables = [
            training_loop.measure(num_rounds=40),
            loader.measure(num_rounds=30),
            augmentation.measure(num_rounds=20),
            precision.measure(num_rounds=15),
            detection_boxes.measure_overlap(num_rounds=10),
            detection_boxes.measure_anchors(num_rounds=30),
            detection_targets.measure(num_rounds=20),
            detection_nms.measure(num_rounds=15),
            detection_detect.measure(num_rounds=5),
            allocator.measure(num_rounds=5),
        ]
    if torch.cuda.is_available():
        tables.append(accelerator.measure(2 if quick else 10, torch.device("cuda")))
    return as_result(machine, [table for table in tables if table is not None])


def measure_chapter(quick: bool) -> dict[str, Any]:
    """Measure the steps that the chapter tells of."""
    machine = describe_machine()
    return as_result(machine, detection_steps.measure(1 if quick else 9, small=quick))


def as_result(machine: list[str], tables: list[Table]) -> dict[str, Any]:
    """What was measured, and with what."""
    return {
        "machine": machine,
        "versions": describe_versions(),
        "tables": [asdict(table) for table in tables],
    }


def describe_machine() -> list[str]:
    """What the numbers depend on, and nothing that says where the machine stands."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU was measured"
    malloc = ", ".join(
        f"{name} {os.environ.get(name, 'at its default')}" for name in allocator.KEEP_MEMORY
    )
    return [
        f"{processor_name()} with {num_cores()} cores ({torch.backends.cpu.get_cpu_capability()})",
        f"{torch.get_num_threads()} threads where nothing else is said",
        " ".join(platform.libc_ver()).strip() or platform.system(),
        malloc,
        f"load average {load_average():.1f} before the start",
        gpu,
    ]


def load_average() -> float:
    """How many programs wanted a core in the last minute, where the system counts them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def processor_name() -> str:
    """What the processor calls itself."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def num_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_versions() -> str:
    """The packages that took part."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> None:
    """Measure and show, and write unless it was quick."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, writes nothing")
    parser.add_argument("--chapter", action="store_true", help="only the steps of the chapter")
    arguments = parser.parse_args()
    quick = arguments.quick
    if load_average() > 0.5:
        print("The machine is busy with something else: expect noise.", file=sys.stderr)
    if not arguments.chapter:
        show(measure_all(quick), None if quick else REFERENCE / "speed.md")
    show(measure_chapter(quick), None if quick else CHAPTER / "readable-to-fast.md")


def show(result: dict[str, Any], page: Path | None) -> None:
    """Print the tables, and write them and the numbers behind them, if there is a page for them."""
    text = render(result)
    print(text)
    if page:
        content = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        page.with_suffix(".json").write_text(content, encoding="utf-8")
        page.write_text(written_into(page.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
