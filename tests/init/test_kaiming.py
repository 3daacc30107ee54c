import math

import pytest
import torch
from torch import nn

from notes.init.kaiming import kaiming_normal_, kaiming_uniform_

BOTH = pytest.mark.parametrize(
    "rule", [kaiming_uniform_, kaiming_normal_], ids=["uniform", "normal"]
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_600_inputs_give_the_bound_of_the_notes():
    largest = kaiming_uniform_(torch.empty(400, 600), generator=seeded()).abs().max().item()
    assert 0.0999 < largest <= 0.1


def test_fan_out_400_and_slope_a_tenth_give_the_spread_of_the_notes():
    weight = kaiming_normal_(torch.empty(400, 600), 0.1, mode="fan_out", generator=seeded())
    assert weight.std().item() == pytest.approx(0.07036, rel=0.01)


@BOTH
def test_the_variance_is_doubled_for_relu_not_halved(rule):
    weight = rule(torch.empty(400, 600), nonlinearity="relu", generator=seeded())
    assert weight.var().item() == pytest.approx(2 / 600, rel=0.02)


def test_the_slope_counts_for_leaky_relu_only():
    first, second = (
        kaiming_normal_(torch.empty(3, 4), slope, nonlinearity="relu", generator=seeded())
        for slope in (0.0, 3.0)
    )
    assert torch.equal(first, second)


def test_the_default_of_a_linear_layer_is_kaiming_uniform_with_slope_root_five():
    torch.manual_seed(0)
    layer = nn.Linear(25, 10)
    torch.manual_seed(0)
    torch.testing.assert_close(
        kaiming_uniform_(torch.empty(10, 25), math.sqrt(5)), layer.weight.data
    )
    assert layer.weight.abs().max().item() <= 1 / math.sqrt(25)


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
    with pytest.raises(ValueError, match="mode must be 'fan_in' or 'fan_out', got 'fan'"):
        rule(torch.empty(2, 3), mode="fan")
    with pytest.raises(ValueError, match=r"nonlinearity must be one of .*, got 'gelu'"):
        rule(torch.empty(2, 3), nonlinearity="gelu")
    with pytest.raises(
        TypeError, match=r"tensor must be a floating-point tensor, got torch\.int64"
    ):
        rule(torch.zeros(2, 3, dtype=torch.long))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("nonlinearity", ["leaky_relu", "relu", "tanh"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(kaiming_uniform_, nn.init.kaiming_uniform_), (kaiming_normal_, nn.init.kaiming_normal_)],
    ids=["uniform", "normal"],
)
def test_the_same_seed_gives_the_values_of_torch(ours, theirs, nonlinearity, mode):
    arguments = {"mode": mode, "nonlinearity": nonlinearity}
    mine = ours(torch.empty(8, 4, 3, 3), 0.2, generator=seeded(3), **arguments)
    other = theirs(torch.empty(8, 4, 3, 3), 0.2, generator=seeded(3), **arguments)
    torch.testing.assert_close(mine, other)
