import pytest
import torch
from torch import nn

from notes.inspect import summarize
from notes.models.mlp import DIABETES_SIZES, DROPOUT_SIZES, MNIST_SIZES, mlp


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param((20, 256, 10), 7_946, id="model construction"),
        pytest.param(DROPOUT_SIZES, 269_322, id="dropout"),
        pytest.param(MNIST_SIZES, 575_050, id="MNIST"),
        pytest.param(DIABETES_SIZES, 87, id="diabetes"),
    ],
)
def test_it_has_the_parameters_of_the_notes(sizes, expected):
    assert summarize(mlp(sizes), (sizes[0],)).num_parameters == expected


def test_it_costs_one_multiply_add_for_each_weight():
    assert summarize(mlp((8, 6, 4, 1)), (8,)).multiply_adds == 8 * 6 + 6 * 4 + 4 * 1


def test_the_layers_stand_in_the_order_of_the_notes():
    kinds = [type(layer) for layer in mlp(DROPOUT_SIZES, dropout=(0.2, 0.5))]
    hidden = [nn.Linear, nn.ReLU, nn.Dropout]
    assert kinds == [nn.Flatten, *hidden, *hidden, nn.Linear]


def test_each_hidden_layer_has_its_own_dropout():
    model = mlp(DROPOUT_SIZES, dropout=(0.2, 0.5))
    assert [layer.p for layer in model if isinstance(layer, nn.Dropout)] == [0.2, 0.5]


def test_nothing_bends_the_output():
    model = mlp((2, 1), activation="sigmoid")
    assert [type(layer) for layer in model] == [nn.Flatten, nn.Linear]


@pytest.mark.parametrize(
    ("activation", "kind"), [("relu", nn.ReLU), ("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh)]
)
def test_the_activation_can_be_chosen(activation, kind):
    kinds = [type(layer) for layer in mlp(DIABETES_SIZES, activation=activation)]
    assert kinds.count(kind) == 2


def test_images_go_in_as_they_are():
    assert mlp(MNIST_SIZES)(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_an_empty_batch_gives_no_outputs():
    assert mlp((4, 2))(torch.zeros(0, 4)).shape == (0, 2)


def test_it_is_the_formula_written_out():
    torch.manual_seed(0)
    model, x = mlp((3, 5, 2), activation="tanh"), torch.randn(4, 3)
    hidden = torch.tanh(x @ model[1].weight.T + model[1].bias)
    torch.testing.assert_close(model(x), hidden @ model[3].weight.T + model[3].bias)


def test_it_memorizes_one_batch(memorizes, labels):
    assert memorizes(mlp((20, 32, 10)), torch.randn(8, 20), labels, lr=1e-2)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((4,), {}, r"sizes must have at least 2 entries, got \(4,\)"),
        ((4, 0, 2), {}, r"sizes\[1\] must be at least 1, got 0"),
        ((4, 3, 2), {"activation": "gelu"}, r"activation must be one of \['relu', .*, got 'gelu'"),
        ((4, 3, 2), {"dropout": (0.1, 0.2)}, r"each of the 1 hidden layers, got \(0.1, 0.2\)"),
        ((4, 3, 2), {"dropout": (1.5,)}, r"dropout\[0\] must lie in \[0, 1\], got 1.5"),
    ],
)
def test_it_refuses_what_it_cannot_build(sizes, options, message):
    with pytest.raises(ValueError, match=message):
        mlp(sizes, **options)
