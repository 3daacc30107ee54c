import re

import pytest

from booktools.results.markdown import spread
from booktools.results.speed import parts, problems

TORTOISE = {
    "name": "tortoise",
    "own": {"median": 1234.5, "low": 900.0, "high": 2000.0},
    "compared": None,
    "goal": "",
    "judged": "",
}
HARE = {
    "name": "hare",
    "own": {"median": 12.34, "low": 1.5, "high": 100.4},
    "compared": {"median": 100.0, "low": 99.0, "high": 101.0},
    "goal": "at least 200",
    "judged": "compared",
}
TABLE = {
    "title": "A race",
    "setting": "On foot.",
    "own": "minutes",
    "compared": "times as fast",
    "rows": [TORTOISE, HARE],
    "note": "",
}


def test_each_table_has_its_heading_and_shows_medians_spreads_and_verdicts():
    heading, setting, table = parts({"tables": [TABLE]})["tables"].strip().split("\n\n")
    assert (heading, setting) == ("### A race", "On foot.")
    hare = f"{spread('12.3', '1.50', '100')} | {spread('100', '99.0', '101')}"
    assert table.splitlines() == [
        "| what | minutes | times as fast | goal |",
        "|---|--:|--:|---|",
        f"| tortoise | {spread('1,234', '900', '2,000')} |  |  |",
        f"| hare | {hare} | at least 200: missed |",
    ]


def test_a_note_follows_its_table():
    text = parts({"tables": [TABLE | {"note": "They slept."}, TABLE]})["tables"]
    assert "missed |\n\nThey slept.\n\n### A race" in text


@pytest.mark.parametrize(
    ("goal", "judged", "verdict"),
    [
        ("at least 100", "compared", "met"),
        ("at least 100.5", "compared", "missed"),
        ("at most 100", "compared", "met"),
        ("at most 12.3", "own", "missed"),
        ("at most 12.34", "own", "met"),
    ],
)
def test_a_goal_is_judged_by_the_median_of_its_column(goal, judged, verdict):
    row = HARE | {"goal": goal, "judged": judged}
    assert f"| {goal}: {verdict} |" in parts({"tables": [TABLE | {"rows": [row]}]})["tables"]


def test_a_sentence_can_name_the_goal_of_a_table_that_has_one():
    assert parts({"tables": [TABLE]})["A race: goal"] == "at least 200"
    rows = [HARE, HARE | {"goal": "at most 3"}]
    assert "A race: goal" not in parts({"tables": [TABLE | {"rows": rows}]})


@pytest.mark.parametrize("name", ["speed", "readable-to-fast"])
def test_the_stored_results_agree_with_themselves(stored, name):
    assert list(problems(stored(name))) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("tables/0/rows/0/own/median", 999.0, r"bare loop, measures nothing must lie in \[17"),
        ("tables/0/rows/1/compared/low", 41.5, r"loss and accuracy must lie in \[41.5, 4"),
        ("tables/0/rows/1/judged", "", "accuracy must say by what its goal is judged, got ''"),
        ("tables/0/rows/0/judged", "own", "nothing must say by what its goal is judged, got 'own'"),
    ],
)
def test_numbers_that_contradict_each_other_are_found(altered, path, value, problem):
    found = list(problems(altered("speed", path, value)))
    assert any(re.search(problem, one) for one in found), found
