"""The comparison of the detectors trains fairly."""

import json
from dataclasses import asdict, replace

import compare_detectors
import pytest
import torch
from compare_detectors import CONTESTANTS, QUICK, Budget


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


def test_the_stored_result_is_that_of_todays_program(stored):
    result = stored("detectors")
    assert result["budget"] == json.loads(json.dumps(asdict(Budget())))
    assert result["image_size"] == compare_detectors.IMAGE_SIZE
    for contestant, detector in zip(CONTESTANTS, result["detectors"], strict=True):
        assert detector["name"] == contestant.name
        assert detector.items() >= compare_detectors.count_costs(contestant).items()
