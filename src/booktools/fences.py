"""Find the fenced code blocks of a Markdown page, line by line.

One scanner for all tools: the guard, the refresh of outputs and the notebook export must agree on
what a fence is, wherever it stands (in a list, an admonition or a tab).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OPENING = re.compile(
    r"^(?P<prefix>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<marker>`{3,}|~{3,})(?P<info>[^`]*)$"
)


@dataclass(frozen=True)
class Fence:
    """One fenced block.

    Attributes:
        line: Line of the opening marker, counted from 1.
        end: Line of the closing marker.
        prefix: What stands before the marker (spaces, `>` or a list bullet).
        marker: The backticks or tildes.
        info: The rest of the opening line, exactly as written: `python`, ` py title="x"`.
        body: The lines between the markers, without the fence's indentation.
    """

    line: int
    end: int
    prefix: str
    marker: str
    info: str
    body: tuple[str, ...]

    @property
    def code(self) -> str:
        """The body as one text that ends with a line break (empty for an empty body)."""
        return "".join(line + "\n" for line in self.body)

    @property
    def runs(self) -> bool:
        """Whether the doc tests run it: exactly three or more backticks and the word python."""
        return self.info == "python" and self.marker[0] == "`" and not self.prefix.strip()


def scan(text: str) -> Iterator[Fence]:
    """Yield every fence of a Markdown text, in order.

    Raises:
        ValueError: If a fence is never closed.
    """
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = OPENING.match(lines[number])
        number += 1
        if not opening or (opening["marker"][0] == "`" and "`" in opening["info"]):
            continue
        start, body = number, []
        while number < len(lines) and not _closes(lines[number], opening["marker"]):
            body.append(_outdent(lines[number], opening["prefix"]))
            number += 1
        if number == len(lines):
            raise ValueError(f"fence of line {start} must be closed, got the end of the file")
        number += 1
        yield Fence(
            start, number, opening["prefix"], opening["marker"], opening["info"], tuple(body)
        )


def _closes(line: str, marker: str) -> bool:
    stripped = line.strip(" \t>")
    return len(stripped) >= len(marker) and set(stripped) == {marker[0]}


def _outdent(line: str, prefix: str) -> str:
    """Remove at most as many characters as the prefix has, and only blanks and `>`."""
    kept = line.lstrip(" \t>") if ">" in prefix else line.lstrip(" \t")
    return line[min(len(prefix), len(line) - len(kept)) :]
