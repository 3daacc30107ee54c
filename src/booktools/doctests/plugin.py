"""The pytest plugin: every Markdown file that pytest collects is guarded, and its blocks run.

- `pytest` runs the blocks of `docs/` and the README and compares outputs and figures.
- `pytest --update-outputs` rewrites outputs and figures instead; it works with `-n`, too.
- `pytest docs/boxes.md` or `-k "boxes and 17"` selects pages and blocks as usual: the block whose
  fence opens on line 17 is called `docs/boxes.md::line 17`, the check of the page's fences and
  comments `docs/boxes.md::guard`.

Collecting and the marks come from pytest-codeblocks; how a block runs is told in `sandbox`, how it
is judged in `verification`, and how a page is guarded in `guard`. CONTRIBUTING.md is guarded, but
its blocks do not run.

Doctests start from `torch.manual_seed(0)`.
"""

import contextlib
import os
import random
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_codeblocks.main import extract_from_file
from pytest_codeblocks.plugin import MarkdownFile, TestBlock

from booktools.doctests.guard import problems
from booktools.doctests.recorder import PROPERTY, Recorder
from booktools.doctests.sandbox import Sandbox
from booktools.doctests.verification import BlockError, Page, start_sandbox, verify
from booktools.pages.blocks import read_blocks

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


class GuardError(Exception):
    """The problems that the guard has found in a page."""


class GuardItem(pytest.Item):
    """The check of a page's fences, comments and images."""

    def runtest(self) -> None:
        """Fail if the guard finds a problem."""
        root = self.config.rootpath
        found = problems(self.path, root, runs=self.path.name not in ONLY_GUARDED)
        name = _name(self.path, root)
        if found:
            raise GuardError("\n".join(f"{name}:{line}: {text}" for line, text in found))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show the problems and no traceback."""
        return str(excinfo.value if excinfo.errisinstance(GuardError) else excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the page."""
        return self.path, 0, f"{_name(self.path, self.config.rootpath)} guard"


class VanishedItem(pytest.Item):
    """A page that was not collected, for example because its folder is called `build`."""

    def runtest(self) -> None:
        """Fail."""
        raise GuardError(f"{self.name} is on disk, but pytest did not collect it")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show the message and no traceback."""
        return str(excinfo.value)


class BlockItem(TestBlock):  # type: ignore[misc]  # pytest-codeblocks has no types
    """A block of a page."""

    def runtest(self) -> None:
        """Run the block, judge it, and report what it printed."""
        config = self.config
        blocks = read_blocks(self.path.read_text(encoding="utf-8"))
        block = next((one for one in blocks if one.fence.line == self.obj.lineno), None)
        page = Page(self.path, _name(self.path, config.rootpath))
        if block is None:
            raise BlockError(f"{page.name}:{self.obj.lineno}: this fence is not on the page")
        folder = config._tmp_path_factory.mktemp("block")
        update = config.option.update_outputs
        fence = block.fence
        result: dict[str, Any] = {"path": str(self.path), "line": fence.line, "code": fence.code}
        self.user_properties.append((PROPERTY, result))
        sandbox = config.stash[SESSION].sandbox
        sandbox.start()  # counts for no block
        start = time.perf_counter()
        try:
            result["printed"] = verify(block, page, sandbox, folder, update)
        finally:
            result["seconds"] = time.perf_counter() - start

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show page, line and the page's own lines."""
        return str(excinfo.value if excinfo.errisinstance(BlockError) else excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name page and line."""
        name = _name(self.path, self.config.rootpath)
        return self.path, self.obj.lineno - 1, f"{name} line {self.obj.lineno}"


class PageFile(MarkdownFile):  # type: ignore[misc]
    """A Markdown file: its guard, then its blocks."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the guard first: it explains why blocks may be missing."""
        yield GuardItem.from_parent(self, name="guard")
        blocks = []
        if self.path.name not in ONLY_GUARDED:
            # What goes wrong here is what the guard says with page and line.
            with contextlib.suppress(RuntimeError, Warning):
                blocks = [one for one in extract_from_file(self.path) if one.syntax == "python"]
        self.config.stash[SESSION].pages.add(self.path)
        for block in blocks:
            item = BlockItem.from_parent(self, name=f"line {block.lineno}")
            item.obj = block
            for mark in block.marks:
                item.add_marker(eval(mark, {"sys": sys, "pytest": pytest}))
            yield item


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-outputs`."""
    parser.addoption(
        "--update-outputs", action="store_true", help="rewrite expected outputs and figures"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what this process remembers."""
    config.stash[SESSION] = Session(start_sandbox(config.option.update_outputs))
    if not hasattr(config, "workerinput"):  # not in a worker of xdist
        config.pluginmanager.register(Recorder(config), "booktools-recorder")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Put our pages in the place of those of pytest-codeblocks."""
    collectors = yield
    return [
        PageFile.from_parent(parent, path=file_path) if isinstance(one, MarkdownFile) else one
        for one in collectors
    ]


@pytest.hookimpl(trylast=True)  # after -k and -m have deselected, so that it cannot be lost
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add a failing item for each page that pytest should have collected and has not."""
    for path in _pages(session.config):
        if path not in session.config.stash[SESSION].pages:
            item = VanishedItem.from_parent(session, name=_name(path, session.config.rootpath))
            items.append(item)


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


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
