"""What was measured, as rows of numbers, and the page that shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from timing import Spread, spread

from booktools.pages.rewrite import replace_between

BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"


@dataclass(frozen=True)
class Row:
    """One contestant: its own number, and how it compares with the reference."""

    name: str
    own: Spread
    compared: Spread | None = None
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Table:
    """The contestants of one subject, with the headings of their two columns of numbers."""

    title: str
    setting: str
    own: str
    compared: str
    rows: tuple[Row, ...]
    note: str = ""


def rows_against(
    reference: str,
    seconds: Mapping[str, Sequence[float]],
    own: Callable[[float], float],
    compare: Callable[[float, float], float],
) -> tuple[Row, ...]:
    """Make the rows; only times of the same round are compared with each other.

    Args:
        reference: The contestant that the others are compared with.
        seconds: By contestant, what each round took.
        own: Turns seconds into the number of the first column.
        compare: Turns the seconds of reference and contestant into the number of the second one.
    """
    return tuple(
        Row(
            name,
            spread([own(value) for value in values]),
            None if name == reference else spread(list(map(compare, seconds[reference], values))),
        )
        for name, values in seconds.items()
    )


def times_as_fast(reference: float, contestant: float) -> float:
    """How many times the contestant fits into the time of the reference."""
    return reference / contestant


def with_goal(
    rows: Sequence[Row],
    name: str,
    number: Callable[[Row], float],
    *,
    at_most: float = float("inf"),
    at_least: float = 0.0,
) -> tuple[Row, ...]:
    """Set a goal for one contestant; `number` picks the number of its row that has to meet it."""

    def judged(row: Row) -> Row:
        met = at_least <= number(row) <= at_most
        goal = f"at least {at_least:g}" if at_least else f"at most {at_most:g}"
        return replace(row, goal=goal, met=met)

    return tuple(judged(row) if row.name == name else row for row in rows)


def median_compared(row: Row) -> float:
    """The middle of the second column."""
    assert row.compared is not None
    return row.compared.median


def median_own(row: Row) -> float:
    """The middle of the first column."""
    return row.own.median


def render(result: Mapping[str, Any]) -> str:
    """Write a result, as it is in the JSON file, as Markdown."""
    parts = [f"Measured on {'; '.join(result['machine'])}.", f"With {result['versions']}."]
    for table in result["tables"]:
        parts += [f"### {table['title']}", table["setting"], _markdown_table(table)]
        if table["note"]:
            parts.append(table["note"])
    return "\n\n".join(parts)


def written_into(page: str, text: str) -> str:
    """Exchange what stands between the two comments of the page.

    Raises:
        ValueError: If the page has not the two comments.
    """
    return replace_between(page, BEGIN, END, f"\n\n{text}\n\n")


def _markdown_table(table: Mapping[str, Any]) -> str:
    lines = [f"| what | {table['own']} | {table['compared']} | goal |", "|---|--:|--:|---|"]
    for row in table["rows"]:
        verdict = {True: ": met", False: ": missed", None: ""}[row["met"]]
        cells = [row["name"], _show(row["own"]), _show(row["compared"]), row["goal"] + verdict]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _show(values: Mapping[str, float] | None) -> str:
    if values is None:
        return ""
    return "{median} ({low}–{high})".format(**{name: _number(x) for name, x in values.items()})  # noqa: RUF001


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
