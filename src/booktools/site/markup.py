"""Read a page's HTML once: is it whole, and where do its links lead?"""

import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from booktools.pages.fences import CODE_SPAN, Line, read_parts

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
VERBATIM = {"annotation", "code", "pre", "script", "style"}
# Markdown that was not understood and is shown as it was written.
LEFTOVER = re.compile(
    r"\[\^[\w-]+\]|\]\(|\]\[|\*\*\S|`|^(?:!!!|\?\?\?|===|:::) |--8<--|\$\S*\$|^\|.+\|$",
    re.MULTILINE,
)
TABLE_RULE = re.compile(r"[ \t>]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?")


class Markup(HTMLParser):
    """One page.

    Attributes:
        problems: What is wrong with it, each with its line.
        ids: What a link may name after its `#`.
        headings: The ids of its headings, in order.
        links: What the page links or loads: pairs of line and address.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.ids: set[str] = set()
        self.headings: list[str] = []
        self.links: list[tuple[int, str]] = []
        self._open: list[tuple[str, str]] = []  # names and classes of the elements around
        self._last_class = ""
        self._num_titles = 0
        self.feed(html)
        self.close()
        for tag, _ in self._open:
            self.problems.append(f"<{tag}> is never closed")
        if self._num_titles != 1:
            self.problems.append(f"a page must have one h1, got {self._num_titles}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is called and where it leads."""
        attributes = {name: value or "" for name, value in attrs}
        if name := attributes.get("id"):
            if name in self.ids:
                self._report(f'id="{name}" stands there twice')
            self.ids.add(name)
            if re.fullmatch("h[1-6]", tag):
                self.headings.append(name)
        self.links += [
            (self.getpos()[0], attributes[key]) for key in ("href", "src") if key in attributes
        ]
        self._num_titles += tag == "h1"
        if tag == "pre" and not self._is_named_code():
            self._report("code must stand in a fence, got an indented line or HTML")
        self._last_class = attributes.get("class", self._last_class)
        if tag not in VOID:
            self._open.append((tag, attributes.get("class", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open and close an element."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the last element that is open."""
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        else:
            around = f"<{self._open[-1][0]}>" if self._open else "nothing"
            self._report(f"</{tag}> closes {around}")

    def handle_data(self, data: str) -> None:
        """Look for Markdown in the text."""
        around = {tag for tag, _ in self._open}
        if not around & VERBATIM and (match := LEFTOVER.search(data)):
            self._report(f"this is no Markdown: {match[0]}")

    def _is_named_code(self) -> bool:
        """Whether this code says what it is: an indented line becomes text without a title."""
        classes = " ".join(names for _, names in self._open)
        is_plain = "language-text" in classes and "output" not in classes
        return "highlight" in classes and (self._last_class == "filename" or not is_plain)

    def _report(self, message: str) -> None:
        self.problems.append(f"line {self.getpos()[0]}: {message}")


def broken_links(pages: dict[str, Markup], files: set[str], base: str) -> list[str]:
    """Say which links of a site lead to nothing within it.

    Args:
        pages: The pages, by their path within the site, such as `networks/lenet/`.
        files: The path of every file of the site.
        base: The address of the site, with a slash at its end.
    """
    found = []
    for path, page in pages.items():
        for line, link in page.links:
            address, anchor = urldefrag(urljoin(base + path, link).replace("http:", "https:"))
            if re.match(r"file:|https://(?:localhost|127\.|0\.)", address):
                found.append(f"{path}:{line}: {link} leads to the machine of its writer")
            if not address.startswith(base.rstrip("/")):
                continue
            within = unquote(f"{address}/".removeprefix(base).strip("/"))
            target = posixpath.normpath(within or ".")
            other = pages.get(f"{target}/")
            if other is None and target not in files:
                found.append(f"{path}:{line}: {link} leads to nothing")
            elif other and anchor and unquote(anchor) not in other.ids:
                found.append(f"{path}:{line}: {link} has no such place on its page")
    return found


def broken_sources(pages: dict[str, Markup], root: Path, repository: str) -> list[str]:
    """Say which links to files of the repository lead to nothing.

    Args:
        pages: The pages, by their path.
        root: A copy of the repository.
        repository: Its address, without a slash at the end.
    """
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    source = re.compile(rf"(?:{repository}/(?:blob|tree|edit|raw|blame)|{raw})/[^/]+/([^#?]+)")
    return [
        f"{path}:{line}: {link} leads to nothing"
        for path, page in pages.items()
        for line, link in page.links
        if (match := source.match(link)) and not (root / unquote(match[1])).exists()
    ]


def ragged_tables(text: str) -> list[int]:
    """List the lines of a page's tables that have more or fewer cells than the line of dashes."""
    found = []
    num_cells = 0
    lines = [part for part in read_parts(text) if isinstance(part, Line)]
    for line, following in zip(lines, [*lines[1:], Line(0, "", "")], strict=True):
        if TABLE_RULE.fullmatch(following.shown):
            num_cells = _count_cells(following.shown)
        if num_cells and line.shown.strip() and _count_cells(line.shown) != num_cells:
            found.append(line.number)
        num_cells = num_cells if line.shown.strip() else 0
    return found


def _count_cells(line: str) -> int:
    plain = re.sub(r"\\\||\$[^$]*\$", "", CODE_SPAN.sub("", line.strip(" >")))
    return len(plain.removeprefix("|").removesuffix("|").split("|"))
