"""Read a page as its running blocks, each with the output and the figures that belong to it.

What follows a block, in this order:

    (the python fence)
    <!-- tolerance: relative 0.02 -->                    optional
    <!--pytest-codeblocks:expected-output-->             if it prints
    (a fence of language text)

    <!-- figure-tolerance: 10 -->                        optional, for the next image
    ![What to see](figures/<name of the page>-loss.png)  one for each open figure

The output stands directly after its block; an image stands anywhere before the next python fence.
Everything else that looks like one of these comments belongs to no block, and `guard` refuses it.
"""

import re
from dataclasses import dataclass

from booktools.pages.comparison import DEFAULT, Tolerance
from booktools.pages.fences import Fence, scan, split_lines, visible_lines

EXPECTED = "<!--pytest-codeblocks:expected-output-->"
TOLERANCE = re.compile(r"<!-- tolerance: (?P<kind>relative|absolute) (?P<value>\d*\.?\d+) -->")
FIGURE_TOLERANCE = re.compile(r"<!-- figure-tolerance: (?P<value>\d*\.?\d+) -->")
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>figures/[^)\s]+\.png)[^)]*\)")
DEFAULT_FIGURE_TOLERANCE = 12.0


@dataclass(frozen=True)
class Image:
    """A link to a figure.

    Attributes:
        line: Where it stands, counted from 1.
        alt: The text for readers who cannot see the picture.
        path: The file, relative to the page.
        tolerance: How much a new drawing may differ, see `booktools.doctests.figures`.
    """

    line: int
    alt: str
    path: str
    tolerance: float


@dataclass(frozen=True)
class Block:
    """A fence that runs, and what the page says about its results.

    Attributes:
        fence: The code.
        output: The fence with the expected output, if there is one.
        tolerance: What the printed numbers are compared with.
        images: The links to its figures.
        comments: The lines of all comments that belong to it.
        head: The last line before which no new output may be inserted.
    """

    fence: Fence
    output: Fence | None
    tolerance: Tolerance
    images: tuple[Image, ...]
    comments: frozenset[int]
    head: int


def read_blocks(text: str) -> list[Block]:
    """Find the running blocks of a page.

    Raises:
        ValueError: If a fence or a comment of the page is never closed.
    """
    fences = list(scan(text))
    running = [fence for fence in fences if fence.runs]
    ends = [*(fence.line for fence in running[1:]), len(split_lines(text)) + 1]
    return [_read(text, fences, *pair) for pair in zip(running, ends, strict=False)]


def _read(text: str, fences: list[Fence], fence: Fence, limit: int) -> Block:
    lines = [
        (number, line.strip())
        for number, line in visible_lines(text)
        if fence.end < number < limit and line.strip()
    ]
    tolerance, stated = _read_tolerance(fence.end, split_lines(text), lines)
    head = max(stated, default=fence.end)
    used: set[int] = set()
    output = None
    rest = [(number, line) for number, line in lines if number > head]
    following = next((other for other in fences if other.line > fence.end), None)
    if rest and rest[0][1] == EXPECTED and following and following.info == "text":
        between = split_lines(text)[head : rest[0][0] - 1]
        between += split_lines(text)[rest[0][0] : following.line - 1]
        if not any(line.strip() for line in between):
            output = following
            used = {*stated, rest[0][0]}
    images, image_comments = _read_images(rest)
    return Block(fence, output, tolerance, images, frozenset(used | image_comments), head)


def _read_tolerance(
    end: int, page: list[str], lines: list[tuple[int, str]]
) -> tuple[Tolerance, list[int]]:
    """Read the tolerances directly after the block, and the lines on which they stand."""
    values: dict[str, float] = {}
    used: list[int] = []
    for number, line in lines:
        match = TOLERANCE.fullmatch(line)
        if not match or any(other.strip() for other in page[end : number - 1]):
            break
        values[match["kind"]] = float(match["value"])
        used.append(number)
        end = number
    return (Tolerance(**values) if values else DEFAULT), used


def _read_images(lines: list[tuple[int, str]]) -> tuple[tuple[Image, ...], set[int]]:
    images: list[Image] = []
    used: set[int] = set()
    stated: tuple[int, float] | None = None
    for number, line in lines:
        if match := FIGURE_TOLERANCE.fullmatch(line):
            stated = (number, float(match["value"]))
        for match in IMAGE.finditer(re.sub(r"<!--.*?-->", "", line)):
            value = DEFAULT_FIGURE_TOLERANCE
            if stated:
                used.add(stated[0])
                value, stated = stated[1], None
            images.append(Image(number, match["alt"], match["path"], value))
    return tuple(images), used
