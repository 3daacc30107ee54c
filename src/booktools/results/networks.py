"""The comparison of the networks: what must hold in it, and what a page shows of it."""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from booktools.results.checks import as_many, best_rate, within
from booktools.results.markdown import SPACE, Result, block, mean_and_range, table

BATCH_NORM = " + BN"
BYTES = 4  # of a float32
COSTS = ["network", "accuracy, %", "parameters", "multiply-adds", "memory, kB", "time"]
SETTINGS = ["network", "images", "changed", "learning rate", "with BN"]


def problems(result: Result) -> Iterator[str]:
    """Say where the numbers contradict each other."""
    budget = result["budget"]
    for one in result["networks"]:
        name, validation, times = one["name"], one["validation_right"], one["time"]
        yield from best_rate(name, validation, budget["learning_rates"], one["learning_rate"])
        yield from as_many(f"{name}: test_right", one["test_right"], len(budget["seeds"]))
        yield from within(f"{name}: test_right", one["test_right"], 0, one["num_test"])
        right = list(validation.values())
        yield from within(f"{name}: validation_right", right, 0, budget["num_validation"])
        yield from within(f"{name}: median time", [times["median"]], times["low"], times["high"])
        if name == "LeNet":
            yield from within("LeNet: time", list(times.values()), 1, 1)
        if one["num_test"] != result["networks"][0]["num_test"]:
            yield f"{name}: num_test must be that of all networks, got {one['num_test']}"


def parts(result: Result) -> dict[str, str]:
    """The two tables, the data of the plot, and the accuracies, in per cent."""
    networks, budget = result["networks"], result["budget"]
    accuracies = {
        one["name"]: [100 * right / one["num_test"] for right in one["test_right"]]
        for one in networks
    }
    found = {
        "costs": block(table(COSTS, [_costs(one, accuracies[one["name"]]) for one in networks])),
        "settings": block(table(SETTINGS, _settings(networks), texts=["changed"])),
        "plot": "".join(
            f'    "{one["name"]}": ({one["multiply_adds"]}, {one["test_right"]}),\n'
            for one in networks
        ),
        "training digits": f"{budget['num_train']:,}",
        "test digits": f"{networks[0]['num_test']:,}",
        "rounds": f"{budget['num_rounds']:,}",
    }
    plain, normed = (statistics.mean(accuracies[name]) for name in ("NiN", "NiN + BN"))
    found["NiN gain"] = f"{normed - plain:.0f}"
    for one in networks:
        found[f"{one['name']} time"] = _time(one)
    for name, values in accuracies.items():
        for which, number in (("mean", statistics.mean), ("low", min), ("high", max)):
            found[f"{name} {which}"] = f"{number(values):.1f}"
    return found


def _costs(one: Mapping[str, Any], accuracies: list[float]) -> list[str]:
    return [
        _whole(one["name"]),
        mean_and_range(accuracies, ".1f"),
        f"{one['num_parameters']:,}",
        f"{one['multiply_adds']:,}",
        f"{BYTES * one['num_activations'] / 1000:,.0f}",
        _time(one),
    ]


def _time(one: Mapping[str, Any]) -> str:
    return f"{one['time']['median']:.2g}"


def _settings(networks: list[Mapping[str, Any]]) -> list[list[str]]:
    rates = {one["name"]: f"{one['learning_rate']:g}" for one in networks}
    rows = []
    for one in networks:
        name, size = one["name"], one["image_size"]
        if not name.endswith(BATCH_NORM):
            with_it = rates.get(name + BATCH_NORM, "")
            sides = f"{size}\N{MULTIPLICATION SIGN}{size}"
            rows.append([name, sides, one["change"], rates[name], with_it])
    return rows


def _whole(name: str) -> str:
    """A name that no line break divides."""
    return name.replace(BATCH_NORM, BATCH_NORM.replace(" ", SPACE))
