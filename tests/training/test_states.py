import io
import random

import numpy as np
import pytest
import torch

from notes.training._states import get_random_states, set_random_states


def draw():
    torch_device = "cuda" if torch.cuda.is_available() else "cpu"
    return (
        random.random(),
        random.gauss(),
        np.random.rand(),
        np.random.randn(),
        torch.rand(()).item(),
        torch.rand((), device=torch_device).item(),
    )


@pytest.fixture(autouse=True)
def leave_the_generators_as_they_were():
    states = get_random_states()
    yield
    set_random_states(states)


def test_the_same_numbers_come_again_after_the_states_were_put_back():
    states = get_random_states()
    first = draw()
    set_random_states(states)
    assert draw() == first


def test_asking_for_the_states_draws_nothing():
    torch.manual_seed(0)
    expected = torch.rand(())
    torch.manual_seed(0)
    get_random_states()
    assert torch.rand(()) == expected


def test_the_second_number_of_a_pair_is_kept_too():
    np.random.randn()  # normal numbers are drawn in pairs, and the second one waits
    random.gauss()
    states = get_random_states()
    first = np.random.randn(), random.gauss()
    set_random_states(states)
    assert (np.random.randn(), random.gauss()) == first


def test_the_states_can_be_saved_and_loaded_without_trust():
    states = get_random_states()
    first = draw()
    file = io.BytesIO()
    torch.save(states, file)
    file.seek(0)
    set_random_states(torch.load(file, weights_only=True))
    assert draw() == first


def test_each_gpu_has_its_own_state(monkeypatch):
    states_of_gpus, seen = [torch.tensor([1]), torch.tensor([2])], []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states_of_gpus)
    monkeypatch.setattr(
        torch.cuda, "set_rng_state", lambda state, index: seen.append((index, state))
    )
    set_random_states(get_random_states())
    assert seen == list(enumerate(states_of_gpus))


def test_states_of_gpus_that_are_not_there_are_passed_over():
    states = get_random_states()
    first = draw()
    unused = torch.zeros(16, dtype=torch.uint8)
    set_random_states(states | {"cuda": states["cuda"] + 8 * [unused]})
    assert draw() == first


def test_the_states_agree_with_the_generators_of_the_libraries():
    np.random.seed(3)
    torch.manual_seed(3)
    states = get_random_states()
    assert torch.equal(states["torch"], torch.get_rng_state())
    assert states["numpy"]["state"]["key"] == np.random.get_state()[1].tolist()
    assert states["python"] == random.getstate()
