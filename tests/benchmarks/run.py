"""Measure how fast the package is, in turns with its peers.

    python tests/benchmarks/run.py               some minutes on a machine that does nothing else
    python tests/benchmarks/run.py --quick       seconds: everything runs, and the numbers are noise
    python tests/benchmarks/run.py --chapter     only the steps of the chapter

It writes speed.json and, for the chapter on the way from readable to fast, readable-to-fast.json.
`make bench` writes them into docs/results and from there into the pages.
"""

import argparse
import contextlib
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
from tables import Table

import augmentation

PACKAGES = ("torch", "torchvision", "pillow", "lightning", "pytorch-ignite")


def measure_all(quick: bool) -> dict[str, Any]:
    """Run every benchmark in this process and return what was measured, ready for JSON."""
    device = describe_machine()  # now, since its load will soon be ours
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
    return as_result(device, [table for table in tables if table is not None])


def measure_chapter(quick: bool) -> dict[str, Any]:
    """Measure the steps that the chapter tells of."""
    return as_result(describe_machine(), detection_steps.measure(1 if quick else 9, small=quick))


def as_result(device: str, tables: list[Table]) -> dict[str, Any]:
    """What was measured, and with what."""
    return {
        "device": device,
        "versions": describe_versions(),
        "tables": [asdict(table) for table in tables],
    }


def describe_machine() -> str:
    """What the numbers depend on, and nothing that says where the machine stands."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU was measured"
    malloc = ", ".join(
        f"{name} {os.environ.get(name, 'at its default')}" for name in allocator.KEEP_MEMORY
    )
    parts = [
        f"{processor_name()} with {num_cores()} cores ({torch.backends.cpu.get_cpu_capability()})",
        f"{torch.get_num_threads()} threads where nothing else is said",
        " ".join(platform.libc_ver()).strip() or platform.system(),
        malloc,
        f"load average {load_average():.1f} before the start",
        gpu,
    ]
    return "; ".join(parts)


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


def describe_versions() -> dict[str, str]:
    """The packages that took part."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=".", help="where the results go")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--chapter", action="store_true", help="only the steps of the chapter")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if load_average() > 0.5:
        print("The machine is busy with something else: expect noise.", file=sys.stderr)
    if not options.chapter:
        write(measure_all(options.quick), options.folder / "speed.json")
    write(measure_chapter(options.quick), options.folder / "readable-to-fast.json")


def write(result: dict[str, Any], path: Path) -> None:
    """Store a result."""
    content = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    path.write_text(content, encoding="utf-8")
    print("written:", path.resolve())


if __name__ == "__main__":
    main()
