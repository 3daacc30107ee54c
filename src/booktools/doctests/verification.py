"""Run one block and judge everything about it: output, figures, luck, network.

Refreshing starts from another hidden seed than checking, and from another order of sets. A block
that shows something and asks for what no seed rules (a clock, an address, the order of a set, a
generator that seeds itself) is run again in new interpreters, each with another order of sets.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from booktools.doctests.sandbox import Sandbox
from booktools.doctests.worker import CAN_FORK, Job, Outcome
from booktools.pages.blocks import Block, Image
from booktools.pages.comparison import difference, tidy

# Chosen so that among the eight seeds from each on, the first 64 coins of every generator show both
# faces (a test tosses them): by chance alone, one coin in 128 would come out alike eight times.
CHECK_SEED, UPDATE_SEED = 1160, 1400
NUM_OTHER_SEEDS = 7
UNRULED = re.compile(
    r"(?<![\w.])(?:set|frozenset|hash|id)\(|\.keys\(\) *[&|^-]|(?:seed|Random)\( *(?:None)? *\)"
    r"|initial_seed|urandom|SystemRandom"
    r"|(?:\bfrom +|\bimport +[\w, ]*)\b(?:time|datetime|uuid|secrets)\b"
)


@dataclass(frozen=True)
class Page:
    """Where a block stands.

    Attributes:
        path: The Markdown file.
        name: How messages name it.
    """

    path: Path
    name: str


def start_sandbox(update: bool, fork: bool = CAN_FORK) -> Sandbox:
    """A sandbox for refreshing or for checking."""
    return Sandbox(hash_seed=1 if update else 2, fork=fork)


def verify(block: Block, page: Page, sandbox: Sandbox, folder: Path, update: bool) -> str:
    """Run a block and return what it printed.

    Args:
        block: What to run.
        page: Where it stands.
        sandbox: Where it runs.
        folder: An empty folder for the files of the runs.
        update: Write the figures to the page's folder instead of comparing them.

    Raises:
        PageError: If the block fails or the page does not show what it does.
    """
    seed = UPDATE_SEED if update else CHECK_SEED
    run = _Run(block, page, sandbox, folder)
    outcome = run.with_seed(seed)
    if outcome.failure or outcome.attempts:
        raise PageError("\n".join(_describe(outcome)))
    for other in range(seed + 1, seed + 1 + NUM_OTHER_SEEDS):
        if outcome.hidden and (outcome.printed or outcome.num_figures):
            run.compare(seed, other)
        if is_unruled(block.fence.code) and (outcome.printed or outcome.num_figures):
            run.compare(seed, other + NUM_OTHER_SEEDS, hash_seed=other)
    if not update:
        _compare_output(block, page, tidy(outcome.printed))
    _match_figures(block, page, outcome.num_figures)
    for number, image in enumerate(block.images):
        new = folder / str(seed) / f"{number}.png"
        _compare_figure(image, page, new, update)
    return tidy(outcome.printed)


def is_unruled(code: str) -> bool:
    """Whether a block asks for something that no seed rules."""
    sets = (isinstance(node, ast.Set | ast.SetComp) for node in ast.walk(ast.parse(code)))
    return any(sets) or UNRULED.search(code) is not None


class PageError(Exception):
    """What is wrong with a page, said with its name and line."""


class _Run:
    def __init__(self, block: Block, page: Page, sandbox: Sandbox, folder: Path) -> None:
        self.block, self.page, self.sandbox, self.folder = block, page, sandbox, folder
        self.outcomes: dict[int, Outcome] = {}

    def with_seed(self, seed: int, hash_seed: int | None = None) -> Outcome:
        folder, fence = self.folder / str(seed), self.block.fence
        folder.mkdir()
        job = Job(fence.code, fence.line, self.page.name, str(folder), seed, hash_seed)
        self.outcomes[seed] = self.sandbox.run(job)
        return self.outcomes[seed]

    def compare(self, seed: int, other: int, hash_seed: int | None = None) -> None:
        first, second = self.outcomes[seed], self.with_seed(other, hash_seed)
        same = first.printed == second.printed and first.num_figures == second.num_figures
        for number in range(first.num_figures if same else 0):
            one, two = (self.folder / str(part) / f"{number}.png" for part in (seed, other))
            same = same and one.read_bytes() == two.read_bytes()
        if not same:
            raise PageError(
                f"{self.page.name}:{self.block.fence.line}: what this block shows depends on "
                "something that the reader cannot see: a seed (set one in the block, for example "
                "with torch.manual_seed(0)), a clock, an address or the order of a set\n"
                f"{first.printed}or\n{second.printed}{second.failure}"
            )


def _describe(outcome: Outcome) -> Iterator[str]:
    yield from outcome.attempts
    if outcome.failure:
        yield outcome.failure
        for name, text in (("printed", outcome.printed), ("on stderr", outcome.errors)):
            if text:
                yield f"{name}:\n{text}"


def _compare_output(block: Block, page: Page, printed: str) -> None:
    where = f"{page.name}:{block.fence.line}:"
    if block.output is None and printed:
        raise PageError(
            f"{where} this block prints, but the page shows no output; "
            f"run pytest --update-outputs\n{printed}"
        )
    if block.output is None:
        return
    if not printed:
        raise PageError(f"{where} the page shows an output, but this block is silent")
    expected = tidy(block.output.code)
    if reason := difference(expected, printed, block.tolerance, block.fence.code):
        raise PageError(
            f"{page.name}:{block.output.line}: {reason}\nthe page shows\n{expected}"
            f"but the block of line {block.fence.line} printed\n{printed}"
        )


def _match_figures(block: Block, page: Page, num_figures: int) -> None:
    names = [image.path for image in block.images]
    if len(names) != num_figures:
        raise PageError(
            f"{page.name}:{block.fence.line}: this block leaves {num_figures} open figures, "
            f"but the page links {len(names)} after it: {', '.join(names) or 'none'}"
        )


def _compare_figure(image: Image, page: Page, new: Path, update: bool) -> None:
    from booktools.doctests.figures import distance

    old = page.path.parent / image.path
    pairs = [(new, old), (new.with_suffix(".dark.png"), old.with_suffix(".dark.png"))]
    for source, target in pairs:
        where = f"{page.name}:{image.line}: {target.name}"
        if not target.exists():
            fault = f"{where} is missing, run pytest --update-outputs"
        elif (levels := distance(source, target)) > image.tolerance:
            fault = (
                f"{where} differs by {levels:.1f} levels from what the block draws, more than "
                f"{image.tolerance:g}; the new figure is {source}"
            )
        else:
            continue
        if not update:
            raise PageError(fault)
        old.parent.mkdir(parents=True, exist_ok=True)
        for one, other in pairs:
            shutil.copyfile(one, other)
