import math

import pytest
import torch
from torch import nn

from notes.init.fans import fans, gain_of


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param((8, 4), (4, 8), id="linear"),
        pytest.param((8, 4, 3, 3), (36, 72), id="the convolution of the notes"),
        pytest.param((2, 3, 5), (15, 10), id="1-D"),
    ],
)
def test_the_fans_are_those_computed_by_hand(shape, expected):
    assert fans(torch.empty(shape)) == expected


def test_a_tensor_without_inputs_and_outputs_is_rejected():
    with pytest.raises(ValueError, match=r"tensor must have shape \(O, I, ...\), got \(3,\)"):
        fans(torch.empty(3))
    with pytest.raises(ValueError, match=r"tensor must not be empty, got shape \(0, 3\)"):
        fans(torch.empty(0, 3))


def test_an_unknown_activation_is_rejected():
    with pytest.raises(ValueError, match=r"nonlinearity must be one of .*, got 'gelu'"):
        gain_of("gelu")


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "selu"])
def test_the_gains_agree_with_torch(name):
    assert gain_of(name) == pytest.approx(nn.init.calculate_gain(name))


@pytest.mark.parametrize("slope", [0.0, 0.2, math.sqrt(5)])
def test_the_gain_of_leaky_relu_agrees_with_torch(slope):
    expected = nn.init.calculate_gain("leaky_relu", slope)
    assert gain_of("leaky_relu", slope) == pytest.approx(expected)
