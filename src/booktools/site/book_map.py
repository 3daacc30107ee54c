"""The map of the book on the start page, and the list of chapters of a part.

Both stand in a page as a line of their own, `<!-- map -->` and `<!-- chapters -->`.
"""

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from booktools.site.page_facts import Checked, minutes_to_read, seconds_in_words

MAP, CHAPTERS = "<!-- map -->", "<!-- chapters -->"


@dataclass(frozen=True)
class Chapter:
    """A page of the book.

    Attributes:
        title: Its title.
        description: One sentence on it.
        link: Where it is, relative to the page that lists it.
        minutes: How long it takes to read.
        seconds: How long its blocks run.
    """

    title: str
    description: str
    link: str
    minutes: int
    seconds: float


def chapter(
    page: str, title: str, description: str, link: str, markdown: str, checked: Checked
) -> Chapter:
    """What the lists say of a page."""
    minutes = minutes_to_read(markdown)
    return Chapter(title, description, link, minutes, checked.seconds.get(page, 0.0))


def draw_map(
    parts: Iterable[dict[str, str]], read: Callable[[str], list[Chapter]], pictures: Path
) -> str:
    """The parts of the book as cards: picture, title, what is inside, and how long it takes.

    Args:
        parts: `title`, `picture`, `about`, and `page`, which a part that is to come has not. Such
            parts go last.
        read: The chapters of a part, from its overview page.
        pictures: The folder of the drawings.
    """
    cards = []
    for part in sorted(parts, key=lambda part: "page" not in part):
        drawing = (pictures / f"{part['picture']}.svg").read_text(encoding="utf-8").strip()
        title, about = html.escape(part["title"]), html.escape(part["about"])
        chapters = read(part["page"]) if "page" in part else []
        if chapters:
            minutes = sum(one.minutes for one in chapters)
            seconds = sum(one.seconds for one in chapters)
            size = f"{len(chapters)} pages, {_hours(minutes)} to read"
            size += f", {seconds_in_words(seconds)} to run" if seconds else ""
            name = f'<a href="{chapters[0].link}">{title}</a>'
        else:
            size, name = "to come", title
        cards.append(
            f'<li class="part{"" if chapters else " to-come"}">{drawing}'
            f'<h3>{name}</h3><p>{about}</p><p class="size">{size}</p></li>'
        )
    return f'<ol class="map">{"".join(cards)}</ol>'


def list_chapters(chapters: Iterable[Chapter]) -> str:
    """The chapters of a part, one line each."""
    rows = []
    for one in chapters:
        size = f"{one.minutes} min"
        rows.append(
            f'<li><a href="{one.link}">{html.escape(one.title)}</a> '
            f'<span class="size">{size}</span><br>{html.escape(one.description)}</li>'
        )
    return f'<ol class="chapters">{"".join(rows)}</ol>'


def _hours(minutes: int) -> str:
    """A long time in quarters of an hour.

    Examples:
        >>> _hours(40), _hours(100)
        ('40 minutes', '1¾ hours')
    """
    if minutes < 60:
        return f"{minutes} minutes"
    quarters = round(minutes / 15)
    whole, rest = divmod(quarters, 4)
    return f"{whole}{('', '¼', '½', '¾')[rest]} hour{'s' if quarters > 4 else ''}"
