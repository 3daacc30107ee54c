"""The comparison of the detectors: what must hold in it, and what a page shows of it."""

import math
from collections.abc import Iterator

from booktools.results.checks import as_many, best_rate, within
from booktools.results.markdown import Result, block, mean_and_range, table

SETS = ("test", "overlap")
HEAD = "detector", "parameters", "multiply-adds", "learning rate", "test images", "overlapping"


def problems(result: Result) -> Iterator[str]:
    """Say where the numbers contradict each other."""
    budget = result["budget"]
    for one in result["detectors"]:
        name, validation = one["name"], one["validation"]
        yield from best_rate(name, validation, budget["learning_rates"], one["learning_rate"])
        yield from within(f"{name}: validation", list(validation.values()), 0, 1)
        for data in SETS:
            yield from as_many(f"{name}: {data}", one[data], len(budget["seeds"]))
            for curve in one[data]:
                yield from as_many(f"{name}: {data}", curve, budget["num_epochs"])
                yield from within(f"{name}: {data}", curve, 0, 1)


def parts(result: Result) -> dict[str, str]:
    """The table of means over the seeds, the curves of the plot, the number of steps."""
    rows = [
        [
            one["name"],
            f"{one['num_parameters']:,}",
            f"{one['multiply_adds']:,}",
            f"{one['learning_rate']:g}",
            *(mean_and_range([curve[-1] for curve in one[data]], ".2f") for data in SETS),
        ]
        for one in result["detectors"]
    ]
    curves = [
        f'    "{one["name"]}": [\n'
        + "".join(f"        {curve},\n" for curve in one["test"])
        + "    ],\n"
        for one in result["detectors"]
    ]
    budget = result["budget"]
    steps = budget["num_epochs"] * math.ceil(budget["num_train"] / budget["batch_size"])
    return {"table": block(table(HEAD, rows)), "plot": "".join(curves), "steps": f"{steps:,}"}
