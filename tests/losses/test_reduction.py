import pytest
import torch

from notes.losses._reduction import reduce_losses

LOSSES = torch.tensor([[1.0, 2.0], [3.0, 6.0]])


def test_mean_and_sum_are_those_computed_by_hand():
    assert reduce_losses(LOSSES, "mean").item() == 3
    assert reduce_losses(LOSSES, "sum").item() == 12


def test_none_leaves_the_losses_as_they_are():
    assert reduce_losses(LOSSES, "none") is LOSSES


def test_an_unknown_reduction_is_rejected():
    with pytest.raises(ValueError, match="reduction must be 'mean', 'sum' or 'none', got 'avg'"):
        reduce_losses(LOSSES, "avg")
