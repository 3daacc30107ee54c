"""Results as Markdown: one form of table, of a spread of numbers, and of where they come from."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
SPACE, GLUE, DASH = "\N{NO-BREAK SPACE}", "\N{WORD JOINER}", "\N{EN DASH}"
REPOSITORY = "https://github.com/pytorch-notes/pytorch-notes/blob/main/"


def block(*paragraphs: str) -> str:
    """Paragraphs between two marks that stand on lines of their own."""
    return "\n\n" + "\n\n".join(paragraphs) + "\n\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: Sequence[str] = ()) -> str:
    """A table with texts in its first column and numbers in the others.

    Args:
        head: The names of the columns.
        rows: The cells.
        texts: The names of further columns with texts.
    """
    rule = ["---" if number == 0 or name in texts else "--:" for number, name in enumerate(head)]
    lines = ["|" + "|".join(rule) + "|", *("| " + " | ".join(row) + " |" for row in rows)]
    return "\n".join(["| " + " | ".join(head) + " |", *lines])


def spread(middle: str, low: str, high: str) -> str:
    """A number and its range, which no line break separates."""
    return f"{middle}{SPACE}({low}{GLUE}{DASH}{GLUE}{high})"


def mean_and_range(values: Sequence[float], form: str) -> str:
    """The mean of some values with the smallest and the largest of them."""
    shown = statistics.mean(values), min(values), max(values)
    return spread(*(format(value, form) for value in shown))


def origin(result: Result, name: str, seal: str) -> str:
    """What was run, with what and on what; where the numbers are; and their seal, unseen."""
    command = f" by `{result['command']}`" if "command" in result else ""
    versions = ", ".join(
        f"{package.capitalize() if package == 'python' else package} {version}"
        for package, version in result["versions"].items()
    )
    path = f"docs/results/{name}.json"
    return block(
        f"Measured{command} on {result['device']}. Versions: {versions}. "
        f"All numbers are in [`{path}`]({REPOSITORY}{path}).",
        f"<!-- seal: {seal} -->",
    )
