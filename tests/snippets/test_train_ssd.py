"""The program runs, and what it has stored is what the page shows."""

import importlib
import json
from pathlib import Path

import pytest

from booktools.figures import distance

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "docs" / "detection"


@pytest.fixture
def ssd_figures(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "snippets"))
    return importlib.import_module("ssd_figures")


@pytest.fixture
def program(monkeypatch, ssd_figures):
    """Runs the program with these arguments."""
    train_ssd = importlib.import_module("train_ssd")

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["train_ssd.py", *map(str, arguments)])
        train_ssd.main()

    return run


@pytest.fixture
def stored():
    return json.loads((CHAPTER / "ssd.json").read_text(encoding="utf-8"))


def test_a_quick_run_trains_measures_and_draws(program, tmp_path, capsys):
    program("--quick", "--folder", tmp_path)
    result = json.loads((tmp_path / "ssd.json").read_text(encoding="utf-8"))
    (run,) = result["runs"]
    assert run["history"]["train_classes"][1] < run["history"]["train_classes"][0]
    assert str(tmp_path) not in json.dumps(result)
    assert sorted(path.name for path in (tmp_path / "stored").iterdir()) == sorted(
        path.name for path in (CHAPTER / "stored").glob("ssd-*.png")
    )
    assert capsys.readouterr().out.startswith("| seed | AP at 0.5 |")


def test_a_finished_run_is_not_trained_again(program, tmp_path):
    program("--quick", "--folder", tmp_path)
    first = json.loads((tmp_path / "ssd.json").read_text(encoding="utf-8"))
    program("--quick", "--folder", tmp_path, "--resume")
    second = json.loads((tmp_path / "ssd.json").read_text(encoding="utf-8"))
    assert second["runs"] == first["runs"]


def test_the_stored_result_is_good_enough(stored):
    assert len(stored["runs"]) == 3
    assert all(run["average_precision"]["test"] > 0.9 for run in stored["runs"])
    assert all(sum(run["history"]["processor_seconds"]) < 600 for run in stored["runs"])


def test_the_page_shows_the_stored_numbers(stored, ssd_figures):
    page = (CHAPTER / "ssd.md").read_text(encoding="utf-8")
    assert ssd_figures.table(stored["runs"]) in page
    losses = stored["runs"][:1] + stored["other_losses"]
    assert ssd_figures.table(losses, column="loss") in page


def test_the_stored_figures_are_drawn_from_the_stored_numbers(stored, ssd_figures, tmp_path):
    ssd_figures.save(stored, tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert distance(path, CHAPTER / "stored" / path.name) < 2, path.name
