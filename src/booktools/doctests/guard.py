"""Find what would make a page claim more than the doc tests check.

What looks like code must run or be included from tested source, what looks like an output must be
compared, what looks like a figure must be drawn anew, and no comment may weaken any of it. A page
is Markdown in the narrow grammar of CONTRIBUTING.md; whatever else somebody writes is refused,
because nobody would check it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from booktools.doctests.figures import MAX_FIGURE_TOLERANCE
from booktools.pages.blocks import Block, read_blocks
from booktools.pages.fences import CODE_SPAN, Fence, Line, read_parts

# The widest that honest pages need: the accuracy of a small network on another machine.
MAX_RELATIVE_TOLERANCE, MAX_ABSOLUTE_TOLERANCE = 0.1, 0.2
INFO = re.compile(r'py title="(?P<path>[^"]+)"|console|text(?: title="(?![Oo]utput)[^"]+")?')
INCLUDE = re.compile(r'--8<-- "(?P<path>[^":]+)(?::(?P<section>[^"]+))?"')
TESTED = re.compile(r"(?:src/notes|snippets|tests/site/pages)/(?!.*\.\.)")
PYTHON = re.compile(
    r"^[\s>]*(?:>>>|In \[\d*\]:|(?:from [\w.]+ )?import [\w.]+(?:(?:, | as )[\w.]+)*$"
    r"|(?:def|class) \w+(?:\(.*)?:$|(?:\w+ = )?[\w.]{3,}\(.*\)$)"
)
OWN_COMMENT = re.compile(r"pytest[.-](?:mark|codeblocks)|<!--[-\s]*[\w-]*tolerance\b")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\s](?:[^$]*[^$\s])?\$")
PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]*)\)")
FILE = r"\.(?:png|svg|jpe?g|gif|webp|avif)\b"
SCREENSHOT = "docs/assets/readme.png"
DATA_FILES = {".md", ".ipynb", ".csv", ".json"}
NAMED_TUPLE = {"_asdict", "_fields", "_make", "_replace"}  # public, although they do not look it
BY_NAME = re.compile(r"attr$|attrgetter$|import_module$|__import__$")
NOT_COMPARED = (
    "this looks like an output and is not compared: mark it, or add a title and a sentence"
)
# What a reader must not see outside of fences, code spans, formulas and links to the figures.
REFUSED = {
    PYTHON.pattern: "code must stand in a fence",
    r"!\[": "a picture must be written on one line as ![What to see](figures/…)",
    r"figures/": "a figure must be linked as an image after its block",
    rf"data:image|\]\([^)]*{FILE}": "a picture must be shown as an image",
    r'<(?!(?:br|/div|div(?: class="[\w -]+")? markdown)>|https?:)[a-zA-Z/!?]': (
        "write Markdown instead of HTML (only <br> and <div markdown> may stand here)"
    ),
    r"\{[^}]*(?:=|\bhidden\b)[^}]*\}": "attributes must be classes or ids",
}


class Problem(NamedTuple):
    """A line of a page, and what is wrong with it."""

    line: int
    message: str


def problems(path: Path, root: Path, runs: bool = True) -> list[Problem]:
    """Find the problems of a page, in the order of its lines.

    Args:
        path: The page.
        root: The folder of the project, from which snippet includes start.
        runs: Whether the blocks of this page run. Where they do not (in the guide for
            contributors), they must at least be valid Python.
    """
    text = path.read_text(encoding="utf-8")
    try:
        parts, blocks = read_parts(text), read_blocks(text)
    except ValueError as error:
        return [Problem(1, str(error))]
    fences = [part for part in parts if isinstance(part, Fence)]
    outputs = [block.output for block in blocks]
    found = [*_line_problems(path, [part for part in parts if isinstance(part, Line)], blocks)]
    for fence in fences:
        found += _fence_problems(fence, fence in outputs, root)
    for block in blocks:
        found += _block_problems(block, runs)
    if path.is_relative_to(root / "docs"):
        found += _orphans(path.parent)
    return sorted(set(found))


def _is_stored(picture: Path) -> bool:
    """Whether it shows a stored result: a test of the result draws it again."""
    names = [result.stem for result in picture.parent.glob("*.json")]
    return picture.suffix == ".png" and any(picture.name.startswith(f"{name}-") for name in names)


def _line_problems(page: Path, lines: list[Line], blocks: tuple[Block, ...]) -> Iterator[Problem]:
    comments = {number for block in blocks for number in block.comments}
    figures = [(image.line, image.path) for block in blocks for image in block.images]
    own = re.compile(rf"figures/{re.escape(page.stem)}-[\w-]+\.png")
    in_formula = False  # of several lines
    for number, text, shown in lines:
        if OWN_COMMENT.search(CODE_SPAN.sub("", text)) and number not in comments:
            rule = "an output and its tolerance follow it directly, and nothing is skipped"
            yield Problem(number, f"this comment belongs to no block: {rule}")
        if re.match(r"[ \t]*;*-+8<-", text):
            yield Problem(number, "an include must stand alone in a fence: py and a title")
        if number == 1 and re.match(r" {0,3}[\w-]+:\s", shown):
            yield Problem(number, "what describes a page must stand between two lines ---")
        rest = FORMULA.sub("", CODE_SPAN.sub("`", shown))
        before, dollars, after = rest.partition("$$")
        if dollars:
            rest, in_formula = (after if in_formula else before), not in_formula
        elif in_formula:
            rest, in_formula = "", bool(shown.strip())
        for picture in PICTURE.finditer(rest):
            alt, path = picture.group("alt", "path")
            if (number, path) in figures or path == SCREENSHOT or _is_stored(page.parent / path):
                rest = rest.replace(picture[0], "", 1)
            if (number, path) in figures and not own.fullmatch(path):
                yield Problem(number, f"{path} must start with figures/{page.stem}-")
            if [one for _, one in figures].count(path) > 1:
                yield Problem(number, f"{path} must be linked once, got several links")
            if len(re.findall(r"[^\W\d_]+", alt)) < 3 or re.search(FILE, alt):
                rule = f"must have an alt text that says what to see, got '{alt}'"
                yield Problem(number, f"{path} {rule}")
        for pattern, message in REFUSED.items():
            if re.search(pattern, rest):
                yield Problem(number, message)


def _fence_problems(fence: Fence, is_output: bool, root: Path) -> Iterator[Problem]:
    info = None if fence.prefix.strip() else INFO.fullmatch(fence.info)
    body = [(n, line.strip()) for n, line in enumerate(fence.body, fence.line + 1) if line.strip()]
    includes = [(number, match) for number, line in body if (match := INCLUDE.fullmatch(line))]
    if info and info["path"] and body and len(includes) == len(body):
        for number, match in includes:
            for message in _include_problems(match, info["path"], root):
                yield Problem(number, message)
        return
    if not fence.runs and (not info or info["path"]):
        rule = 'stand alone as python, py title="…", console or text'
        yield Problem(fence.line, f"'{fence.info.strip()}' neither runs nor is an include: {rule}")
    elif fence.info == "text" and not is_output:
        yield Problem(fence.line, NOT_COMPARED)
    for number, line in body:
        if "-8<-" in line:
            yield Problem(number, "an include must stand alone in a fence: py and a title")
        elif not (fence.runs or is_output) and PYTHON.match(line):
            yield Problem(number, "this looks like Python that has run, and has not")


def _include_problems(include: re.Match[str], title: str, root: Path) -> Iterator[str]:
    name, section = include.group("path", "section")
    if name != title:
        yield f"title must be the included file {name}, got {title}"
    if not TESTED.match(name):
        yield f"{name} must lie in src/notes or snippets, whose code is tested"
    elif not (root / name).is_file():
        yield f"{name} does not exist"
    elif section and not re.fullmatch(r"[A-Za-z_][\w-]*", section):
        yield f"name a section of {name}, got lines {section}: they move"
    elif section:
        lines = [line.strip() for line in (root / name).read_text(encoding="utf-8").split("\n")]
        for marker in (f"# --8<-- [start:{section}]", f"# --8<-- [end:{section}]"):
            if (count := lines.count(marker)) != 1:
                yield f"{name} must have '{marker}' once, got {count} times"


def _block_problems(block: Block, runs: bool) -> Iterator[Problem]:
    first, after, stated = block.fence.line, block.following, block.tolerance
    try:
        for name in _private_names(block.fence.code):
            yield Problem(first, f"a page must not need what is private, got {name}")
    except SyntaxError as error:
        if not runs:  # a block that runs speaks for itself
            yield Problem(first + (error.lineno or 0), f"not valid Python: {error.msg}")
    if isinstance(after, Fence) and after.info.startswith(("text", "console")):
        yield Problem(after.line, NOT_COMPARED)
    for image in block.images:
        if image.tolerance > MAX_FIGURE_TOLERANCE:
            rule = f"must be at most {MAX_FIGURE_TOLERANCE:g}, got {image.tolerance:g}"
            yield Problem(image.line, f"the figure-tolerance of {image.path} {rule}")
    numbers = re.findall(r"\d+\.\d*", block.output.code if block.output else "")
    absolute = min(MAX_ABSOLUTE_TOLERANCE, max(map(float, numbers), default=0.0))
    if stated.relative > MAX_RELATIVE_TOLERANCE or stated.absolute > absolute:
        rule = f"must be at most relative {MAX_RELATIVE_TOLERANCE} or absolute {absolute} here"
        yield Problem(block.head, f"a tolerance {rule}, got {stated}")


def _private_names(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        names: list[object] = []
        match node:
            case ast.Import() | ast.ImportFrom():
                names = [getattr(node, "module", ""), *(alias.name for alias in node.names)]
            case ast.Attribute(value=owner, attr=name) if ast.unparse(owner) != "self":
                names = [name]
            case ast.Call(func=function, args=arguments) if BY_NAME.search(ast.unparse(function)):
                names = [getattr(argument, "value", "") for argument in arguments]
        for name in ".".join(map(str, names)).split("."):
            if name.startswith("_") and not name.endswith("__") and name not in NAMED_TUPLE:
                yield name


def _orphans(folder: Path) -> Iterator[Problem]:
    """Files beside a page that no page shows; every page of the folder reports them."""
    linked = set()
    for page in folder.rglob("*.md"):
        for match in PICTURE.finditer(page.read_text(encoding="utf-8")):
            file = (page.parent / match["path"]).resolve()
            linked |= {file, file.with_suffix(f".dark{file.suffix}")}
    for file in sorted(folder.resolve().rglob("*.*")):
        name = file.relative_to(folder.resolve()).as_posix()
        is_known = file.suffix in DATA_FILES or name.startswith(("assets/", "robots.txt"))
        if not is_known and file not in linked:
            yield Problem(1, f"{name} is linked by no page")
