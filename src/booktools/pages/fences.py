"""Find the fenced code blocks of a Markdown page, line by line.

One scanner for all tools: the guard, the refresh of outputs and the notebook export must agree on
what a fence is, wherever it stands (in a list, an admonition or a tab). What stands in an HTML
comment is not on the page, so it is no fence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OPENING = re.compile(
    r"^(?P<prefix>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<marker>`{3,}|~{3,})(?P<info>[^`]*)$"
)
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


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
    """Yield every fence of a Markdown text that a reader can see, in order.

    Raises:
        ValueError: If a fence or an HTML comment is never closed.
    """
    for part in _walk(text):
        if isinstance(part, Fence):
            yield part


def visible_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of every line outside fences and comments of several lines.

    Raises:
        ValueError: If a fence or an HTML comment is never closed.
    """
    for part in _walk(text):
        if not isinstance(part, Fence):
            yield part


def _walk(text: str) -> Iterator[Fence | tuple[int, str]]:
    lines = split_lines(text)
    number, comment = 0, 0  # comment: the line on which the open HTML comment starts
    while number < len(lines):
        line = lines[number]
        opening = None if comment else OPENING.match(line)
        number += 1
        if not opening:
            inside = _ends_in_comment(line, bool(comment))
            if not comment and not inside:
                yield number, line
            comment = (comment or number) if inside else 0
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
    if comment:
        raise ValueError(f"comment of line {comment} must be closed, got the end of the file")


def split_lines(text: str) -> list[str]:
    """Split at line breaks only, as files are read (`str.splitlines` also splits at form feeds)."""
    return text.replace("\r\n", "\n").split("\n")


def _ends_in_comment(line: str, inside: bool) -> bool:
    shown = line if inside else CODE_SPAN.sub("", line)
    start, end = shown.rfind("<!--"), shown.rfind("-->")
    return start > end or (inside and end == -1)


def _closes(line: str, marker: str) -> bool:
    stripped = line.strip(" \t>")
    return len(stripped) >= len(marker) and set(stripped) == {marker[0]}


def _outdent(line: str, prefix: str) -> str:
    """Remove at most as many characters as the prefix has, and only blanks and `>`."""
    kept = line.lstrip(" \t>") if ">" in prefix else line.lstrip(" \t")
    return line[min(len(prefix), len(line) - len(kept)) :]
