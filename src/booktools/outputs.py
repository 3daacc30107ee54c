"""Know which text fences are printed outputs, and label them on the page.

An output follows its block after the comment that `pytest-codeblocks` reads; a second comment may
state the tolerance of its numbers. Both comments are invisible, so the label says it to readers.
"""

import re
from collections.abc import Iterator, Sequence

from booktools.fences import Fence, scan

EXPECTED = re.compile(r"<!--[-\s]*pytest-codeblocks:\s*expected-output.*-->")
TOLERANCE = re.compile(r"<!--\s*tolerance:\s*(?P<kind>relative|absolute)\s+(?P<value>\S+)\s*-->")
COMMENT = re.compile(r"<!--.*-->")


def find_outputs(text: str) -> Iterator[tuple[Fence, str]]:
    """Yield every output fence with its label.

    Examples:
        >>> page = "<!--pytest-codeblocks:expected-output-->\\n\\n```text\\n3\\n```\\n"
        >>> [(fence.body, label) for fence, label in find_outputs(page)]
        [(('3',), 'Output')]
    """
    lines = text.splitlines()
    for fence in scan(text):
        comments = list(_comments_above(lines, fence))
        if any(EXPECTED.fullmatch(comment) for comment in comments):
            yield fence, "Output" + "".join(map(_promise, comments))


def label_outputs(text: str) -> str:
    """Give the output fences of a page a title and a style of their own."""
    lines = text.splitlines(keepends=True)
    for fence, label in find_outputs(text):
        info = f'{{ .text .output .no-copy title="{label}" }}'
        lines[fence.line - 1] = f"{fence.prefix}{fence.marker}{info}\n"
    return "".join(lines)


def _comments_above(lines: Sequence[str], fence: Fence) -> Iterator[str]:
    for line in reversed(lines[: fence.line - 1]):
        if COMMENT.fullmatch(line.strip()):
            yield line.strip()
        elif line.strip():
            return


def _promise(comment: str) -> str:
    match = TOLERANCE.fullmatch(comment)
    if not match:
        return ""
    if match["kind"] == "absolute":
        return f" · checked to ±{match['value']} on every machine"
    return f" · checked to ±{100 * float(match['value']):g} % on every machine"
