"""Find what would make a page claim more than the doc tests check.

The stock plugin silently passes over many spellings of a Python fence. Here every fence that looks
like Python must run, or consist of snippet includes only; what runs must be visible on the page;
comments and images that belong to no block are refused; and nothing is skipped without a reason.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pytest_codeblocks.main import extract_from_file

from booktools.pages.blocks import IMAGE, Block, read_blocks
from booktools.pages.fences import CODE_SPAN, Fence, scan, split_lines

PYTHON = re.compile(r"i?python|py(?:con|tb|\d|i?$)", re.IGNORECASE)
LEXER = re.compile(r"lexer=.?i?py", re.IGNORECASE)
QUOTED_VALUE = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*')")
SHELL = {"sh", "bash", "zsh"}
INCLUDE = re.compile(r'(?:# ?)?--8<-- "(?P<path>[^":]+)(?::(?P<section>[^"]+))?"')
MARK = re.compile(r"<!--[-\s]*pytest\.mark\.")
REASON = re.compile(r"reason\s*=\s*(['\"])\s*\w.*?\1")
OWN_COMMENT = re.compile(r"<!--[-\s]*(?P<kind>pytest-codeblocks|(?:figure-)?tolerance)\b")
FIGURE = re.compile(r"figures/[^\s\"')>]*")


class Problem(NamedTuple):
    """A line of a page, and what is wrong with it."""

    line: int
    message: str


def problems(path: Path, root: Path, runs: bool = True) -> list[Problem]:
    """Find the problems of a page, in the order of its lines.

    Args:
        path: The page.
        root: The folder that snippet includes start from.
        runs: Whether the blocks of this page run. Where they do not (in the guide for
            contributors), they must at least be valid Python.
    """
    text = path.read_text(encoding="utf-8")
    try:
        fences, blocks = list(scan(text)), read_blocks(text)
    except ValueError as error:
        return [Problem(1, str(error))]
    found: list[Problem] = []
    for fence in fences:
        found += _fence_problems(fence, root, runs)
    found += _stock_problems(path, fences)
    found += _comment_problems(text, fences, blocks)
    found += _figure_problems(path, text, fences, blocks)
    return sorted(found)


def _stock_problems(path: Path, fences: list[Fence]) -> Iterator[Problem]:
    """Where pytest-codeblocks, which collects the blocks, reads the page in another way."""
    try:
        stock = {block.lineno: block for block in extract_from_file(path)}
    except (RuntimeError, Warning) as error:
        yield Problem(1, f"pytest-codeblocks cannot read this page: {error}")
        return
    for fence in fences:
        if fence.runs and (
            fence.line not in stock or not _same_code(stock[fence.line].code, fence.code)
        ):
            yield Problem(fence.line, "pytest-codeblocks does not see this fence as it is")
    for line, block in stock.items():
        if block.syntax in {"python", *SHELL} and line not in {fence.line for fence in fences}:
            yield Problem(line, f"{block.syntax} runs, but is not visible on the page")


def _same_code(one: str, other: str) -> bool:
    """Compare without empty lines, which pytest-codeblocks loses in indented fences."""
    first, second = ([line for line in code.split("\n") if line.strip()] for code in (one, other))
    return first == second


def _fence_problems(fence: Fence, root: Path, runs: bool) -> Iterator[Problem]:
    words = re.split(r"[\s{},.#=]+", QUOTED_VALUE.sub("", fence.info))
    language = next((word for word in words if word), "")
    includes = [line.strip() for line in fence.body if line.strip()]
    included = bool(includes) and all(INCLUDE.fullmatch(line) for line in includes)
    if language in SHELL:
        yield Problem(fence.line, f"{language} would be run by pytest, write console")
    if not language:
        yield Problem(fence.line, "fence must name its language, got none (text is one)")
    if any(PYTHON.match(word) for word in words) or LEXER.search(fence.info):
        if included and fence.runs:
            yield Problem(fence.line, "an include cannot run: write py and a title")
        elif not included and runs and not fence.runs:
            yield Problem(fence.line, f"'{fence.info.strip()}' neither runs nor is an include")
        elif not included and not runs:
            yield from _syntax_problems(fence)
    if included:
        for number, line in enumerate(fence.body, fence.line + 1):
            if match := INCLUDE.fullmatch(line.strip()):
                yield from _include_problems(number, match["path"], match["section"], root)


def _syntax_problems(fence: Fence) -> Iterator[Problem]:
    try:
        compile(fence.code, "page", "exec")
    except SyntaxError as error:
        yield Problem(fence.line + (error.lineno or 0), f"not valid Python: {error.msg}")


def _include_problems(number: int, name: str, section: str | None, root: Path) -> Iterator[Problem]:
    source = root / name
    if not source.is_file():
        yield Problem(number, f"{name} does not exist")
    elif section and not re.fullmatch(r"[A-Za-z_][\w-]*", section):
        yield Problem(number, f"name a section of {name}, got lines {section}: they move")
    elif section:
        lines = [line.strip() for line in source.read_text(encoding="utf-8").split("\n")]
        for marker in (f"# --8<-- [start:{section}]", f"# --8<-- [end:{section}]"):
            if (count := lines.count(marker)) != 1:
                yield Problem(number, f"{name} must have '{marker}' once, got {count} times")


def _comment_problems(text: str, fences: list[Fence], blocks: list[Block]) -> Iterator[Problem]:
    used = {line for block in blocks for line in block.comments}
    for number, line in _unfenced_lines(text, fences):
        if MARK.search(line):
            if not REASON.search(line):
                yield Problem(number, "a mark must say why: reason=")
        elif (match := OWN_COMMENT.search(line)) and number not in used:
            kinds = "only expected-output, directly after a python fence and before a text fence"
            if match["kind"] != "pytest-codeblocks":
                kinds = f"{match['kind']}, written as documented, directly before what it is for"
            yield Problem(number, f"this comment belongs to no block ({kinds})")


def _unfenced_lines(text: str, fences: list[Fence]) -> Iterator[tuple[int, str]]:
    """All lines outside the fences, hidden ones too, without what they only quote as code."""
    fenced = {line for fence in fences for line in range(fence.line, fence.end + 1)}
    for number, line in enumerate(split_lines(text), 1):
        if number not in fenced:
            yield number, CODE_SPAN.sub("", line)


def _figure_problems(
    path: Path, text: str, fences: list[Fence], blocks: list[Block]
) -> Iterator[Problem]:
    images = [image for block in blocks for image in block.images]
    owned = {(image.line, image.path) for image in images}
    for number, line in _unfenced_lines(text, fences):
        for name in FIGURE.findall(line):
            if (number, name) not in owned:
                yield Problem(number, f"{name} must be linked as an image after its block")
    seen: set[str] = set()
    for image in images:
        if not re.search(r"\w.*\w", image.alt):
            yield Problem(image.line, f"{image.path} must have an alt text, got '{image.alt}'")
        if not image.path.startswith(f"figures/{path.stem}-"):
            yield Problem(image.line, f"{image.path} must start with figures/{path.stem}-")
        if image.path in seen:
            yield Problem(image.line, f"{image.path} must be linked once, got a second link")
        seen.add(image.path)
    yield from _orphans(path.parent)


def _orphans(folder: Path) -> Iterator[Problem]:
    """Figures that no page of the folder links; every page of the folder reports them."""
    linked = set()
    for page in folder.glob("*.md"):
        for match in IMAGE.finditer(page.read_text(encoding="utf-8")):
            linked |= {match["path"], match["path"].removesuffix(".png") + ".dark.png"}
    for file in sorted((folder / "figures").glob("*.png")):
        if f"figures/{file.name}" not in linked:
            yield Problem(1, f"figures/{file.name} is linked by no page")
