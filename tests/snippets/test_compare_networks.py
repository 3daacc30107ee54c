"""The comparison of the networks trains fairly."""

import json
from dataclasses import asdict, replace

import compare_networks
import pytest
import torch
from compare_networks import CONTESTANTS, QUICK, Contestant, count_costs, with_batch_norm
from torch import nn

from notes.models.googlenet import googlenet


@pytest.fixture
def tiny():
    return Contestant("tiny", 8, "none", lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))


def test_every_convolution_gets_a_batch_normalization_and_nothing_else_changes():
    torch.manual_seed(0)
    plain = googlenet(width=0.1).eval()
    torch.manual_seed(0)
    normed = with_batch_norm(lambda: googlenet(width=0.1)).eval()
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
        compare_networks.train(tiny.build, images, labels, 0.01, seed, QUICK)[1].weight
        for seed in (0, 0, 1)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_learning_rate_is_chosen_without_the_test_digits(tiny, monkeypatch):
    learned, judged = [], []
    train = compare_networks.train

    def noted_train(build, images, *args):
        learned.append(len(images))
        return train(build, images, *args)

    def count_right(model, images, labels):
        judged.append(len(labels))
        return [10, 15, 300, 301][len(judged) - 1]  # of the two rates the second is better

    monkeypatch.setattr(compare_networks, "train", noted_train)
    monkeypatch.setattr(compare_networks, "count_right", count_right)
    budget = replace(QUICK, learning_rates=(0.003, 0.01), seeds=(0, 1))
    result = compare_networks.compare_accuracy(tiny, budget)
    assert learned == [20, 20, 40, 40]
    assert judged == [20, 20, 397, 397]
    assert result["validation_right"] == {0.003: 10, 0.01: 15}
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


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda contestant: contestant.name)
def test_the_costs_that_are_kept_are_those_of_today(contestant, stored):
    (kept,) = (x for x in stored("networks")["networks"] if x["name"] == contestant.name)
    now = {
        "image_size": contestant.image_size,
        "change": contestant.change,
        **count_costs(contestant),
    }
    assert {name: kept[name] for name in now} == now


def test_the_result_that_is_kept_comes_from_the_whole_budget(stored):
    result = stored("networks")
    assert result["budget"] == json.loads(json.dumps(asdict(compare_networks.Budget())))
    assert [x["name"] for x in result["networks"]] == [x.name for x in CONTESTANTS]
