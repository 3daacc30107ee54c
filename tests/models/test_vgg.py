import pytest
import torch
from torch import nn
from torchvision.models import vgg as torchvision_vgg

from notes.inspect import summarize
from notes.models.vgg import vgg


def on_meta(*arguments, **options):
    with torch.device("meta"):
        return vgg(*arguments, **options)


def parameter_shapes(model):
    return [parameter.shape for parameter in model.parameters()]


def test_the_shapes_are_those_of_the_notes():
    model, x = on_meta(11), torch.zeros(1, 1, 224, 224, device="meta")
    shapes = []
    for stage in [*model.features, model.classifier]:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    maps = [(64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7)]
    assert shapes == [*maps, (10,)]


def test_vgg11_has_the_parameters_and_the_cost_of_the_notes():
    summary = summarize(on_meta(11), (1, 224, 224))
    assert summary.num_parameters == 128_806_154
    assert summary.multiply_adds == 7_547_232_256


def test_the_thin_variant_of_the_notes_keeps_its_large_dense_layers():
    summary = summarize(on_meta(11, width=0.25, hidden_features=4096), (1, 224, 224))
    assert summary.num_parameters == 43_093_322
    assert summary.multiply_adds == 512_155_648


def test_width_makes_the_dense_layers_thin_too():
    assert sum(p.numel() for p in on_meta(11, width=0.25).parameters()) == 8_060_234


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_the_depth_counts_the_layers_with_weights(depth):
    assert len(parameter_shapes(on_meta(depth))) == 2 * depth  # a weight and a bias each


@pytest.mark.parametrize(
    ("depth", "num_parameters"),
    [(11, 132_863_336), (13, 133_047_848), (16, 138_357_544), (19, 143_667_240)],
)
def test_the_parameters_are_those_of_torchvision(depth, num_parameters):
    ours = on_meta(depth, in_channels=3, num_classes=1000)
    with torch.device("meta"):
        theirs = getattr(torchvision_vgg, f"vgg{depth}")()
    assert parameter_shapes(ours) == parameter_shapes(theirs)
    assert sum(p.numel() for p in ours.parameters()) == num_parameters


def test_with_torchvisions_weights_it_gives_torchvisions_answer():
    torch.manual_seed(0)
    features = torchvision_vgg.make_layers([4, "M", 8, "M", *[16] * 2, "M", *[32, 32, "M"] * 2])
    with torch.device("meta"):  # their dense layers come in one size only, which fills the memory
        theirs = torchvision_vgg.VGG(features, init_weights=False)
    for number, (in_features, out_features) in {0: (1568, 64), 3: (64, 64), 6: (64, 10)}.items():
        theirs.classifier[number] = nn.Linear(in_features, out_features)
    ours = vgg(11, in_channels=3, width=1 / 16, hidden_features=64)
    weights = zip(ours.state_dict(), theirs.state_dict().values(), strict=True)
    ours.load_state_dict(dict(weights))
    images = torch.randn(2, 3, 64, 96)
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


def test_small_images_fit_with_smaller_maps():
    assert on_meta(16, map_size=1)(torch.zeros(2, 1, 32, 32, device="meta")).shape == (2, 10)


def test_it_memorizes_one_batch(memorizes, labels):
    images = torch.randn(8, 1, 32, 32)
    model = vgg(11, width=0.125, map_size=1)
    assert memorizes(model, images, labels, lr=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 12}, r"depth must be one of \[11, 13, 16, 19\], got 12"),
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"map_size": 0}, "map_size must be at least 1, got 0"),
        ({"hidden_features": 0}, "hidden_features must be at least 1, got 0"),
        ({"width": -1}, "width must be greater than 0, got -1"),
    ],
)
def test_it_refuses_what_it_cannot_build(options, message):
    with pytest.raises(ValueError, match=message):
        on_meta(**options)


def test_images_that_are_too_small_are_refused():
    message = (
        "images must be at least 32 x 32 for VGG-13, got 31 x 31: the fifth max pooling would have "
        "nothing left"
    )
    with pytest.raises(ValueError, match=message):
        on_meta(13)(torch.zeros(1, 1, 31, 31, device="meta"))
