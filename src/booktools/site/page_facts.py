"""What a reader wants to know before a chapter: what comes first, and how long it takes.

Minutes come from the page's own text. Seconds, PyTorch's version and the day of the check come from
`docs/results/checked.json`, which the doc tests write when the outputs are made.
"""

import html
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote

from booktools.pages.fences import Fence, Line, read_parts

WORDS_PER_MINUTE = 180
CODE_LINES_PER_MINUTE = 25
REPOSITORY = "https://github.com/pytorch-notes/pytorch-notes"


@dataclass(frozen=True)
class Checked:
    """When and with what the pages were made.

    Attributes:
        torch: The version of PyTorch.
        day: The day.
        seconds: For each page, such as `networks/lenet.md`, how long its blocks ran.
    """

    torch: str = ""
    day: date | None = None
    seconds: dict[str, float] = field(default_factory=dict)


def read_checked(path: Path) -> Checked:
    """Read what the doc tests have written, or nothing if they have not."""
    if not path.exists():
        return Checked()
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Checked(stored["torch"], date.fromisoformat(stored["day"]), stored["seconds"])


def first_title(markdown: str) -> str:
    r"""The title of a page, without marks of its own.

    Examples:
        >>> first_title("# Padding and stride { #one }\n\nText")
        'Padding and stride'
    """
    found = re.search(r"^# +(.+?) *(?:\{[^}]*\})?$", markdown, re.MULTILINE)
    return found[1].replace("`", "") if found else ""


def minutes_to_read(markdown: str) -> int:
    r"""How long a page takes: its words, and the lines of the code that runs.

    Examples:
        >>> minutes_to_read("word " * 900)
        5
        >>> minutes_to_read("Look:\n\n```python\n" + "x = 1\n" * 50 + "```\n")
        2
    """
    parts = read_parts(markdown)
    words = sum(len(part.shown.split()) for part in parts if isinstance(part, Line))
    lines = sum(len(part.body) for part in parts if isinstance(part, Fence) and part.runs)
    return max(1, round(words / WORDS_PER_MINUTE + lines / CODE_LINES_PER_MINUTE))


def seconds_in_words(seconds: float) -> str:
    """A time as a reader needs it.

    Examples:
        >>> seconds_in_words(0.3), seconds_in_words(17.2), seconds_in_words(95)
        ('1 second', '20 seconds', '2 minutes')
    """
    if seconds > 90:
        return f"{round(seconds / 60)} minutes"
    rounded = math.ceil(seconds) if seconds <= 5 else 5 * math.ceil(seconds / 5)
    return f"{max(1, rounded)} second{'s' if rounded > 1 else ''}"


def facts(page: str, markdown: str, checked: Checked, needs: Sequence[tuple[str, str]] = ()) -> str:
    """The line under a chapter's title, as HTML.

    Args:
        page: The page's path in the docs folder.
        markdown: Its text.
        checked: What the doc tests have measured.
        needs: Title and link of each page to read before.

    Examples:
        >>> facts("a.md", "word " * 900, Checked())
        '<p class="facts"><span>5 minutes to read</span></p>'
    """
    parts = []
    if needs:
        links = ", ".join(f'<a href="{link}">{html.escape(title)}</a>' for title, link in needs)
        parts.append(f"<span>Read first: {links}</span>")
    minutes = minutes_to_read(markdown)
    parts.append(f"<span>{minutes} minute{'s' if minutes > 1 else ''} to read</span>")
    if page in checked.seconds:
        parts.append(f"<span>{seconds_in_words(checked.seconds[page])} to run</span>")
    if checked.day and page in checked.seconds:
        when = f"{checked.day.day} {checked.day:%B %Y}"
        parts.append(f"<span>checked with torch {checked.torch}, {when}</span>")
    return f'<p class="facts">{"".join(parts)}</p>'


def report_link(page: str, title: str) -> str:
    """The line at a page's foot that asks for what is wrong.

    Examples:
        >>> "issues/new?title=LeNet%3A%20" in report_link("networks/lenet.md", "LeNet")
        True
    """
    body = f"Page: {REPOSITORY}/blob/main/docs/{page}\n\nWhat is wrong, and what would be right?\n"
    address = f"{REPOSITORY}/issues/new?title={quote(title + ': ')}&amp;body={quote(body)}"
    return (
        '<p class="report" data-search-exclude>Something wrong or unclear? '
        f'<a href="{address}">Report a mistake</a></p>'
    )
