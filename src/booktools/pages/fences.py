"""Read a Markdown page once, line by line: its fenced code blocks, and the lines between them.

One scanner for all tools: the guard, the refresh of outputs and the notebook export must agree on
what a fence is, wherever it stands (in a list, an admonition or a tab). What stands in an HTML
comment or in the front matter is not on the page, so it is no fence.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

OPENING = re.compile(
    r"^(?P<prefix>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<marker>`{3,}|~{3,})(?P<info>[^`]*)$"
)
CODE_SPAN = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)")
SPAN_OR_COMMENT = re.compile(rf"{CODE_SPAN.pattern}|<!--.*?(?P<end>-->|$)")


class Line(NamedTuple):
    """A line outside the fences.

    Attributes:
        number: Counted from 1.
        text: As it is written.
        shown: What a reader can see of it: no comments, and nothing of the front matter.
    """

    number: int
    text: str
    shown: str


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


@functools.lru_cache(maxsize=4)  # each block of a page asks for the same page
def read_parts(text: str) -> tuple[Fence | Line, ...]:
    """Read a Markdown text as the fences a reader can see and the lines outside, in order.

    Raises:
        ValueError: If a fence or an HTML comment is never closed.
    """
    return tuple(_walk(split_lines(text)))


def scan(text: str) -> list[Fence]:
    """List the fences of a Markdown text, see `read_parts`."""
    return [part for part in read_parts(text) if isinstance(part, Fence)]


def split_lines(text: str) -> list[str]:
    """Split at line breaks only, as files are read (`str.splitlines` also splits at form feeds)."""
    return text.replace("\r\n", "\n").split("\n")


def _walk(lines: list[str]) -> Iterator[Fence | Line]:
    number, comment = _front_matter(lines), 0  # comment: where the open HTML comment starts
    yield from (Line(hidden, lines[hidden - 1], "") for hidden in range(1, number + 1))
    while number < len(lines):
        line = lines[number]
        opening = None if comment else OPENING.match(line)
        number += 1
        if not opening:
            shown, is_open = _without_comments(line, bool(comment))
            yield Line(number, line, shown)
            comment = (comment or number) if is_open else 0
            continue
        start, body = number, []
        while number < len(lines) and not _closes(lines[number], opening["marker"]):
            body.append(_outdent(lines[number], opening["prefix"]))
            number += 1
        if number == len(lines):
            raise ValueError(f"fence of line {start} must be closed, got the end of the file")
        number += 1
        prefix, marker, info = opening.group("prefix", "marker", "info")
        yield Fence(start, number, prefix, marker, info, tuple(body))
    if comment:
        raise ValueError(f"comment of line {comment} must be closed, got the end of the file")


def _front_matter(lines: list[str]) -> int:
    """How many lines at the top of a page are for the machine alone."""
    rules = [
        n for n, line in enumerate(lines, 1) if re.fullmatch(r"\ufeff?(---|\.{3})[ \t]*", line)
    ]
    return rules[1] if rules[:1] == [1] and len(rules) > 1 else 0


def _without_comments(line: str, inside: bool) -> tuple[str, bool]:
    """What of a line stands outside of comments, and whether one is open at its end."""
    if inside:
        _, end, line = line.partition("-->")
        if not end:
            return "", True
    is_open = any(match["end"] == "" for match in SPAN_OR_COMMENT.finditer(line))
    return SPAN_OR_COMMENT.sub(lambda match: match[0] if match["ticks"] else "", line), is_open


def _closes(line: str, marker: str) -> bool:
    stripped = line.strip(" \t>")
    return len(stripped) >= len(marker) and set(stripped) == {marker[0]}


def _outdent(line: str, prefix: str) -> str:
    """Remove at most as many characters as the prefix has, and only blanks and `>`."""
    kept = line.lstrip(" \t>") if ">" in prefix else line.lstrip(" \t")
    return line[min(len(prefix), len(line) - len(kept)) :]
