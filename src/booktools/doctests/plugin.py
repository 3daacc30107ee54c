"""The pytest plugin: every Markdown file that pytest collects is guarded, and its blocks run.

- `pytest` runs the blocks of `docs/` and the README and compares outputs and figures.
- `pytest --update-outputs` rewrites outputs and figures instead; it works with `-n`, too.
- `pytest --fresh` gives each block a new interpreter, which takes some seconds for each.
- `pytest docs/boxes.md` or `-k "boxes and 17"` selects pages and blocks as usual: the block whose
  fence opens on line 17 is called `docs/boxes.md::line 17`, the check of the page's fences and
  comments `docs/boxes.md::guard`.

How a block runs is told in `worker`, how it is judged in `verification`, and how a page is guarded
in `guard`. CONTRIBUTING.md is guarded, but its blocks do not run.

Doctests start from `torch.manual_seed(0)`.
"""

import contextlib
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from booktools.doctests.guard import problems
from booktools.doctests.recorder import PROPERTY, Recorder, name_of
from booktools.doctests.sandbox import Sandbox
from booktools.doctests.verification import Page, PageError, start_sandbox, verify
from booktools.doctests.worker import CAN_FORK
from booktools.pages.blocks import Block, read_blocks

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for tests and doctests, as for blocks
ONLY_GUARDED = {"CONTRIBUTING.md"}


@dataclass
class Session:
    """What the plugin remembers during a run.

    Attributes:
        sandbox: Where the blocks of this process run.
        pages: The pages that have been collected. That all blocks of a page have been, too, is what
            its guard looks after.
    """

    sandbox: Sandbox
    pages: set[Path] = field(default_factory=set)


SESSION = pytest.StashKey[Session]()


class PageItem(pytest.Item):
    """A test of a page."""

    line = 1

    @property
    def page(self) -> Page:
        """Where the page lies, and how messages name it."""
        return Page(self.path, name_of(self.path, self.config.rootpath))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show page, line and the page's own lines."""
        return str(excinfo.value if excinfo.errisinstance(PageError) else excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name page and test."""
        return self.path, self.line - 1, f"{self.page.name} {self.name}"


class GuardItem(PageItem):
    """The check of a page's fences, comments and images."""

    def runtest(self) -> None:
        """Fail if the guard finds a problem."""
        runs = self.path.name not in ONLY_GUARDED
        if found := problems(self.path, self.config.rootpath, runs=runs):
            raise PageError("\n".join(f"{self.page.name}:{line}: {text}" for line, text in found))


class VanishedItem(PageItem):
    """A page that was not collected, for example because its folder is called `build`."""

    def runtest(self) -> None:
        """Fail."""
        raise PageError(f"{self.name} is on disk, but pytest did not collect it")


class BlockItem(PageItem):
    """A block of a page."""

    block: Block

    def runtest(self) -> None:
        """Run the block, judge it, and report what it printed."""
        fence = self.block.fence
        config: Any = self.config
        result: dict[str, Any] = {"path": str(self.path), "line": fence.line, "code": fence.code}
        self.user_properties.append((PROPERTY, result))
        folder = config._tmp_path_factory.mktemp("block")
        sandbox = config.stash[SESSION].sandbox
        sandbox.start()  # counts for no block
        start = time.perf_counter()
        try:
            update = config.option.update_outputs
            result["printed"] = verify(self.block, self.page, sandbox, folder, update)
        finally:
            result["seconds"] = time.perf_counter() - start


class PageFile(pytest.File):
    """A Markdown file: its guard, then its blocks."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the guard first: it explains why blocks may be missing."""
        self.config.stash[SESSION].pages.add(self.path)
        yield GuardItem.from_parent(self, name="guard")
        blocks = []
        if self.path.name not in ONLY_GUARDED:
            with contextlib.suppress(ValueError):  # which the guard reports with its line
                blocks = read_blocks(self.path.read_text(encoding="utf-8"))
        for block in blocks:
            item = BlockItem.from_parent(self, name=f"line {block.fence.line}")
            item.block, item.line = block, block.fence.line
            yield item


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-outputs` and `--fresh`."""
    parser.addoption(
        "--update-outputs", action="store_true", help="rewrite expected outputs and figures"
    )
    parser.addoption(
        "--fresh", action="store_true", help="run each block of a page in a new interpreter"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what this process remembers."""
    fork = CAN_FORK and not config.option.fresh
    config.stash[SESSION] = Session(start_sandbox(config.option.update_outputs, fork))
    if not hasattr(config, "workerinput"):  # not in a worker of xdist
        config.pluginmanager.register(Recorder(config), "booktools-recorder")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect every Markdown file."""
    return PageFile.from_parent(parent, path=file_path) if file_path.suffix == ".md" else None


@pytest.hookimpl(trylast=True)  # after -k and -m have deselected, so that it cannot be lost
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add a failing item for each page that pytest should have collected and has not."""
    for path in _pages(session.config):
        if path not in session.config.stash[SESSION].pages:
            name = name_of(path, session.config.rootpath)
            items.append(VanishedItem.from_parent(session, name=name))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Seed the generators for a doctest."""
    if isinstance(item, pytest.DoctestItem):
        random.seed(0)
        if torch := sys.modules.get("torch"):
            torch.manual_seed(0)
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed(0)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the sandbox of this process."""
    session.config.stash[SESSION].sandbox.close()


def _pages(config: pytest.Config) -> Iterator[Path]:
    """The pages on disk that this run must collect in full."""
    if config.getoption("lf", False) or config.option.ignore or config.option.ignore_glob:
        return
    root = config.rootpath
    chosen = [(config.invocation_params.dir / one).resolve() for one in config.args]
    for path in [*(root / "docs").rglob("*.md"), root / "README.md"]:
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if path.exists() and not hidden and any(path.is_relative_to(one) for one in chosen):
            yield path
