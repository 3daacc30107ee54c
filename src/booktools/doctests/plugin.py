"""The pytest plugin: every Markdown file that pytest collects is guarded, and its blocks run.

- `pytest` runs the blocks of `docs/` and the README and compares outputs and figures.
- `pytest --update-outputs` rewrites outputs and figures instead; it works with `-n`, too.
- `pytest --fresh` gives each block a new interpreter, which takes some seconds for each.
- `pytest docs/boxes.md` or `-k "boxes and 17"` selects pages and blocks as usual: the block whose
  fence opens on line 17 is called `docs/boxes.md::line 17`, the check of the page's fences and
  comments `docs/boxes.md::guard`.

How a block runs is told in `worker`, how it is judged in `verification`, and how a page is guarded
in `guard`. CONTRIBUTING.md is guarded, but its blocks do not run.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from booktools.doctests.guard import problems
from booktools.doctests.recorder import PROPERTY, Recorder, name_of
from booktools.doctests.sandbox import Sandbox
from booktools.doctests.verification import PageError, start_sandbox, verify
from booktools.pages.blocks import Block, read_blocks

ONLY_GUARDED = {"CONTRIBUTING.md"}
SANDBOX = pytest.StashKey[Sandbox]()  # where the blocks of this process run


class PageItem(pytest.Item):
    """A test of a page; its message needs no traceback of ours."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show page, line and the page's own lines."""
        return str(excinfo.value if excinfo.errisinstance(PageError) else excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name page and test."""
        return self.path, 0, f"{name_of(self.path, self.config)} {self.name}"


class GuardItem(PageItem):
    """The check of a page's fences, comments and images."""

    def runtest(self) -> None:
        """Fail if the guard finds a problem."""
        name, runs = name_of(self.path, self.config), self.path.name not in ONLY_GUARDED
        if found := problems(self.path, self.config.rootpath, runs=runs):
            raise PageError("\n".join(f"{name}:{line}: {message}" for line, message in found))


class BlockItem(PageItem):
    """A block of a page."""

    block: Block

    def runtest(self) -> None:
        """Run the block, judge it, and report what it printed."""
        config: Any = self.config
        folder = config._tmp_path_factory.mktemp("block")
        name, update = name_of(self.path, config), config.option.update_outputs
        printed = verify(self.block, self.path, name, config.stash[SANDBOX], folder, update)
        fence = self.block.fence
        self.user_properties.append((PROPERTY, [str(self.path), fence.line, fence.code, printed]))


class PageFile(pytest.File):
    """A Markdown file: its guard, then its blocks."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read the page, once; the guard is the first: it explains why blocks may be missing."""
        yield GuardItem.from_parent(self, name="guard")
        with contextlib.suppress(ValueError):  # which the guard reports with its line
            for block in read_blocks(self.path.read_text(encoding="utf-8")):
                if self.path.name not in ONLY_GUARDED:
                    item = BlockItem.from_parent(self, name=f"line {block.fence.line}")
                    item.block = block
                    yield item


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-outputs` and `--fresh`."""
    for name, text in (
        ("--update-outputs", "rewrite expected outputs and figures"),
        ("--fresh", "run each block of a page in a new interpreter"),
    ):
        parser.addoption(name, action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what this process remembers."""
    config.stash[SANDBOX] = start_sandbox(config.option.update_outputs, config.option.fresh)
    if not hasattr(config, "workerinput"):  # not in a worker of xdist
        config.pluginmanager.register(Recorder(config), "booktools-recorder")


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over no page, as pytest would do in a folder that is called `build` or `dist`."""
    pages = config.rootpath / "docs"
    hidden = any(part.startswith(".") for part in collection_path.parts[len(pages.parts) :])
    return False if collection_path.is_relative_to(pages) and not hidden else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect every Markdown file."""
    return PageFile.from_parent(parent, path=file_path) if file_path.suffix == ".md" else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the sandbox of this process."""
    session.config.stash[SANDBOX].close()
