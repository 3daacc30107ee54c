import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from notes.init.simple import constant_, normal_, uniform_


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=25)
@given(low=st.floats(-5, 5), width=st.floats(0, 5), seed=st.integers(0, 1000))
def test_uniform_values_lie_between_the_bounds(low, width, seed):
    values = uniform_(
        torch.empty(50, dtype=torch.float64), low, low + width, generator=seeded(seed)
    )
    assert ((low <= values) & (values <= low + width)).all()


def test_uniform_values_have_the_variance_of_the_formula():
    values = uniform_(torch.empty(20_000), -1.0, 3.0, generator=seeded())
    assert values.mean().item() == pytest.approx(1.0, abs=0.03)
    assert values.var().item() == pytest.approx(16 / 12, abs=0.03)


def test_the_second_argument_of_normal_is_the_standard_deviation_not_the_variance():
    values = normal_(torch.empty(20_000), 0.0, 0.01, generator=seeded())
    assert values.var().item() == pytest.approx(1e-4, rel=0.05)


def test_constant_fills_with_one_value():
    assert constant_(torch.empty(2, 2), 3.0).tolist() == [[3, 3], [3, 3]]


@pytest.mark.parametrize("rule", [uniform_, normal_, lambda tensor: constant_(tensor, 1.0)])
def test_rules_fill_a_parameter_in_place_and_return_it(rule):
    weight = nn.Linear(3, 2).weight
    before = weight.detach().clone()
    assert rule(weight) is weight
    assert not torch.equal(weight, before)
    assert weight.requires_grad
    assert weight.grad_fn is None


@pytest.mark.parametrize("rule", [uniform_, normal_, lambda tensor: constant_(tensor, 1.0)])
def test_an_empty_tensor_stays_empty(rule):
    assert rule(torch.empty(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("rule", [uniform_, normal_, lambda tensor: constant_(tensor, 1.0)])
def test_integers_are_rejected(rule):
    with pytest.raises(
        TypeError, match=r"tensor must be a floating-point tensor, got torch\.int64"
    ):
        rule(torch.zeros(3, dtype=torch.long))


@pytest.mark.parametrize("high", [-1.0, float("nan")])
def test_an_upper_end_below_the_lower_one_is_rejected(high):
    with pytest.raises(ValueError, match=rf"high must be at least low, 0.0, got {high}"):
        uniform_(torch.empty(3), 0.0, high)


@pytest.mark.parametrize("std", [-0.1, float("nan")])
def test_a_negative_standard_deviation_is_rejected(std):
    with pytest.raises(ValueError, match=f"std must be at least 0, got {std}"):
        normal_(torch.empty(3), 0.0, std)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(uniform_, nn.init.uniform_), (normal_, nn.init.normal_)]
)
def test_the_same_seed_gives_the_values_of_torch(ours, theirs):
    mine, other = torch.empty(4, 5), torch.empty(4, 5)
    ours(mine, 1.0, 2.0, generator=seeded(3))
    theirs(other, 1.0, 2.0, generator=seeded(3))
    assert torch.equal(mine, other)
