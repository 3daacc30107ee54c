"""What must hold inside a result: each check yields a sentence for what does not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def best_rate(
    what: str, scores: Mapping[str, float], rates: Sequence[float], chosen: float
) -> Iterator[str]:
    """Every rate must have its score in validation, and the first of the best be the chosen one."""
    if list(scores) != [str(rate) for rate in rates]:
        yield f"{what} must have a validation for each of {rates}, got {list(scores)}"
    best = max(scores, key=scores.__getitem__)
    if best != str(chosen):
        yield f"{what} must choose {best}, the best in validation, got {chosen}"


def as_many(what: str, values: Sequence[Any], expected: int) -> Iterator[str]:
    """A list must have as many entries as the settings say."""
    if len(values) != expected:
        yield f"{what} must have {expected} entries, got {len(values)}"


def within(what: str, values: Sequence[float], low: float, high: float) -> Iterator[str]:
    """Every value must lie in a closed interval."""
    for value in values:
        if not low <= value <= high:
            yield f"{what} must lie in [{low:g}, {high:g}], got {value:g}"
