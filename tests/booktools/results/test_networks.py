import re

import pytest

from booktools.results.markdown import spread
from booktools.results.networks import parts, problems

TORTOISE = {
    "name": "tortoise",
    "image_size": 8,
    "change": "none",
    "num_parameters": 1_000,
    "multiply_adds": 2_500_000,
    "num_activations": 1_250,
    "time": {"low": 1.0, "median": 2.0, "high": 3.0},
    "learning_rate": 0.003,
    "test_right": [3, 1, 2],
    "num_test": 4,
}
WINGED = TORTOISE | {"name": "tortoise + BN", "learning_rate": 0.01, "test_right": [4, 4, 4]}
NIN = [TORTOISE | {"name": "NiN"}, WINGED | {"name": "NiN + BN"}]
RESULT = {
    "budget": {"num_train": 1_400, "num_rounds": 40},
    "networks": [TORTOISE, WINGED, *NIN],
}


def test_the_first_table_shows_costs_and_the_mean_with_its_range():
    plain, normed = spread("50.0", "25.0", "75.0"), spread("100.0", "100.0", "100.0")
    assert parts(RESULT)["costs"].strip().splitlines()[2:4] == [
        f"| tortoise | {plain} | 1,000 | 2,500,000 | 5 | 2 |",
        f"| tortoise\xa0+\xa0BN | {normed} | 1,000 | 2,500,000 | 5 | 2 |",
    ]


def test_the_second_table_shows_the_settings_with_and_without_batch_normalization():
    rows = parts(RESULT)["settings"].strip().splitlines()
    assert rows[2] == "| tortoise | 8×8 | none | 0.003 | 0.01 |"  # noqa: RUF001


def test_the_data_of_the_plot_are_python():
    data = eval(f"{{{parts(RESULT)['plot']}}}")
    assert data["tortoise"] == (2_500_000, [3, 1, 2])
    assert data["tortoise + BN"] == (2_500_000, [4, 4, 4])


def test_a_sentence_can_name_each_accuracy():
    found = parts(RESULT)
    assert [found[f"tortoise {which}"] for which in ("mean", "low", "high")] == [
        *("50.0", "25.0", "75.0")
    ]
    assert found["NiN gain"] == "50"
    assert found["tortoise time"] == "2"
    assert found["training digits"] == "1,400"


def test_the_stored_result_agrees_with_itself(stored):
    assert list(problems(stored("networks"))) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("networks/0/validation_right/0.003", 196, "MLP must choose 0.003, the best"),
        ("networks/1/learning_rate", 0.01, "LeNet must choose 0.003, the best"),
        ("networks/1/validation_right", {"0.003": 9}, "LeNet must have a validation for each of"),
        ("networks/2/validation_right/0.0003", 201, r"validation_right must lie in \[0, 200\]"),
        (
            "networks/2/test_right/0",
            398,
            r"LeNet \+ BN: test_right must lie in \[0, 397\], got 398",
        ),
        (
            "networks/2/num_test",
            396,
            r"LeNet \+ BN: num_test must be that of all networks, got 396",
        ),
        ("networks/1/time/median", 1.1, r"LeNet: time must lie in \[1, 1\], got 1.1"),
        ("networks/3/time/median", 2.1, "AlexNet: median time must lie in"),
        ("budget/seeds", [0, 1], "MLP: test_right must have 2 entries, got 5"),
        ("budget/learning_rates", [0.1], "MLP must have a validation for each of"),
        ("budget/num_validation", 100, r"MLP: validation_right must lie in \[0, 100\]"),
    ],
)
def test_numbers_that_contradict_each_other_are_found(altered, path, value, problem):
    found = list(problems(altered("networks", path, value)))
    assert any(re.search(problem, one) for one in found), found


def test_what_the_page_says_in_words_is_true(stored):
    means = {}
    for one in stored("networks")["networks"]:
        means[one["name"]] = 100 * sum(one["test_right"]) / 5 / one["num_test"]
    gains = {name: means[name + " + BN"] - means[name] for name in means if name + " + BN" in means}
    assert max(gains, key=gains.__getitem__) == "NiN"
    assert all(0.5 < gain < 2.5 for name, gain in gains.items() if name != "NiN")
    networks = {one["name"]: one for one in stored("networks")["networks"]}
    lenet, vgg = networks["LeNet + BN"], networks["VGG-11 + BN"]
    assert lenet["multiply_adds"] < vgg["multiply_adds"] / 6
    assert lenet["time"]["median"] < vgg["time"]["median"] / 2.9
    five = [lenet, vgg, *(networks[name] for name in ("AlexNet + BN", "NiN + BN", "ResNet-18"))]
    assert all(94.5 < means[one["name"]] < 96 for one in five)
    assert max(min(one["test_right"]) for one in five) <= min(
        max(one["test_right"]) for one in five
    )
    assert max(networks, key=lambda name: networks[name]["time"]["median"]).startswith("GoogLeNet")
