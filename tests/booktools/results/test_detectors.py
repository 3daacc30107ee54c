import re

import pytest

from booktools.results.detectors import parts, problems
from booktools.results.markdown import spread

RESULT = {
    "budget": {"num_train": 100, "num_epochs": 2, "batch_size": 32},
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


def test_the_table_shows_the_last_epoch_with_its_range():
    row = parts(RESULT)["table"].strip().splitlines()[2]
    last = f"{spread('0.60', '0.50', '0.70')} | {spread('0.25', '0.25', '0.25')}"
    assert row == f"| tortoise | 1,000 | 2,500,000 | 0.003 | {last} |"


def test_the_data_of_the_plot_are_python():
    data = eval(f"{{{parts(RESULT)['plot']}}}")
    assert data == {"tortoise": RESULT["detectors"][0]["test"]}


def test_steps_count_a_last_batch_that_is_not_full():
    assert parts(RESULT)["steps"] == "8"


def test_the_stored_result_agrees_with_itself(stored):
    assert list(problems(stored("detectors"))) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("detectors/0/validation/0.003", 0.73, "TinySSD must choose 0.003, the best in valida"),
        ("detectors/0/learning_rate", 0.03, "TinySSD must choose 0.01, the best in validation"),
        ("detectors/0/validation/0.01", 7.29, r"TinySSD: validation must lie in \[0, 1\]"),
        ("detectors/0/validation", {"0.01": 0.7}, "TinySSD must have a validation for each"),
        ("detectors/1/test/0", [0.5], "TinyYOLO: test must have 4 entries, got 1"),
        ("detectors/1/overlap/2/3", 4.67, r"TinyYOLO: overlap must lie in \[0, 1\], got 4.67"),
        ("budget/seeds", [0], "TinySSD: test must have 1 entries, got 3"),
        ("budget/num_epochs", 5, "TinySSD: test must have 5 entries, got 4"),
        ("budget/learning_rates", [0.1], "TinySSD must have a validation for each"),
    ],
)
def test_numbers_that_contradict_each_other_are_found(altered, path, value, problem):
    found = list(problems(altered("detectors", path, value)))
    assert any(re.search(problem, one) for one in found), found


def test_what_the_page_says_in_words_is_true(stored):
    ssd, yolo = stored("detectors")["detectors"]
    for epoch in (1, 2, 3):
        worst = min(curve[epoch] for curve in yolo["test"])
        assert worst > max(curve[epoch] for curve in ssd["test"])
    for one in (ssd, yolo):
        pairs = zip(one["test"], one["overlap"], strict=True)
        assert all(hard[-1] < 0.6 * plain[-1] for plain, hard in pairs)
