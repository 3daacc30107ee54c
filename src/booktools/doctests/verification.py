"""Run one block and judge everything about it: output, figures, seeds, network.

Refreshing starts from another hidden seed than checking, and from another order of sets.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from booktools.doctests.sandbox import Sandbox
from booktools.doctests.worker import Job, Outcome
from booktools.pages.blocks import Block, Image
from booktools.pages.comparison import difference, tidy

# Chosen so that among the eight seeds from each on, the first 64 coins of every generator show both
# faces (a test tosses them): by chance alone, one coin in 128 would come out alike eight times.
CHECK_SEED, UPDATE_SEED = 1160, 1400
NUM_OTHER_SEEDS = 7


@dataclass(frozen=True)
class Page:
    """Where a block stands.

    Attributes:
        path: The Markdown file.
        name: How messages name it.
    """

    path: Path
    name: str


def start_sandbox(update: bool) -> Sandbox:
    """A sandbox for refreshing or for checking."""
    return Sandbox(hash_seed=1 if update else 2)


def verify(block: Block, page: Page, sandbox: Sandbox, folder: Path, update: bool) -> str:
    """Run a block and return what it printed.

    Args:
        block: What to run.
        page: Where it stands.
        sandbox: Where it runs.
        folder: An empty folder for the files of the runs.
        update: Write the figures to the page's folder instead of comparing them.

    Raises:
        BlockError: If the block fails or the page does not show what it does.
    """
    seed = UPDATE_SEED if update else CHECK_SEED
    run = _Run(block, page, sandbox, folder)
    outcome = run.with_seed(seed)
    if outcome.failure or outcome.attempts:
        raise BlockError("\n".join(_describe(outcome)))
    shown = tidy(outcome.printed) or outcome.num_figures
    if outcome.hidden and shown:
        for other in range(seed + 1, seed + 1 + NUM_OTHER_SEEDS):
            run.compare_with_seed(seed, other)
    if not update:
        _compare_output(block, page, tidy(outcome.printed))
    _match_figures(block, page, outcome.num_figures)
    for number, image in enumerate(block.images):
        new = folder / str(seed) / f"{number}.png"
        (_keep_figure if update else _compare_figure)(image, page, new)
    return tidy(outcome.printed)


class BlockError(Exception):
    """What is wrong with a block, said with page and line."""


class _Run:
    def __init__(self, block: Block, page: Page, sandbox: Sandbox, folder: Path) -> None:
        self.block, self.page, self.sandbox, self.folder = block, page, sandbox, folder
        self.outcomes: dict[int, Outcome] = {}

    def with_seed(self, seed: int) -> Outcome:
        folder = self.folder / str(seed)
        folder.mkdir()
        fence = self.block.fence
        job = Job(fence.code, fence.line, self.page.name, str(folder), seed)
        self.outcomes[seed] = self.sandbox.run(job)
        return self.outcomes[seed]

    def compare_with_seed(self, seed: int, other: int) -> None:
        first, second = self.outcomes[seed], self.with_seed(other)
        same = first.printed == second.printed and first.num_figures == second.num_figures
        for number in range(first.num_figures if same else 0):
            one, two = (self.folder / str(part) / f"{number}.png" for part in (seed, other))
            same = same and one.read_bytes() == two.read_bytes()
        if not same:
            raise BlockError(
                f"{self.page.name}:{self.block.fence.line}: what this block shows depends on a "
                "seed that the reader cannot see: set one in the block, for example with "
                f"torch.manual_seed(0)\n{first.printed}or\n{second.printed}{second.failure}"
            )


def _describe(outcome: Outcome) -> Iterator[str]:
    yield from outcome.attempts
    if outcome.failure:
        yield outcome.failure
        for name, text in (("printed", outcome.printed), ("on stderr", outcome.errors)):
            if text:
                yield f"{name}:\n{text}"


def _compare_output(block: Block, page: Page, printed: str) -> None:
    line = block.fence.line
    if block.output is None and printed:
        raise BlockError(
            f"{page.name}:{line}: this block prints, but the page shows no output; "
            f"run pytest --update-outputs\n{printed}"
        )
    if block.output is None:
        return
    if not printed:
        raise BlockError(f"{page.name}:{line}: the page shows an output, but this block is silent")
    expected = tidy(block.output.code)
    if reason := difference(expected, printed, block.tolerance):
        raise BlockError(
            f"{page.name}:{block.output.line}: {reason}\nthe page shows\n{expected}"
            f"but the block of line {line} printed\n{printed}"
        )


def _match_figures(block: Block, page: Page, num_figures: int) -> None:
    names = [image.path for image in block.images]
    if len(names) != num_figures:
        raise BlockError(
            f"{page.name}:{block.fence.line}: this block leaves {num_figures} open figures, "
            f"but the page links {len(names)} after it: {', '.join(names) or 'none'}"
        )


def _keep_figure(image: Image, page: Page, new: Path) -> None:
    from booktools.doctests.figures import distance

    for source, target in _pairs(image, page, new):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or distance(source, target) > 0:
            shutil.copyfile(source, target)


def _compare_figure(image: Image, page: Page, new: Path) -> None:
    from booktools.doctests.figures import distance

    for source, target in _pairs(image, page, new):
        where = f"{page.name}:{image.line}: {target.name}"
        if not target.exists():
            raise BlockError(f"{where} is missing, run pytest --update-outputs")
        if (difference := distance(source, target)) > image.tolerance:
            raise BlockError(
                f"{where} differs by {difference:.1f} levels from what the block draws, more than "
                f"{image.tolerance:g}; the new figure is {source}"
            )


def _pairs(image: Image, page: Page, new: Path) -> Iterator[tuple[Path, Path]]:
    target = page.path.parent / image.path
    yield new, target
    yield new.with_suffix(".dark.png"), target.with_suffix(".dark.png")
