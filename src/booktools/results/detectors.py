"""The comparison of the detectors: what must hold in it, and what a page shows of it."""

import math
from collections.abc import Iterator

from booktools.results.markdown import (
    Result,
    as_many,
    best_first,
    block,
    mean_and_range,
    table,
    within,
)

SETS = ("test", "overlap")
HEAD = [
    *("detector", "parameters", "multiply-adds", "learning rate", "test images", "overlapping"),
]


def problems(result: Result) -> Iterator[str]:
    """Say where the numbers contradict each other."""
    budget = result["budget"]
    for one in result["detectors"]:
        name, validation = one["name"], one["validation"]
        rates = [str(rate) for rate in budget["learning_rates"]]
        if list(validation) != rates:
            yield f"{name}: validation must have the rates {rates}, got {list(validation)}"
        yield from best_first(name, validation, one["learning_rate"])
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
