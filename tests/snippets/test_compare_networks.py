"""The comparison of the networks trains fairly, and the page shows what it has measured."""

import json
import sys
from dataclasses import replace

import compare_networks
import pytest
import torch
from compare_networks import CONTESTANTS, QUICK, Contestant, count_costs, with_batch_norm
from torch import nn

from notes.models.googlenet import googlenet

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
RESULT = {"versions": "Snail 1.0", "device": "a shell", "networks": [TORTOISE, WINGED]}


@pytest.fixture(scope="module")
def stored():
    return json.loads((compare_networks.PAGES / "compared.json").read_text(encoding="utf-8"))


@pytest.fixture
def tiny():
    return Contestant("tiny", 8, "none", lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))


def test_the_first_table_shows_costs_and_the_mean_with_its_range():
    first, _, _ = compare_networks.render_tables(RESULT).split("\n\n")
    assert first.replace("\xa0", " ").replace("\u2060", "").splitlines()[2:] == [
        "| tortoise | 50.0 (25.0–75.0) | 1,000 | 2,500,000 | 5 | 2 |",  # noqa: RUF001
        "| tortoise + BN | 100.0 (100.0–100.0) | 1,000 | 2,500,000 | 5 | 2 |",  # noqa: RUF001
    ]


def test_no_line_ends_inside_a_name_or_a_range():
    cells = compare_networks.render_tables(RESULT).splitlines()[3].split(" | ")
    assert cells[0] == "| tortoise\xa0+\xa0BN"
    assert cells[1] == "100.0\xa0(100.0\u2060–\u2060100.0)"  # noqa: RUF001


def test_the_second_table_shows_the_settings_with_and_without_batch_normalization():
    _, origin, second = compare_networks.render_tables(RESULT).split("\n\n")
    assert origin == "With Snail 1.0, on a shell."
    assert second.splitlines()[2:] == ["| tortoise | 8×8 | none | 0.003 | 0.01 |"]  # noqa: RUF001


def test_the_numbers_of_the_plot_are_python():
    lines = compare_networks.render_numbers(RESULT)
    expected = {"tortoise": (2_500_000, [3, 1, 2]), "tortoise + BN": (2_500_000, [4, 4, 4])}
    assert eval(f"{{{lines}}}") == expected


def test_every_convolution_gets_a_batch_normalization_and_nothing_else_changes():
    torch.manual_seed(0)
    plain = googlenet(width=0.1).eval()
    torch.manual_seed(0)
    normed = with_batch_norm(googlenet(width=0.1)).eval()
    convs = [layer for layer in plain.modules() if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in normed.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [norm.num_features for norm in norms] == [conv.out_channels for conv in convs]
    for norm in norms:
        norm.eps = 0.0  # so that a new one changes nothing in evaluation mode
    images = torch.rand(2, 1, 64, 64)
    torch.testing.assert_close(normed(images), plain(images))


def test_a_seed_trains_the_same_network_twice_and_another_seed_another(tiny):
    images, labels = torch.rand(60, 1, 8, 8), torch.arange(60) % 10
    weights = [
        compare_networks.train(tiny, images, labels, 0.01, seed, QUICK)[1].weight
        for seed in (0, 0, 1)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_learning_rate_is_chosen_without_the_test_digits(tiny, monkeypatch):
    learned, judged = [], []
    train = compare_networks.train

    def noted_train(contestant, images, *args):
        learned.append(len(images))
        return train(contestant, images, *args)

    def count_right(model, images, labels):
        judged.append(len(labels))
        return [10, 15, 300, 301][len(judged) - 1]  # of the two rates the second is better

    monkeypatch.setattr(compare_networks, "train", noted_train)
    monkeypatch.setattr(compare_networks, "count_right", count_right)
    budget = replace(QUICK, learning_rates=(0.003, 0.01), seeds=(0, 1))
    result = compare_networks.compare_accuracy(tiny, budget)
    assert learned == [20, 20, 40, 40]
    assert judged == [20, 20, 397, 397]
    assert result["validation_right"] == {"0.003": 10, "0.01": 15}
    assert result["learning_rate"] == 0.01
    assert result["test_right"] == [300, 301]


def test_of_equally_good_learning_rates_the_smallest_is_chosen(tiny, monkeypatch):
    monkeypatch.setattr(compare_networks, "count_right", lambda *args: 10)
    budget = replace(QUICK, learning_rates=(0.003, 0.01))
    assert compare_networks.compare_accuracy(tiny, budget)["learning_rate"] == 0.003


def test_the_reference_takes_exactly_once_its_own_time():
    times = compare_networks.compare_times(num_rounds=2, batch_size=2)
    assert list(times) == [contestant.name for contestant in CONTESTANTS]
    assert times["LeNet"] == {"low": 1.0, "median": 1.0, "high": 1.0}
    assert all(0 < x["low"] <= x["median"] <= x["high"] for x in times.values())


def test_the_quick_run_shows_every_network_and_writes_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare_networks.py", "--quick"])
    monkeypatch.setattr(compare_networks, "PAGES", None)  # no place to write to
    compare_networks.main()
    shown = capsys.readouterr().out
    assert [x.name for x in CONTESTANTS if f"{x.name} ..." not in shown] == []
    assert "| network | accuracy, % |" in shown


def test_the_full_run_writes_the_result_and_the_page(monkeypatch, tmp_path, capsys):
    begin, end = compare_networks.TABLES
    page = f"words\n{begin}\n{end}\nresults = {{\n}}\nwords\n"
    (tmp_path / "compared.md").write_text(page, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["compare_networks.py"])
    monkeypatch.setattr(compare_networks, "PAGES", tmp_path)
    monkeypatch.setattr(compare_networks, "compare", lambda budget: RESULT)
    compare_networks.main()
    written = (tmp_path / "compared.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "compared.json").read_text(encoding="utf-8")) == RESULT
    assert compare_networks.render_tables(RESULT) in written
    assert 'results = {\n    "tortoise": (2500000, [3, 1, 2]),\n' in written
    assert written.endswith("}\nwords\n")


def test_the_page_shows_the_result_that_is_kept(stored):
    page = (compare_networks.PAGES / "compared.md").read_text(encoding="utf-8")
    assert compare_networks.write_page(page, stored) == page


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda contestant: contestant.name)
def test_the_costs_that_are_kept_are_those_of_today(contestant, stored):
    (kept,) = (x for x in stored["networks"] if x["name"] == contestant.name)
    now = {
        "image_size": contestant.image_size,
        "change": contestant.change,
        **count_costs(contestant),
    }
    assert {name: kept[name] for name in now} == now


def test_the_result_that_is_kept_comes_from_the_whole_budget(stored):
    budget = compare_networks.Budget()
    kept = stored["budget"]
    assert kept == json.loads(json.dumps(compare_networks.asdict(budget)))
    for network in stored["networks"]:
        assert len(network["test_right"]) == len(budget.seeds)
        assert list(network["validation_right"]) == [str(x) for x in budget.learning_rates]
        right = network["validation_right"]
        assert right[str(network["learning_rate"])] == max(right.values())
