"""The program runs, and what it has stored is what the page shows."""

import importlib
import json
from pathlib import Path

import pytest

from booktools.doctests.figures import distance

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "docs" / "detection"


@pytest.fixture
def ssd_figures(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "snippets"))
    return importlib.import_module("ssd_figures")


@pytest.fixture
def train_ssd(monkeypatch, ssd_figures):
    """The program, called with --quick; it draws one figure, since all take seconds."""
    monkeypatch.setattr(ssd_figures, "FIGURES", {"curves": ssd_figures.draw_curves})
    monkeypatch.setattr("sys.argv", ["train_ssd.py", "--quick"])
    return importlib.import_module("train_ssd")


@pytest.fixture
def stored():
    return json.loads((CHAPTER / "ssd.json").read_text(encoding="utf-8"))


def test_a_quick_run_trains_measures_and_draws(train_ssd, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("sys.argv", ["train_ssd.py", "--quick", "--folder", str(tmp_path)])
    train_ssd.main()
    result = json.loads((tmp_path / "ssd.json").read_text(encoding="utf-8"))
    (run,) = result["runs"]
    assert run["history"]["train_classes"][1] < run["history"]["train_classes"][0]
    assert result["command"] == "python snippets/train_ssd.py --quick"
    figures = {"ssd-curves.png", "ssd-curves.dark.png"}
    assert {path.name for path in (tmp_path / "stored").iterdir()} == figures
    assert capsys.readouterr().out.startswith("| measured | seed 0 |")


def test_an_interrupted_training_goes_on_to_the_same_result(train_ssd, monkeypatch, tmp_path):
    options = train_ssd.parse()
    whole = train_ssd.train(0, "notes", options, tmp_path)
    (tmp_path / "ssd-notes-0.pt").unlink()

    def interrupt(*_, epoch, **__):
        keep(*_, epoch=epoch, **__)
        if epoch == 1:
            raise KeyboardInterrupt

    keep = train_ssd.save_checkpoint
    monkeypatch.setattr(train_ssd, "save_checkpoint", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_ssd.train(0, "notes", options, tmp_path)
    options.resume = True
    parts = train_ssd.train(0, "notes", options, tmp_path)
    for name in ("train_classes", "test_boxes", "average_precision"):
        assert whole["history"][name] == parts["history"][name]


def test_the_stored_result_is_good_enough(stored):
    assert len(stored["runs"]) == 3
    assert all(run["average_precision"]["test"] > 0.9 for run in stored["runs"])
    assert all(sum(run["history"]["processor_seconds"]) < 600 for run in stored["runs"])


def test_the_page_shows_the_stored_numbers(stored, ssd_figures):
    page = (CHAPTER / "ssd.md").read_text(encoding="utf-8")
    assert ssd_figures.table(stored["runs"]) in page
    losses = stored["runs"][:1] + stored["other_losses"]
    assert ssd_figures.table(losses, column="loss") in page
    slow = stored["float32"]
    minutes = sum(slow["history"]["processor_seconds"]) / 60
    assert f"{slow['average_precision']['test']:.3f} and takes {minutes:.1f} minutes" in page
    for loss, count in [("paper", 48), ("all negatives", 174), ("notes", 142)]:
        (run,) = (run for run in losses if run["loss"] == loss)
        assert run["mistakes"]["missed"] == count
        assert str(count) in page


def test_the_stored_figures_are_drawn_from_the_stored_numbers(stored, ssd_figures, tmp_path):
    ssd_figures.save(stored, tmp_path)
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == sorted(path.name for path in (CHAPTER / "stored").glob("ssd-*.png"))
    for path in sorted(tmp_path.iterdir()):
        assert distance(path, CHAPTER / "stored" / path.name) < 2, path.name
