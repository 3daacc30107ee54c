"""The comparison of the detectors trains fairly, and the page shows what it has measured."""

import json
import sys
from dataclasses import asdict, replace

import compare_detectors
import pytest
import torch
from compare_detectors import CONTESTANTS, QUICK, Budget

PAGE = compare_detectors.RESULT.with_name("yolo.md")
RESULT = {
    "versions": "Snail 1.0",
    "device": "a shell",
    "detectors": [
        {
            "name": "tortoise",
            "num_parameters": 1_000,
            "multiply_adds": 2_500_000,
            "learning_rate": 0.003,
            "test": [[0.1, 0.5], [0.2, 0.6], [0.3, 0.7]],
            "overlap": [[0.9, 0.25], [0.9, 0.25], [0.9, 0.25]],
        }
    ],
}


@pytest.fixture(scope="module")
def stored():
    return json.loads(compare_detectors.RESULT.read_text(encoding="utf-8"))


def test_the_table_shows_the_last_epoch_with_its_range():
    row = compare_detectors.render_table(RESULT).splitlines()[2]
    last = "0.60 (0.50 to 0.70) | 0.25 (0.25 to 0.25)"
    assert row == f"| tortoise | 1,000 | 2,500,000 | 0.003 | {last} |"


def test_the_numbers_of_the_plot_are_python():
    lines = compare_detectors.render_curves(RESULT)
    assert eval(f"{{{lines}}}") == {"tortoise": RESULT["detectors"][0]["test"]}


def test_both_detectors_do_almost_the_same_work():
    ssd, yolo = (compare_detectors.count_costs(one)["multiply_adds"] for one in CONTESTANTS)
    assert yolo == pytest.approx(ssd, rel=0.05)


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda one: one.name)
def test_a_seed_trains_the_same_detector_twice_and_another_seed_another(contestant):
    data, tests = compare_detectors.draw(8, seed=0), {"test": compare_detectors.draw(4, seed=1)}
    budget = replace(QUICK, batch_size=4)
    weights = []
    for seed in (0, 0, 1):
        model, curves = compare_detectors.train(contestant, data, tests, 0.003, seed, budget)
        assert len(curves["test"]) == budget.num_epochs
        weights.append(torch.cat([x.flatten() for x in model.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_learning_rate_is_chosen_on_images_of_its_own(monkeypatch):
    seen = []

    def train(contestant, data, tests, rate, seed, budget):
        seen.append((tuple(tests), rate, seed))
        quality = {0.1: 0.3, 0.2: 0.9, 0.3: 0.5}[rate]
        return None, {name: [quality] for name in tests}

    monkeypatch.setattr(compare_detectors, "train", train)
    budget = replace(QUICK, learning_rates=(0.1, 0.2, 0.3), seeds=(4, 5))
    result = compare_detectors.compare_precision(CONTESTANTS[0], budget)
    assert result["learning_rate"] == 0.2
    assert seen[:3] == [(("validation",), rate, budget.seed_of_choice) for rate in (0.1, 0.2, 0.3)]
    assert seen[3:] == [(("test", "overlap"), 0.2, seed) for seed in (4, 5)]


def test_images_for_training_choice_and_test_differ():
    first, second = (compare_detectors.draw(2, seed=seed) for seed in (0, 1))
    assert not torch.equal(first.images, second.images)
    assert torch.equal(first.images, compare_detectors.draw(2, seed=0).images)


def test_a_quick_run_writes_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["compare_detectors.py", "--quick"])
    monkeypatch.setattr(compare_detectors, "RESULT", tmp_path / "compared.json")
    compare_detectors.main()
    assert "| TinyYOLO |" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_full_run_writes_its_result(monkeypatch, tmp_path):
    path = tmp_path / "compared.json"
    monkeypatch.setattr(sys, "argv", ["compare_detectors.py"])
    monkeypatch.setattr(compare_detectors, "RESULT", path)
    monkeypatch.setattr(compare_detectors, "compare", lambda budget: RESULT)
    compare_detectors.main()
    assert json.loads(path.read_text(encoding="utf-8")) == RESULT


def test_the_stored_result_is_that_of_todays_program(stored):
    assert stored["command"] == "python snippets/compare_detectors.py"
    assert stored["budget"] == json.loads(json.dumps(asdict(Budget())))
    for contestant, detector in zip(CONTESTANTS, stored["detectors"], strict=True):
        assert detector["name"] == contestant.name
        assert detector.items() >= compare_detectors.count_costs(contestant).items()
        assert len(detector["test"]) == len(stored["budget"]["seeds"])


def test_the_page_shows_the_stored_result(stored):
    page = PAGE.read_text(encoding="utf-8")
    assert compare_detectors.render_table(stored) in page
    assert compare_detectors.render_curves(stored) in page
