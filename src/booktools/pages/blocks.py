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

import functools
import re
from dataclasses import dataclass

from booktools.pages.comparison import DEFAULT, Tolerance
from booktools.pages.fences import Fence, Line, read_parts

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
        following: What else stands directly after it, the fence or the line.
    """

    fence: Fence
    output: Fence | None
    tolerance: Tolerance
    images: tuple[Image, ...]
    comments: frozenset[int]
    head: int
    following: Fence | Line | None


@functools.lru_cache(maxsize=4)  # each block of a page asks for the same page
def read_blocks(text: str) -> tuple[Block, ...]:
    """Find the running blocks of a page.

    Raises:
        ValueError: If a fence or a comment of the page is never closed.
    """
    groups: list[tuple[Fence, list[Fence | Line]]] = []
    for part in read_parts(text):
        if isinstance(part, Fence) and part.runs:
            groups.append((part, []))
        elif groups and (isinstance(part, Fence) or part.text.strip()):
            groups[-1][1].append(part)
    return tuple(_read(fence, after) for fence, after in groups)


def _read(fence: Fence, after: list[Fence | Line]) -> Block:
    stated: dict[str, float] = {}
    used: list[int] = []
    for part in after:
        if not (isinstance(part, Line) and (match := TOLERANCE.fullmatch(part.text.strip()))):
            break
        stated[match["kind"]] = float(match["value"])
        used.append(part.number)
    head, rest = max(used, default=fence.end), after[len(used) :]
    output = None
    match rest:
        case [Line() as mark, Fence(info="text") as found, *others] if (
            mark.text.strip() == EXPECTED
        ):
            output, rest = found, others
            used.append(mark.number)
        case _:
            used = []
    images, image_comments = _read_images([part for part in rest if isinstance(part, Line)])
    shown = (part for part in rest if isinstance(part, Fence) or part.shown.strip())
    return Block(
        fence=fence,
        output=output,
        tolerance=Tolerance(**stated) if stated else DEFAULT,
        images=images,
        comments=frozenset(used + image_comments),
        head=head,
        following=next(shown, None),
    )


def _read_images(lines: list[Line]) -> tuple[tuple[Image, ...], list[int]]:
    """Read the links to figures, and the lines of the tolerances that belong to one."""
    images: list[Image] = []
    used: list[int] = []
    stated: tuple[int, float] | None = None
    for line in lines:
        if match := FIGURE_TOLERANCE.fullmatch(line.text.strip()):
            stated = (line.number, float(match["value"]))
        for match in IMAGE.finditer(line.shown):
            value = DEFAULT_FIGURE_TOLERANCE
            if stated:
                used.append(stated[0])
                value, stated = stated[1], None
            images.append(Image(line.number, match["alt"], match["path"], value))
    return tuple(images), used
