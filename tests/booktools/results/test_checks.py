import pytest

from booktools.results.checks import as_many, best_rate, within

SCORES = {"0.1": 3, "0.2": 5, "0.3": 5}


@pytest.mark.parametrize(("chosen", "is_right"), [(0.1, False), (0.2, True), (0.3, False)])
def test_of_equally_good_rates_the_first_is_right(chosen, is_right):
    found = list(best_rate("hare", SCORES, [0.1, 0.2, 0.3], chosen))
    wrong = [f"hare must choose 0.2, the best in validation, got {chosen}"]
    assert found == ([] if is_right else wrong)


def test_a_rate_without_a_score_is_a_problem():
    assert list(best_rate("hare", SCORES, [0.1, 0.2, 0.3, 0.4], 0.2)) == [
        "hare must have a validation for each of [0.1, 0.2, 0.3, 0.4], got ['0.1', '0.2', '0.3']"
    ]


def test_a_list_of_another_length_is_a_problem():
    assert list(as_many("legs", [1, 2], 2)) == []
    assert list(as_many("legs", [1, 2], 4)) == ["legs must have 4 entries, got 2"]


def test_each_value_outside_of_the_interval_is_a_problem():
    assert list(within("share", [0, 0.5, 1], 0, 1)) == []
    assert list(within("share", [-1, 0.5, 2, float("nan")], 0, 1)) == [
        "share must lie in [0, 1], got -1",
        "share must lie in [0, 1], got 2",
        "share must lie in [0, 1], got nan",
    ]
