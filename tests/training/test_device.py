import pytest
import torch

from notes.training.device import best_device, describe_device


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [
        pytest.param(True, False, "cuda", id="graphics card"),
        pytest.param(False, True, "mps", id="Mac"),
        pytest.param(True, True, "cuda", id="both"),
        pytest.param(False, False, "cpu", id="neither"),
    ],
)
def test_the_fastest_device_is_chosen(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == torch.device(expected)


def test_tensors_can_be_made_on_the_chosen_device():
    assert torch.ones(2, device=best_device()).sum().item() == 2


def test_a_graphics_card_is_called_by_its_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Example 9000")
    assert describe_device(torch.device("cuda:1")) == "cuda:1: Example 9000"


@pytest.mark.parametrize(("number", "words"), [(1, ", 1 thread"), (3, ", 3 threads")])
def test_a_processor_is_described_with_its_threads(monkeypatch, number, words):
    monkeypatch.setattr(torch, "get_num_threads", lambda: number)
    assert describe_device(torch.device("cpu")).endswith(words)


def test_other_devices_have_their_own_name():
    assert describe_device(torch.device("mps")) == "mps"
