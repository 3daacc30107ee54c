import pytest
import torch

from notes.inspect import summarize
from notes.models.cifar import cifar_cnn


def test_the_shapes_are_those_of_the_notes():
    x, shapes = torch.ones(64, 3, 32, 32), {}
    for name, layer in cifar_cnn().named_children():
        x = layer(x)
        shapes[name] = tuple(x.shape)
    assert {name: shape for name, shape in shapes.items() if not name.startswith("act")} == {
        "conv1": (64, 32, 32, 32),
        "pool1": (64, 32, 16, 16),
        "conv2": (64, 32, 16, 16),
        "pool2": (64, 32, 8, 8),
        "conv3": (64, 64, 8, 8),
        "pool3": (64, 64, 4, 4),
        "flatten": (64, 1024),
        "hidden": (64, 64),
        "output": (64, 10),
    }


@pytest.mark.parametrize(("hidden_features", "expected"), [(64, 145_578), (128, 211_818)])
def test_it_has_the_parameters_of_the_notes(hidden_features, expected):
    summary = summarize(cifar_cnn(hidden_features=hidden_features), (3, 32, 32))
    assert summary.num_parameters == expected


def test_it_costs_what_was_counted_by_hand():
    convolutions = 32 * 75 * 32**2 + 32 * 800 * 16**2 + 64 * 800 * 8**2
    assert summarize(cifar_cnn(), (3, 32, 32)).multiply_adds == convolutions + 1024 * 64 + 64 * 10


def test_without_activations_the_dense_layers_are_one_linear_map():
    torch.manual_seed(0)
    x, zero = torch.randn(2, 1024), torch.zeros(1, 1024)
    for activation, linear in [("none", True), ("relu", False)]:
        dense = cifar_cnn(activation=activation)[10:]
        mirrored = 2 * dense(zero) - dense(x)  # a map with a bias is mirrored at its value for 0
        assert torch.allclose(dense(-x), mirrored, atol=1e-5) == linear


def test_channels_and_classes_can_be_chosen():
    assert cifar_cnn(1, 7)(torch.zeros(2, 1, 32, 32)).shape == (2, 7)


def test_it_memorizes_one_batch(memorizes, labels):
    assert memorizes(cifar_cnn(), torch.randn(8, 3, 32, 32), labels, steps=30)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"hidden_features": 0}, "hidden_features must be at least 1, got 0"),
        ({"activation": "gelu"}, r"activation must be one of \['none', 'relu'\], got 'gelu'"),
    ],
)
def test_it_refuses_what_it_cannot_build(options, message):
    with pytest.raises(ValueError, match=message):
        cifar_cnn(**options)


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (28, "images must be 32 x 32 for the CIFAR-10 CNN, got 28 x 28: .* 4 x 4, not 3 x 3"),
        (7, "images must be at least 8 x 8 for the CIFAR-10 CNN, got 7 x 7: the third max pooling"),
    ],
)
def test_images_of_another_size_are_refused(side, message):
    with pytest.raises(ValueError, match=message):
        cifar_cnn()(torch.zeros(1, 3, side, side))
