import pytest
import torch

from notes.inspect import summarize
from notes.models.alexnet import alexnet


def on_meta(**options):
    with torch.device("meta"):
        return alexnet(**options)


def test_the_shapes_are_those_of_the_notes():
    shapes = [layer.output_shape[1:] for layer in summarize(on_meta(), (1, 224, 224)).layers]
    assert shapes == [
        *[(96, 54, 54)] * 2,
        (96, 26, 26),
        *[(256, 26, 26)] * 2,
        (256, 12, 12),
        *[(384, 12, 12)] * 4,
        *[(256, 12, 12)] * 2,
        (256, 5, 5),
        (6400,),
        *[(4096,)] * 6,
        (10,),
    ]


def test_it_has_the_parameters_and_the_cost_of_the_notes():
    summary = summarize(on_meta(), (1, 224, 224))
    weighted = [layer.num_parameters for layer in summary.layers if layer.num_parameters]
    convolutions = [11_712, 614_656, 885_120, 1_327_488, 884_992]
    assert weighted == [*convolutions, 26_218_496, 16_781_312, 40_970]
    assert summary.num_parameters == 46_764_746
    assert summary.multiply_adds == 938_146_176


def test_the_dense_layers_hold_most_of_the_parameters():
    model = on_meta()
    dense = sum(p.numel() for p in model.classifier.parameters())
    assert dense == 43_040_778
    assert round(100 * dense / 46_764_746) == 92


@pytest.mark.parametrize("image_size", [65, 96, 224, 227])
def test_channels_classes_and_image_size_can_be_chosen(image_size):
    model = on_meta(in_channels=3, num_classes=7, image_size=image_size)
    images = torch.zeros(2, 3, image_size, image_size, device="meta")
    assert model(images).shape == (2, 7)


def test_it_memorizes_one_batch(memorizes, labels):
    images = torch.randn(8, 1, 67, 67)
    assert memorizes(alexnet(image_size=67, width=0.1), images, labels, lr=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"width": 0}, "width must be greater than 0, got 0"),
        (
            {"image_size": 64},
            "images must be at least 65 x 65 for AlexNet, got 64 x 64: the third max pooling would "
            "have nothing left",
        ),
    ],
)
def test_it_refuses_what_it_cannot_build(options, message):
    with pytest.raises(ValueError, match=message):
        on_meta(**options)


def test_images_of_another_size_are_refused():
    message = (
        "images must be 224 x 224 for AlexNet, got 227 x 227: the first dense layer takes maps of "
        "5 x 5, not 6 x 6"
    )
    with pytest.raises(ValueError, match=message):
        on_meta()(torch.zeros(1, 1, 227, 227, device="meta"))
