"""Run one block and judge everything about it: output, figures, luck, network.

Refreshing starts from another hidden seed than checking, and from another order of sets. A block
that shows something and has drawn from the hidden seed is run again from others. If it asks for
what no seed rules (a clock, an address, the order of a set, a generator that seeds itself), it is
run again in new interpreters, each with another order of sets. All runs must show the same.
"""

import ast
import re
import shutil
from collections.abc import Iterator
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
    r"(?<![\w.])(?:set|frozenset|hash|id)\(|\.keys\(\) *[&|^-]"
    r"|(?:seed|Random)\((?:\w+=)?(?:None)?\)|initial_seed|urandom|SystemRandom"
    r"|(?:\bfrom +|\bimport +[\w, ]*)\b(?:time|datetime|uuid|secrets)\b"
)


class PageError(Exception):
    """What is wrong with a page, said with its name and line."""


def start_sandbox(update: bool, fresh: bool = False) -> Sandbox:
    """A sandbox for refreshing or for checking, with a new interpreter for each block if asked."""
    return Sandbox(hash_seed=1 if update else 2, fork=CAN_FORK and not fresh)


def verify(
    block: Block, page: Path, name: str, sandbox: Sandbox, folder: Path, update: bool
) -> str:
    """Run a block of a page and return what it printed.

    Args:
        block: What to run.
        page: The Markdown file in which it stands.
        name: How messages name it.
        sandbox: Where it runs.
        folder: An empty one for the files of the runs.
        update: Whether to write the figures that differ instead of refusing them.

    Raises:
        PageError: If the block fails or the page does not show what it does.
    """
    fence, seed = block.fence, UPDATE_SEED if update else CHECK_SEED

    def run(seed: int, hash_seed: int | None = None) -> Outcome:
        (folder / str(seed)).mkdir()
        job = Job(fence.code, fence.line, name, str(folder / str(seed)), seed, hash_seed)
        return sandbox.run(job)

    outcome = run(seed)
    if outcome.failure or outcome.attempts:
        raise PageError("\n".join(_describe(outcome)))
    if outcome.printed or outcome.num_figures:
        others = range(seed + 1, seed + 1 + NUM_OTHER_SEEDS)
        runs: list[tuple[int, int | None]]
        runs = [(other, None) for other in others if outcome.hidden]
        runs += [(-other, other) for other in others if is_unruled(fence.code)]
        for other, hash_seed in runs:
            again = run(other, hash_seed)
            if _shown(again, folder / str(other)) != _shown(outcome, folder / str(seed)):
                raise PageError(
                    f"{name}:{fence.line}: what this block shows depends on something that the "
                    "reader cannot see: a seed (set one in the block, for example with "
                    "torch.manual_seed(0)), a clock, an address or the order of a set\n"
                    f"{outcome.printed}or\n{again.printed}{again.failure}"
                )
    printed = tidy(outcome.printed)
    faults = [*_match_figures(block, outcome.num_figures)]
    if not update:
        faults += _compare_output(block, printed)
    for number, image in enumerate(block.images if not faults else ()):
        faults += _compare_figure(image, page, folder / str(seed) / f"{number}.png", update)
    if faults:
        raise PageError("\n".join(f"{name}:{line}: {text}" for line, text in faults))
    return printed


def is_unruled(code: str) -> bool:
    """Whether a block asks for something that no seed rules."""
    sets = (isinstance(node, ast.Set | ast.SetComp) for node in ast.walk(ast.parse(code)))
    return any(sets) or UNRULED.search(code) is not None


def _shown(outcome: Outcome, folder: Path) -> list[object]:
    figures = [(folder / f"{number}.png").read_bytes() for number in range(outcome.num_figures)]
    return [outcome.printed, *figures]


def _describe(outcome: Outcome) -> Iterator[str]:
    yield from outcome.attempts
    if outcome.failure:
        yield outcome.failure
        for name, text in (("printed", outcome.printed), ("on stderr", outcome.errors)):
            if text:
                yield f"{name}:\n{text}"


def _compare_output(block: Block, printed: str) -> Iterator[tuple[int, str]]:
    line, expected = block.fence.line, tidy(block.output.code) if block.output else ""
    if printed and not block.output:
        yield line, f"this block prints, but the page shows no output\n{printed}"
    elif block.output and not printed:
        yield line, "the page shows an output, but this block is silent"
    elif block.output and (
        reason := difference(expected, printed, block.tolerance, block.fence.code)
    ):
        shown = f"the page shows\n{expected}but the block of line {line} printed\n{printed}"
        yield block.output.line, f"{reason}\n{shown}"


def _match_figures(block: Block, num_figures: int) -> Iterator[tuple[int, str]]:
    names = [image.path for image in block.images]
    if len(names) != num_figures:
        linked = f"the page links {len(names)} after it: {', '.join(names) or 'none'}"
        yield block.fence.line, f"this block leaves {num_figures} open figures, but {linked}"


def _compare_figure(image: Image, page: Path, new: Path, update: bool) -> Iterator[tuple[int, str]]:
    from booktools.doctests.figures import distance

    old = page.parent / image.path
    pairs = [(new, old), (new.with_suffix(".dark.png"), old.with_suffix(".dark.png"))]
    for drawn, shown in pairs:
        levels = distance(drawn, shown) if shown.exists() else float("inf")
        if levels > image.tolerance and update:
            old.parent.mkdir(parents=True, exist_ok=True)
            for source, target in pairs:  # both: they show the same drawing
                shutil.copyfile(source, target)
        elif levels > image.tolerance:
            text = f"{shown.name} is missing or differs by {levels:.1f} levels from what the block"
            text += f" draws, more than {image.tolerance:g}; the new figure is {drawn}"
            yield image.line, text
