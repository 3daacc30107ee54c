import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from notes.init.xavier import xavier_normal_, xavier_uniform_

BOTH = pytest.mark.parametrize("rule", [xavier_uniform_, xavier_normal_], ids=["uniform", "normal"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_400_by_600_weights_reach_the_bound_of_the_notes_and_no_more():
    largest = xavier_uniform_(torch.empty(400, 600), generator=seeded()).abs().max().item()
    assert 0.0774 < largest <= 0.0774597


@BOTH
def test_both_forms_have_the_variance_of_the_formula(rule):
    weight = rule(torch.empty(400, 600), gain=2.0, generator=seeded())
    assert weight.std().item() == pytest.approx(2 * math.sqrt(2 / 1000), rel=0.01)


@settings(deadline=None, max_examples=25)
@given(inputs=st.integers(1, 30), outputs=st.integers(1, 30), gain=st.floats(0.1, 5))
def test_no_uniform_weight_lies_outside_the_bound(inputs, outputs, gain):
    weight = torch.empty(outputs, inputs, dtype=torch.float64)
    xavier_uniform_(weight, gain, generator=seeded())
    bound = gain * math.sqrt(6 / (inputs + outputs))
    assert weight.abs().max().item() <= bound * (1 + 1e-12)


@BOTH
def test_a_parameter_is_filled_in_place_and_returned(rule):
    weight = nn.Conv2d(3, 2, 3).weight
    assert rule(weight) is weight
    assert weight.requires_grad
    assert weight.grad_fn is None


@BOTH
def test_what_does_not_fit_is_rejected(rule):
    with pytest.raises(ValueError, match=r"tensor must have shape \(O, I, ...\), got \(3,\)"):
        rule(torch.empty(3))
    with pytest.raises(ValueError, match=r"tensor must not be empty, got shape \(0, 3\)"):
        rule(torch.empty(0, 3))
    with pytest.raises(ValueError, match=r"gain must be greater than 0, got 0\.0"):
        rule(torch.empty(2, 3), gain=0.0)
    with pytest.raises(
        TypeError, match=r"tensor must be a floating-point tensor, got torch\.int64"
    ):
        rule(torch.zeros(2, 3, dtype=torch.long))


@pytest.mark.parametrize("shape", [(4, 8), (8, 4, 3, 3)])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(xavier_uniform_, nn.init.xavier_uniform_), (xavier_normal_, nn.init.xavier_normal_)],
    ids=["uniform", "normal"],
)
def test_the_same_seed_gives_the_values_of_torch(ours, theirs, shape):
    mine = ours(torch.empty(shape), 1.5, generator=seeded(3))
    other = theirs(torch.empty(shape), 1.5, generator=seeded(3))
    torch.testing.assert_close(mine, other)
