"""What was measured, as rows of numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from timing import Spread, spread

median_own, median_compared = "own", "compared"  # what a goal can judge


@dataclass(frozen=True)
class Row:
    """One contestant: its own number, how it compares with the reference, and its goal.

    Attributes:
        judged: Which of the two numbers has to meet the goal, `own` or `compared`.
    """

    name: str
    own: Spread
    compared: Spread | None = None
    goal: str = ""
    judged: str = ""


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
    judged: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> tuple[Row, ...]:
    """Set a goal for one contestant, which its median in one of the two columns has to meet."""
    goal = f"at most {at_most:g}" if at_least is None else f"at least {at_least:g}"
    return tuple(
        replace(row, goal=goal, judged=judged) if row.name == name else row for row in rows
    )
