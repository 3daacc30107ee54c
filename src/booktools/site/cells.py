"""Read a page as the cells of a notebook.

Fences come from the one scanner. Everything else is prose: admonitions become quotes, tabs become
bold lines, comments go, links lead to the published site.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from booktools.pages.blocks import read_blocks
from booktools.pages.fences import Fence, read_parts

BOX = re.compile(
    r'^(?P<indent> *)(?P<mark>!!!|\?\?\?\+?|===[!+]?) +(?P<kind>[\w -]*?) *(?:"(?P<title>.*)")?$'
)
FIGURE = re.compile(
    r"\A(?:> ?)*!\[(?P<alt>[^\]]*)\]\((?P<src>[^)\s]+)\)(?:\{[^}\n]*\})?[ \t]*(?:\n[> ]*\n|\Z)"
)
ANNOTATION = re.compile(r"# \((\d+)\)!$", re.MULTILINE)
TITLE = re.compile(r'title="(?P<title>[^"]*)"')
SHORTHAND = re.compile(r"\[(?P<text>`?(?P<name>[\w.]+)`?)\]\[\]")
BLANKS = re.compile(r"\n(?P<blank>[> ]*)\n(?:(?P=blank)\n)+")
MARGIN = re.compile(r"\A(?:[> ]*\n)+|(?:\n[> ]*)+\Z")  # blank lines, also those of a quote
VERBATIM = re.compile(r"(?P<ticks>`+).+?(?<!`)(?P=ticks)(?!`)|\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)(?P<rest>[^)]*)\)")
REFERENCE = re.compile(r"\]\[(?P<name>[\w.]+)\]")
ATTRIBUTES = re.compile(r"[ \t]*\{:?\s*(?:[#.][\w-]|\w+=)[^}\n]*\}")


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook.

    Attributes:
        kind: `markdown` or `code`.
        text: The prose or the code, without a last line break.
        output: What the code prints.
        figures: The figures the code draws: pairs of alt text and link.
    """

    kind: str
    text: str
    output: str = ""
    figures: tuple[tuple[str, str], ...] = ()


@dataclass
class _Prose:
    """Lines of prose on their way into a cell; code lines stay as they are."""

    lines: list[tuple[bool, str]] = field(default_factory=list)

    def add(self, line: str, quotes: int, *, is_code: bool = False) -> None:
        self.lines.append((is_code, ("> " * quotes + line).rstrip()))

    def end_quote(self) -> None:
        """Let the next line stand outside of the quote before it."""
        while self.lines and not self.lines[-1][1].strip("> "):
            self.lines.pop()
        self.lines.append((False, ""))

    def take(self, link: Callable[[str], str], refer: Callable[[str], str]) -> str:
        """Hand over the finished text and start anew."""
        parts: list[str] = []
        run: list[str] = []
        for is_code, line in [*_dedent(self.lines), (True, "")]:
            if not is_code:
                run.append(line)
                continue
            if run:
                parts.append(_clean("\n".join(run), link, refer))
            run = []
            parts.append(line)
        self.lines = []
        text = MARGIN.sub("", "\n".join(parts[:-1]))
        return text if text.strip("> \n") else ""


def read_cells(text: str, link: Callable[[str], str], refer: Callable[[str], str]) -> list[Cell]:
    """Read a page as cells, in order.

    Args:
        text: The page's Markdown, includes expanded.
        link: Turns a link of the page into an absolute one.
        refer: Turns the name of a documented object into a link to its reference.
    """
    cells: list[Cell] = []
    prose = _Prose()
    outputs = {block.output.line for block in read_blocks(text) if block.output}

    def flush() -> None:
        rest = prose.take(link, refer)
        while cells and cells[-1].kind == "code" and (figure := FIGURE.match(rest)):
            alt = " ".join(figure["alt"].split())
            figures = (*cells[-1].figures, (alt, figure["src"]))
            cells[-1] = replace(cells[-1], figures=figures)
            rest = rest[figure.end() :].lstrip("\n")
        if rest:
            cells.append(Cell("markdown", rest))

    for item, level, quotes in _walk(text, prose):
        if isinstance(item, str):
            prose.add(item[min(level, len(item) - len(item.lstrip())) :], quotes)
        elif item.runs:
            flush()
            cells.append(Cell("code", _stand_in_sequence(item.code.rstrip("\n"))))
        elif item.line in outputs and (code := _last_code(cells)) is not None:
            cells[code] = replace(cells[code], output=cells[code].output + item.code)
        else:
            _quote_fence(prose, item, level, quotes)
    flush()
    return cells


