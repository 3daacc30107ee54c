"""The training of TinySSD: what must hold in its result, and what a page shows of it."""

import shlex
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from booktools.results.checks import as_many, within
from booktools.results.markdown import Result, block, table

Run = Mapping[str, Any]
ROUNDING = 1e-5  # the numbers are stored with six digits
MIN_SCORE = 0.5  # of the detections that are drawn


def problems(result: Result) -> Iterator[str]:
    """Say where the numbers contradict each other."""
    settings, others = result["settings"], result["other_losses"]
    words = shlex.split(result["command"])
    if ("--bfloat16" in words) != settings["bfloat16"]:
        yield f"settings: bfloat16 must be as in the command, got {settings['bfloat16']}"
    if [run["loss"] for run in others if run["loss"] not in words]:
        yield "other_losses must be those of the command"
    for run in [*result["runs"], *others, result["float32"]]:
        name = f"{run['loss']}, seed {run['seed']}"
        yield from _run_problems(name, run, result)
        for kind, pictures in run.get("pictures", {}).items():
            for one in pictures:
                yield from _picture_problems(f"{name}, {kind} {one['image']}", one, run, settings)


def _run_problems(name: str, run: Run, result: Result) -> Iterator[str]:
    precision, first = run["average_precision"], result["runs"][0]
    for curve, values in run["history"].items():
        yield from as_many(f"{name}: {curve}", values, result["settings"]["epochs"])
        top = 1.0 if curve == "average_precision" else float("inf")
        yield from within(f"{name}: {curve}", values, 0, top)
    yield from within(f"{name}: per_class", list(run["per_class"].values()), 0, 1)
    for what, value in {
        "the last average precision of the epochs": run["history"]["average_precision"][-1],
        "the mean over the classes": statistics.mean(run["per_class"].values()),
    }.items():
        if abs(value - precision["test"]) > ROUNDING:
            yield f"{name}: average precision must be {what}, {value:g}, got {precision['test']:g}"
    yield from within(f"{name}: average_precision", list(precision.values()), 0, 1)
    strict = run["average_precision_75"]
    yield from within(f"{name}: average_precision_75", [strict], 0, precision["test"])
    yield from within(f"{name}: missed", [run["mistakes"]["missed"]], 0, run["num_objects"])
    if run["num_objects"] != first["num_objects"]:
        yield f"{name}: num_objects must be that of all runs, got {run['num_objects']}"


def _picture_problems(
    name: str, one: Mapping[str, Any], run: Run, settings: Mapping[str, Any]
) -> Iterator[str]:
    yield from within(f"{name}: image", [one["image"]], 0, settings["test_images"] - 1)
    for part in ("scores", "classes"):
        yield from as_many(f"{name}: {part}", one[part], len(one["boxes"]))
    yield from within(f"{name}: scores", one["scores"], MIN_SCORE, 1)
    if one["scores"] != sorted(one["scores"], reverse=True):
        yield f"{name}: scores must fall, got {one['scores']}"
    yield from within(f"{name}: classes", one["classes"], 0, len(run["per_class"]) - 1)
    for x1, y1, x2, y2 in one["boxes"]:
        if not (x1 < x2 and y1 < y2):
            yield f"{name}: boxes must be xyxy, got {[x1, y1, x2, y2]}"
    for kind in one["mistakes"]:
        if one["mistakes"].count(kind) > run["mistakes"].get(kind, 0):
            yield f"{name}: mistakes must be among those of the run, got {kind!r}"


def parts(result: Result) -> dict[str, str]:
    """The tables by seed and by loss, and the numbers of the sentences about them."""
    runs, settings, slow = result["runs"], result["settings"], result["float32"]
    losses = [runs[0], *result["other_losses"]]
    seeds = [f"seed {run['seed']}" for run in runs]
    return {
        "seeds": block(table(["measured", *seeds], _rows(runs))),
        "losses": block(table(["loss", *(run["loss"] for run in losses)], _rows(losses))),
        "images": f"{settings['images']:,}",
        "image size": f"{settings['image_size']}\N{MULTIPLICATION SIGN}{settings['image_size']}",
        "test images": f"{settings['test_images']:,}",
        "objects": f"{runs[0]['num_objects']:,}",
        **{kind: str(count) for kind, count in runs[0]["mistakes"].items()},
        **{f"missed, {run['loss']}": str(run["mistakes"]["missed"]) for run in losses},
        "float32": f"{slow['average_precision']['test']:.3f}",
        "float32 minutes": _minutes(slow),
    }


def _rows(runs: Sequence[Run]) -> list[list[str]]:
    rows = {
        "AP at 0.5": [f"{run['average_precision']['test']:.3f}" for run in runs],
        "AP at 0.75": [f"{run['average_precision_75']:.3f}" for run in runs],
    }
    for name in runs[0]["per_class"]:
        rows[name] = [f"{run['per_class'][name]:.3f}" for run in runs]
    for data in runs[0]["average_precision"]:
        if data != "test":
            rows[f"{data} (hard)"] = [f"{run['average_precision'][data]:.3f}" for run in runs]
    rows["minutes"] = [_minutes(run) for run in runs]
    return [[name, *cells] for name, cells in rows.items()]


def _minutes(run: Run) -> str:
    """Of a processor core."""
    return f"{sum(run['history']['processor_seconds']) / 60:.1f}"
