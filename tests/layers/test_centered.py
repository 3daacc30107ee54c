import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck

from notes.layers.centered import CenteredLayer, center


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_values_of_the_notes_become_minus_one_zero_and_one():
    assert center(torch.tensor([1.0, 2.0, 3.0])).tolist() == [-1, 0, 1]


def test_along_the_last_dimension_each_example_has_its_own_mean():
    inputs = torch.tensor([[1.0, 3.0], [10.0, 30.0]])
    assert center(inputs, dim=-1).tolist() == [[-1, 1], [-10, 10]]
    assert center(inputs, dim=0).tolist() == [[-4.5, -13.5], [4.5, 13.5]]


def test_over_all_entries_the_examples_of_a_batch_influence_each_other():
    alone, together = torch.tensor([[1.0, 3.0]]), torch.tensor([[1.0, 3.0], [9.0, 9.0]])
    assert not torch.equal(CenteredLayer()(together)[:1], CenteredLayer()(alone))
    assert torch.equal(CenteredLayer(dim=-1)(together)[:1], CenteredLayer(dim=-1)(alone))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), shift=st.floats(-100, 100))
def test_the_mean_of_the_output_is_zero_and_a_shift_makes_no_difference(seed, shift):
    inputs = draw(3, 4, seed=seed)
    assert center(inputs).mean().abs() < 1e-12
    torch.testing.assert_close(center(inputs + shift), center(inputs), rtol=0, atol=1e-10)


def test_the_layer_works_inside_a_model_and_has_no_parameters():
    torch.manual_seed(0)
    output = nn.Sequential(nn.Linear(8, 128), CenteredLayer())(torch.rand(4, 8))
    assert output.shape == (4, 128)
    assert output.mean().abs() < 1e-6
    assert not list(CenteredLayer().parameters())
    assert not CenteredLayer().state_dict()


def test_empty_inputs_are_rejected():
    with pytest.raises(ValueError, match=r"inputs must not be empty, got shape \(0, 3\)"):
        center(torch.zeros(0, 3))


def test_integers_are_rejected():
    with pytest.raises(
        TypeError, match=r"inputs must be a floating-point tensor, got torch\.int64"
    ):
        center(torch.tensor([1, 2, 3]))


@pytest.mark.parametrize("dim", [2, -3])
def test_a_dimension_that_is_not_there_is_rejected(dim):
    with pytest.raises(ValueError, match=rf"dim must lie in \[-2, 2\), got {dim}"):
        center(torch.zeros(2, 3), dim=dim)


def test_it_agrees_with_layer_norm_that_does_not_scale():
    inputs = draw(3, 5)
    scaled = center(inputs, dim=-1) / inputs.std(dim=-1, correction=0, keepdim=True)
    expected = nn.functional.layer_norm(inputs, (5,), eps=0.0)
    torch.testing.assert_close(scaled, expected)


@pytest.mark.parametrize("dim", [None, -1, 0])
def test_the_gradients_are_right(dim):
    assert gradcheck(lambda inputs: center(inputs, dim), draw(3, 4).requires_grad_())
