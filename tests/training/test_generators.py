import random
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from notes.data.tensor_loader import TensorLoader
from notes.layers.dropout import Dropout
from notes.training._generators import find_generators

GENERATOR = torch.Generator()
DATA = TensorDataset(torch.zeros(4, 2))


class Noisy(TensorDataset):
    """Draws when it is asked for an example."""

    def __init__(self, transform):
        super().__init__(torch.zeros(4, 2))
        self.transform = transform


@dataclass(slots=True)
class Slotted:
    """Has no `__dict__`."""

    rng: object


def closure(generator):
    return lambda images: torch.rand(images.shape, generator=generator)


class Bound:
    def __init__(self, generator):
        self.generator = generator

    def transform(self, images):
        return torch.rand(images.shape, generator=self.generator)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param(GENERATOR, "x", id="itself"),
        pytest.param(
            TensorLoader(torch.zeros(4), batch_size=2, generator=GENERATOR),
            "x.generator",
            id="our loader",
        ),
        pytest.param(DataLoader(DATA, generator=GENERATOR), "x.generator", id="loader"),
        pytest.param(
            DataLoader(DATA, sampler=RandomSampler(DATA, generator=GENERATOR)),
            "x.sampler.generator",
            id="random sampler",
        ),
        pytest.param(
            DataLoader(DATA, sampler=WeightedRandomSampler([1.0] * 4, 4, generator=GENERATOR)),
            "x.sampler.generator",
            id="weighted sampler",
        ),
        pytest.param(
            DataLoader(
                DATA,
                batch_sampler=BatchSampler(
                    SubsetRandomSampler([1, 2], generator=GENERATOR), 2, drop_last=False
                ),
            ),
            "x.batch_sampler.sampler.generator",
            id="sampler of a batch sampler",
        ),
        pytest.param(
            SimpleNamespace(loader=DataLoader(DATA, generator=GENERATOR)),
            "x.loader.generator",
            id="wrapped loader",
        ),
        pytest.param(
            DataLoader(ConcatDataset([Subset(Noisy(GENERATOR), [0, 1])])),
            "x.dataset.datasets.0.dataset.transform",
            id="data set of data sets",
        ),
        pytest.param(
            nn.Sequential(nn.Linear(2, 2), nn.Sequential(Dropout(generator=GENERATOR))),
            "x._modules.1._modules.0.generator",
            id="layer",
        ),
        pytest.param(
            partial(torch.rand, generator=GENERATOR), "x.keywords.generator", id="partial"
        ),
        pytest.param(closure(GENERATOR), "x.generator", id="closure"),
        pytest.param(Bound(GENERATOR).transform, "x.__self__.generator", id="method"),
        pytest.param(Slotted(GENERATOR), "x.rng", id="slots"),
        pytest.param({"a": [(1, GENERATOR)]}, "x.a.0.1", id="dict and list"),
    ],
)
def test_a_generator_is_found_where_it_is_kept(value, place):
    assert find_generators(x=value) == {place: GENERATOR}


def test_generators_of_every_library_are_found():
    generators = {
        "python": random.Random(),
        "numpy": np.random.default_rng(),
        "old": np.random.RandomState(),
        "torch": torch.Generator(),
    }
    assert find_generators(x=generators) == {f"x.{name}": g for name, g in generators.items()}


def test_a_shared_generator_is_found_once_under_its_shortest_name():
    model = nn.Sequential(Dropout(generator=GENERATOR))
    assert find_generators(model=model, loss=GENERATOR) == {"loss": GENERATOR}


def test_objects_that_hold_each_other_end_the_search():
    one, two = SimpleNamespace(), SimpleNamespace(rng=GENERATOR)
    one.other, two.other = two, one
    assert find_generators(x=one) == {"x.other.rng": GENERATOR}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([GENERATOR] * 1001, id="a long list is data"),
        pytest.param(random.SystemRandom(), id="the system's generator has no state"),
        pytest.param(random, id="a module"),
        pytest.param(torch.Generator, id="a class"),
        pytest.param(SimpleNamespace(generator="a diesel engine"), id="only the name"),
        pytest.param(None, id="nothing"),
        pytest.param(closure, id="a function without a closure"),
    ],
)
def test_what_is_no_generator_is_left_alone(value):
    assert find_generators(x=value) == {}


def test_a_closure_that_is_not_filled_yet_is_passed_over():
    def outer():
        def early():
            return late

        found = find_generators(x=early)
        late = GENERATOR
        return found, early

    assert outer()[0] == {}
