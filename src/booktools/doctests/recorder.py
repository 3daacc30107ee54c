"""Gather what the blocks have printed, and refresh the pages.

Reports travel from the workers of xdist to the controller by themselves, and each carries the
output of its block. So only the controller writes pages, and any way of spreading the blocks will
do.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from booktools.doctests.refresh import refresh

PROPERTY = "booktools"  # the name under which a report carries path, line, code and output


class Recorder:
    """A plugin for the process that the user started."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outputs: dict[Path, dict[int, tuple[str, str]]] = defaultdict(dict)
        self.refreshed: list[Path] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the output of a block that has passed out of its report."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, list) and report.when == "call":
                path, line, code, printed = value
                self.outputs[Path(path)][line] = (code, printed)

    def pytest_sessionfinish(self) -> None:
        """Rewrite the pages of these blocks."""
        if self.config.option.update_outputs:
            pages = sorted(self.outputs.items())
            self.refreshed = [path for path, outputs in pages if refresh(path, outputs)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the pages that have changed."""
        for path in self.refreshed:
            terminalreporter.write_line(f"refreshed {name_of(path, self.config)}")


def name_of(path: Path, config: pytest.Config) -> str:
    """How messages name a page: from the root of the project, if it lies in it."""
    root = config.rootpath
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