def _stand_in_sequence(code: str) -> str:
    """Undo at the end of a block what the next ones, in the same process, must not inherit."""
    code = ANNOTATION.sub(r"# (\1)", code)
    if "torch.set_default_dtype(" in code:
        code += "\ntorch.set_default_dtype(torch.float32)  # as at the start of every block"
    return code


def _last_code(cells: list[Cell]) -> int | None:
    numbers = [number for number, cell in enumerate(cells) if cell.kind == "code"]
    return numbers[-1] if numbers else None


def _walk(text: str, prose: _Prose) -> Iterator[tuple[str | Fence, int, int]]:
    """Yield lines and fences, each with the indentation of its box and the number of quotes."""
    boxes: list[tuple[int, bool]] = []  # indentation of the content, and whether it is a quote
    for part in read_parts(text):
        line = f"{part.prefix}{part.marker}" if isinstance(part, Fence) else part.shown
        indent = len(line) - len(line.lstrip())
        while line.strip() and boxes and indent < boxes[-1][0]:
            if boxes.pop()[1]:
                prose.end_quote()
        level, quotes = boxes[-1][0] if boxes else 0, sum(quote for _, quote in boxes)
        if isinstance(part, Fence):
            yield part, level, quotes
        elif match := BOX.match(line):
            is_quote = not match["mark"].startswith("===")
            title = match["title"] or match["kind"].split(" ")[0].title()
            boxes.append((indent + 4, is_quote))
            yield f"**{title}**", 0, quotes + is_quote
            yield "", 0, quotes + is_quote
        else:
            yield line, level, quotes


def _quote_fence(prose: _Prose, fence: Fence, level: int, quotes: int) -> None:
    """Keep a fence that does not run, with its title above it."""
    bullet = fence.prefix[level:]
    indent = " " * len(bullet)
    if title := TITLE.search(fence.info):
        prose.add(f"{bullet}`{title['title']}`", quotes, is_code=True)
        prose.add("", quotes, is_code=True)
        bullet = indent
    language = re.split(r"[\s{]", fence.info.strip() + " ")[0]
    prose.add(f"{bullet}{fence.marker}{language}", quotes, is_code=True)
    for line in fence.code.rstrip("\n").split("\n"):
        prose.add(indent + line, quotes, is_code=True)
    prose.add(indent + fence.marker, quotes, is_code=True)


def _dedent(lines: list[tuple[bool, str]]) -> list[tuple[bool, str]]:
    """Move text that stood below a list to the margin: there it is no code block."""
    first = next((line for _, line in lines if line.strip()), "")
    indent = len(first) - len(first.lstrip())
    return [
        (is_code, line[min(indent, len(line) - len(line.lstrip())) :]) for is_code, line in lines
    ]


def _clean(text: str, link: Callable[[str], str], refer: Callable[[str], str]) -> str:
    """Make links absolute and drop attribute lists, except within code and formulas."""
    text = BLANKS.sub(r"\n\g<blank>\n", text)
    text = SHORTHAND.sub(lambda match: f"[{match['text']}][{match['name']}]", text)
    parts, position = [], 0
    for verbatim in [*VERBATIM.finditer(text), None]:
        prose = text[position : verbatim.start() if verbatim else len(text)]
        prose = LINK.sub(lambda match: f"]({link(match['target'])}{match['rest']})", prose)
        prose = REFERENCE.sub(lambda match: f"]({refer(match['name'])})", prose)
        parts.append(ATTRIBUTES.sub("", prose))
        if verbatim:
            parts.append(verbatim[0])
            position = verbatim.end()
    return "".join(parts)
