import pytest
import torch
from torch import nn
from torch.nn import functional as F

from notes.inspect import summarize
from notes.models.googlenet import Inception, googlenet


def on_meta(**options):
    with torch.device("meta"):
        return googlenet(**options)


@pytest.mark.parametrize(
    ("image_size", "sides"), [(96, [24, 12, 6, 3, 1]), (224, [56, 28, 14, 7, 1])]
)
def test_the_shapes_are_those_of_the_notes(image_size, sides):
    model, x = on_meta(), torch.zeros(1, 1, image_size, image_size, device="meta")
    shapes = []
    for stage in model[:5]:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    channels = [64, 192, 480, 832, 1024]
    assert shapes == [(c, side, side) for c, side in zip(channels, sides, strict=True)]


def test_it_has_the_parameters_of_the_notes_and_nine_inception_blocks():
    model = on_meta()
    assert sum(p.numel() for p in model.parameters()) == 5_977_530
    blocks = [module for module in model.modules() if isinstance(module, Inception)]
    assert [block.out_channels for block in blocks] == [
        *[256, 480],
        *[512, 512, 512, 528, 832],
        *[832, 1024],
    ]


def test_the_first_block_costs_what_was_counted_by_hand():
    with torch.device("meta"):
        block = Inception(192, (64, (96, 128), (16, 32), 32))
    summary = summarize(block, (192, 28, 28))
    assert summary.multiply_adds == 128_049_152
    assert sum(p.numel() for p in block.parameters() if p.dim() == 4) == 163_328


def test_a_block_joins_four_paths_along_the_channels():
    torch.manual_seed(0)
    block, x = Inception(3, (2, (4, 5), (6, 7), 8)), torch.randn(2, 3, 6, 7)
    convs = [module for module in block.modules() if isinstance(module, nn.Conv2d)]
    one, before3, three, before5, five, pooled = [
        lambda x, conv=conv: F.relu(F.conv2d(x, conv.weight, conv.bias, padding=conv.padding))
        for conv in convs
    ]
    paths = [one(x), three(before3(x)), five(before5(x)), pooled(F.max_pool2d(x, 3, 1, 1))]
    assert [path.shape for path in paths] == [(2, c, 6, 7) for c in (2, 5, 7, 8)]
    torch.testing.assert_close(block(x), torch.cat(paths, dim=1))


def test_channels_and_classes_can_be_chosen():
    model = on_meta(in_channels=3, num_classes=7)
    assert model(torch.zeros(2, 3, 96, 96, device="meta")).shape == (2, 7)


def test_even_one_pixel_passes_because_everything_is_padded():
    assert on_meta()(torch.zeros(2, 1, 1, 1, device="meta")).shape == (2, 10)


def test_it_memorizes_one_batch(memorizes, labels):
    images = torch.randn(8, 1, 48, 48)
    assert memorizes(googlenet(width=0.1), images, labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"width": 0}, "width must be greater than 0, got 0"),
    ],
)
def test_it_refuses_what_it_cannot_build(options, message):
    with pytest.raises(ValueError, match=message):
        on_meta(**options)
