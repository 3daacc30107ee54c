import pytest
import torch
from torch import nn

from notes.inspect import summarize
from notes.models.lenet import lenet


def test_the_shapes_are_those_of_the_notes():
    shapes = [layer.output_shape for layer in summarize(lenet(), (1, 28, 28)).layers]
    assert shapes == [
        (1, 6, 28, 28),
        (1, 6, 28, 28),
        (1, 6, 14, 14),
        (1, 16, 10, 10),
        (1, 16, 10, 10),
        (1, 16, 5, 5),
        (1, 400),
        (1, 120),
        (1, 120),
        (1, 84),
        (1, 84),
        (1, 10),
    ]


def test_it_has_the_parameters_and_the_cost_computed_by_hand():
    summary = summarize(lenet(), (1, 28, 28))
    weighted = [layer.num_parameters for layer in summary.layers if layer.num_parameters]
    assert weighted == [156, 2_416, 48_120, 10_164, 850]
    assert summary.num_parameters == 61_706
    assert summary.multiply_adds == 416_520


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_variants_differ_only_in_the_layers_without_weights(activation, pooling):
    model = lenet(activation=activation, pooling=pooling)
    assert sum(p.numel() for p in model.parameters()) == 61_706
    kinds = {type(layer).__name__.lower() for layer in model}
    assert activation in kinds
    assert {"average": "avgpool2d", "max": "maxpool2d"}[pooling] in kinds


def test_channels_and_classes_can_be_chosen():
    assert lenet(3, 7)(torch.zeros(2, 3, 28, 28)).shape == (2, 7)


def test_it_memorizes_one_batch():
    torch.manual_seed(0)
    images, labels = torch.rand(32, 1, 28, 28), torch.arange(32) % 10
    model = lenet(activation="relu", pooling="max")
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert (model(images).argmax(1) == labels).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": -1}, "num_classes must be at least 1, got -1"),
        ({"activation": "gelu"}, r"activation must be one of \['relu', .*\], got 'gelu'"),
        ({"pooling": "min"}, r"pooling must be one of \['average', 'max'\], got 'min'"),
    ],
)
def test_it_rejects_what_it_cannot_build(arguments, message):
    with pytest.raises(ValueError, match=message):
        lenet(**arguments)
