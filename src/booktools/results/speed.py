"""The benchmark: what must hold in its tables, and what a page shows of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from booktools.results.checks import within
from booktools.results.markdown import Result, block, spread, table


def problems(result: Result) -> Iterator[str]:
    """Say where the numbers contradict each other."""
    for one in result["tables"]:
        for row in one["rows"]:
            name = f"{one['title']}: {row['name']}"
            for values in filter(None, (row["own"], row["compared"])):
                yield from within(name, [values["median"]], values["low"], values["high"])
            if bool(row["goal"]) != (row["judged"] in ("own", "compared")):
                yield f"{name} must say by what its goal is judged, got {row['judged']!r}"


def parts(result: Result) -> dict[str, str]:
    """All tables with their headings, and the goals of those that have a single one."""
    paragraphs = []
    goals = {}
    for one in result["tables"]:
        head = ["what", one["own"], one["compared"], "goal"]
        rows = [
            [row["name"], _shown(row["own"]), _shown(row["compared"]), _verdict(row)]
            for row in one["rows"]
        ]
        text = table(head, rows, texts=["goal"])
        paragraphs += [f"### {one['title']}", one["setting"], text, one["note"]]
        wanted = {row["goal"] for row in one["rows"]} - {""}
        if len(wanted) == 1:
            goals[f"{one['title']}: goal"] = wanted.pop()
    return {"tables": block(*filter(None, paragraphs)), **goals}


def _verdict(row: Mapping[str, Any]) -> str:
    if not row["goal"]:
        return ""
    direction, bound = row["goal"].removeprefix("at ").split()
    median = row[row["judged"]]["median"]
    met = median >= float(bound) if direction == "least" else median <= float(bound)
    return f"{row['goal']}: {'met' if met else 'missed'}"


def _shown(values: Mapping[str, float] | None) -> str:
    if values is None:
        return ""
    return spread(*(_number(values[which]) for which in ("median", "low", "high")))


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
