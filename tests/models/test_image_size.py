import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from notes.models.image_size import check_image_size, layers_in_order, map_side, smallest_image

CHAIN = nn.Sequential(nn.Conv2d(1, 1, 5), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), nn.Flatten())


def test_the_side_of_the_maps_is_the_one_computed_by_hand():
    assert map_side(CHAIN, 28) == 12  # 28 - 4 = 24, halved


def test_the_smallest_image_is_the_one_computed_by_hand():
    assert smallest_image(CHAIN) == 6  # 2 pixels for the pooling, and 4 that the convolution eats


def test_layers_after_the_flatten_do_not_count():
    assert map_side(nn.Sequential(CHAIN, nn.MaxPool2d(100)), 28) == 12


def test_chains_are_opened_in_order_and_blocks_are_not():
    block = nn.Bilinear(1, 1, 1)
    kinds = [type(layer) for layer in layers_in_order(nn.Sequential(CHAIN, block))]
    assert kinds == [nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Bilinear]


def test_one_pixel_is_enough_when_everything_is_padded():
    assert smallest_image(nn.Sequential(nn.Conv2d(1, 1, 7, stride=2, padding=3))) == 1


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (4, "the first convolution would have nothing left"),
        (5, "the first max pooling would have nothing left"),
        (0, "image_side must be greater than 0, got 0"),
    ],
)
def test_the_layer_that_fails_is_named(side, message):
    with pytest.raises(ValueError, match=message):
        map_side(CHAIN, side)


@pytest.mark.parametrize(("number", "word"), [(3, "third"), (9, "ninth"), (12, "12th")])
def test_layers_of_one_kind_are_counted(number, word):
    chain = nn.Sequential(*(nn.Conv2d(1, 1, 3) for _ in range(number)))
    with pytest.raises(ValueError, match=f"the {word} convolution would have nothing left"):
        map_side(chain, 2 * number)


def test_the_shorter_side_decides():
    check_image_size("a chain", CHAIN, 6, 100)
    message = "images must be at least 6 x 6 for a chain, got 100 x 4: the first convolution would"
    with pytest.raises(ValueError, match=message):
        check_image_size("a chain", CHAIN, 100, 4)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Conv2d(1, 1, (3, 5)), r"windows, steps and padding must be square, got \(3, 5\)"),
        (nn.Conv2d(1, 1, 3, padding="same"), "must be square, got 'same'"),
        (nn.MaxPool2d(2, ceil_mode=True), "ceil_mode must be False, got True"),
    ],
)
def test_what_the_arithmetic_does_not_cover_is_refused(layer, message):
    with pytest.raises(NotImplementedError, match=message):
        smallest_image(nn.Sequential(layer))


@settings(deadline=None, derandomize=True)  # a busy machine is slow, not wrong
@given(
    kind=st.sampled_from([nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d]),
    side=st.integers(1, 12),
    kernel_size=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
)
def test_the_arithmetic_agrees_with_the_layers(kind, side, kernel_size, stride, padding, dilation):
    options = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    if kind is nn.Conv2d:
        options |= {"in_channels": 1, "out_channels": 1, "dilation": dilation}
    else:
        options["padding"] = min(padding, kernel_size // 2)  # PyTorch allows poolings no more
    layer = kind(**options)
    try:
        expected = layer(torch.zeros(1, 1, side, side)).shape[2]
    except RuntimeError:
        with pytest.raises(ValueError, match="would have nothing left"):
            map_side(nn.Sequential(layer), side)
    else:
        assert map_side(nn.Sequential(layer), side) == expected
