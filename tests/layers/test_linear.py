import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import gradcheck

from notes.layers.linear import Linear, linear


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_each_output_is_a_weighted_sum_plus_its_bias():
    weight = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])
    inputs = torch.tensor([[1.0, 1.0, 1.0], [2.0, 0.0, -1.0]])
    assert linear(inputs, weight, torch.tensor([0.5, -1.0])).tolist() == [[6.5, 0], [-0.5, -2]]
    assert linear(inputs, weight).tolist() == [[6, 1], [-1, -1]]


def test_it_acts_on_the_last_dimension_whatever_stands_before():
    layer = Linear(4, 8)
    assert layer(torch.zeros(4)).shape == (8,)
    assert layer(torch.zeros(3, 3, 3, 4)).shape == (3, 3, 3, 8)
    assert layer(torch.zeros(0, 4)).shape == (0, 8)


def test_the_parameters_start_within_one_over_the_root_of_the_inputs():
    layer = Linear(100, 50, generator=torch.Generator().manual_seed(0))
    assert layer.weight.shape == (50, 100)
    for parameter in layer.parameters():
        assert 0.08 < parameter.abs().max() <= 0.1


def test_the_same_seed_gives_the_same_layer_and_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second = (Linear(3, 2, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_bias_there_is_one_parameter():
    assert [name for name, _ in Linear(3, 2, bias=False).named_parameters()] == ["weight"]


@pytest.mark.parametrize("shape", [(2, 5), (4, 3, 2), ()])
def test_inputs_with_another_number_of_features_are_rejected(shape):
    message = "inputs must have 4 features in the last dimension, got shape "
    with pytest.raises(ValueError, match=message):
        linear(torch.zeros(shape), torch.zeros(3, 4))


@pytest.mark.parametrize(
    ("weight", "bias", "message"),
    [
        pytest.param(
            torch.zeros(4), None, r"weight must have shape \(O, D\), got \(4,\)", id="rank"
        ),
        pytest.param(
            torch.zeros(3, 4), torch.zeros(4), r"bias must have shape \(3,\), got \(4,\)", id="bias"
        ),
        pytest.param(
            torch.zeros(3, 4, device="meta"),
            None,
            "weight must be on the device of inputs, cpu, got meta",
            id="device",
        ),
        pytest.param(
            torch.zeros(3, 4),
            torch.zeros(3, device="meta"),
            "bias must be on the device of inputs, cpu, got meta",
            id="device of the bias",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_rejected(weight, bias, message):
    with pytest.raises(ValueError, match=message):
        linear(torch.zeros(2, 4), weight, bias)


def test_integers_and_mixed_dtypes_are_rejected():
    with pytest.raises(
        TypeError, match=r"inputs must be a floating-point tensor, got torch\.int64"
    ):
        Linear(4, 3)(torch.ones(2, 4, dtype=torch.long))
    with pytest.raises(TypeError, match=r"weight must have the dtype of inputs, torch\.float64"):
        Linear(4, 3)(torch.ones(2, 4, dtype=torch.float64))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 3), "in_features must be at least 1, got 0"),
        ((3, -1), "out_features must be at least 1, got -1"),
    ],
)
def test_a_layer_without_features_is_rejected(sizes, message):
    with pytest.raises(ValueError, match=message):
        Linear(*sizes)


def test_it_starts_as_torch_does_from_the_same_seed():
    torch.manual_seed(3)
    ours = Linear(20, 30)
    torch.manual_seed(3)
    theirs = nn.Linear(20, 30)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("bias", [True, False])
def test_it_agrees_with_torch_in_value_and_gradient(bias):
    ours, theirs = Linear(4, 3, bias=bias).double(), nn.Linear(4, 3, bias=bias).double()
    theirs.load_state_dict(ours.state_dict())
    mine, other = draw(2, 5, 4).requires_grad_(), draw(2, 5, 4).requires_grad_()
    upstream = draw(2, 5, 3, seed=1)
    output, expected = ours(mine), theirs(other)
    torch.testing.assert_close(output, expected)
    output.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(mine.grad, other.grad)
    for parameter, twin in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, twin.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_layers_in_a_row_under_autocast_give_what_torch_gives(dtype):
    inputs, weight, bias = draw(5, 4).float(), draw(4, 4, seed=1).float(), draw(4, seed=2).float()
    with torch.autocast("cpu", dtype=dtype):
        ours = linear(linear(inputs, weight, bias), weight, bias)
        theirs = F.linear(F.linear(inputs, weight, bias), weight, bias)
    torch.testing.assert_close(ours, theirs, atol=0.01, rtol=0.02)  # checks the dtype, too


def test_the_gradients_are_right():
    inputs = [draw(2, 3, 4), draw(2, 4, seed=1), draw(2, seed=2)]
    assert gradcheck(linear, [tensor.requires_grad_() for tensor in inputs])
