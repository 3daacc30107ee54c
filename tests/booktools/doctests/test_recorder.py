from pathlib import Path
from types import SimpleNamespace

import pytest

from booktools.doctests.recorder import PROPERTY, Recorder, name_of

PAGE = "```python\nprint(1)\n```\n"


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "docs" / "page.md"
    path.parent.mkdir()
    path.write_text(PAGE, encoding="utf-8")
    return path


def finish(page, update, **report):
    """Send one report to a recorder, end the run, and return what the summary says."""
    options = SimpleNamespace(update_outputs=update)
    recorder = Recorder(SimpleNamespace(option=options, rootpath=page.parents[1]))
    result = (PROPERTY, [str(page), 1, "print(1)\n", "1\n"])
    report = {"user_properties": [("other", 1), result], "when": "call"} | report
    recorder.pytest_runtest_logreport(SimpleNamespace(**report))
    recorder.pytest_sessionfinish()
    lines = []
    recorder.pytest_terminal_summary(SimpleNamespace(write_line=lines.append))
    return lines


def test_what_a_block_has_printed_is_written_into_its_page_and_told(page):
    assert finish(page, update=True) == ["refreshed docs/page.md"]
    assert page.read_text(encoding="utf-8").endswith("```text\n1\n```\n")


def test_a_page_that_is_right_is_neither_written_nor_told(page):
    finish(page, update=True)
    before = page.stat().st_mtime_ns
    assert finish(page, update=True) == []
    assert page.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("update", "report"),
    [
        pytest.param(False, {}, id="a run that only checks"),
        pytest.param(True, {"user_properties": []}, id="a block that has failed"),
        pytest.param(True, {"when": "teardown"}, id="another phase"),
    ],
)
def test_nothing_else_changes_a_page(page, update, report):
    assert finish(page, update, **report) == []
    assert page.read_text(encoding="utf-8") == PAGE


def test_a_page_outside_of_the_project_keeps_its_whole_name(tmp_path):
    config = SimpleNamespace(rootpath=tmp_path / "project")
    assert name_of(tmp_path / "project" / "README.md", config) == "README.md"
    assert Path(name_of(tmp_path / "other.md", config)) == tmp_path / "other.md"
