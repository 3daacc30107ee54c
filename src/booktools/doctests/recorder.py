"""Gather what became of the blocks, refresh the pages, and sum the run up.

Reports travel from the workers of xdist to the controller by themselves, and each carries the
result of its block. So only the controller writes pages, and any way of spreading the blocks will
do.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from booktools.doctests.refresh import refresh

PROPERTY = "booktools"  # the name under which a report carries the result of its block
NUM_SLOWEST = 5


class Recorder:
    """A plugin for the process that the user started.

    Attributes:
        results: For each block that ran: path, line, code, seconds and, if it passed, its output.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.results: list[dict[str, Any]] = []
        self.refreshed: list[Path] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result of a block out of its report."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, dict) and report.when == "call":
                self.results.append(value)

    def pytest_sessionfinish(self) -> None:
        """Rewrite the pages of the blocks that passed."""
        if not self.config.option.update_outputs:
            return
        pages: dict[Path, dict[int, tuple[str, str]]] = defaultdict(dict)
        for result in self.results:
            if "printed" in result:
                pages[Path(result["path"])][result["line"]] = (result["code"], result["printed"])
        self.refreshed = [path for path, outputs in sorted(pages.items()) if refresh(path, outputs)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many blocks ran, for how long, and which took longest."""
        if not self.results:
            return
        num_pages = len({result["path"] for result in self.results})
        seconds = sum(result["seconds"] for result in self.results)
        terminalreporter.section("blocks")
        terminalreporter.write_line(
            f"{len(self.results)} blocks ran on {num_pages} pages in {seconds:.1f} s; the slowest:"
        )
        slowest = sorted(self.results, key=lambda result: -float(result["seconds"]))[:NUM_SLOWEST]
        for result in slowest:
            name = name_of(Path(result["path"]), self.config.rootpath)
            terminalreporter.write_line(f"{result['seconds']:6.1f} s  {name}:{result['line']}")
        for path in self.refreshed:
            terminalreporter.write_line(f"refreshed {name_of(path, self.config.rootpath)}")


def name_of(path: Path, root: Path) -> str:
    """How messages name a page: from the root of the repository, if it lies in it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
