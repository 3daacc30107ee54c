import copy
import warnings
from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from notes.models.alexnet import alexnet
from notes.models.classifier import (
    ImageClassifier,
    check_image_size,
    map_side,
    scaled,
    smallest_image,
)

CHAIN = nn.Sequential(nn.Conv2d(1, 1, 5), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), nn.Flatten())


@pytest.mark.parametrize(
    ("count", "width", "expected"),
    [
        pytest.param(64, 1.0, 64, id="full"),
        pytest.param(64, 0.25, 16, id="a quarter"),
        pytest.param(64, 2.0, 128, id="wider"),
        pytest.param(10, 0.27, 3, id="rounded"),
        pytest.param(64, 0.001, 1, id="never nothing"),
    ],
)
def test_channels_are_scaled(count, width, expected):
    assert scaled(count, width) == expected


def test_half_the_width_leaves_about_a_quarter_of_the_parameters():
    full, half = (
        sum(p.numel() for p in alexnet(image_size=65, width=width).parameters())
        for width in (0.1, 0.05)
    )
    assert half / full == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("width", [0, -0.5, float("nan")])
def test_a_width_that_leaves_nothing_is_refused(width):
    with pytest.raises(ValueError, match="width must be greater than 0, got"):
        scaled(64, width)


def test_the_side_of_the_maps_is_the_one_computed_by_hand():
    assert map_side(CHAIN, 28) == 12  # 28 - 4 = 24, halved


def test_the_smallest_image_is_the_one_computed_by_hand():
    assert smallest_image(CHAIN) == 6  # 2 pixels for the pooling, and 4 that the convolution eats


def test_layers_after_the_flatten_do_not_count():
    assert map_side(nn.Sequential(CHAIN, nn.MaxPool2d(100)), 28) == 12


def test_one_pixel_is_enough_when_everything_is_padded():
    assert smallest_image(nn.Sequential(nn.Conv2d(1, 1, 7, stride=2, padding=3))) == 1


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (4, "the first convolution would have nothing left"),
        (5, "the first max pooling would have nothing left"),
        (0, "image_side must be at least 1, got 0"),
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


def chain(image_size=None):
    layers = OrderedDict(
        conv=nn.Conv2d(1, 2, 5),
        pool=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        output=nn.Linear(2 * 4 * 4, 3),
    )
    return ImageClassifier(layers, name="Tiny", image_size=image_size)


def test_it_runs_its_layers_one_after_the_other():
    model, images = chain(), torch.rand(2, 1, 12, 12)
    expected = model.output(model.flatten(model.pool(model.conv(images))))
    assert torch.equal(model(images), expected)


def test_it_is_a_sequential_that_can_be_read_layer_by_layer():
    model = chain()
    assert [name for name, _ in model.named_children()] == ["conv", "pool", "flatten", "output"]
    assert model[0] is model.conv
    assert len(list(model)) == 4


def test_every_size_that_leads_to_the_same_maps_is_taken():
    model = chain(image_size=12)
    assert model(torch.rand(2, 1, 13, 12)).shape == (2, 3)


def test_a_slice_may_start_in_the_middle():
    model = chain(image_size=12)
    assert model[2:](torch.rand(5, 2, 4, 4)).shape == (5, 3)
    assert model[:2](torch.rand(5, 1, 20, 20)).shape == (5, 2, 8, 8)


def test_an_empty_batch_gives_no_logits():
    assert chain()(torch.zeros(0, 1, 12, 12)).shape == (0, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 1, 3, 9), "images must be at least 6 x 6 for Tiny, got 3 x 9: the first convolution"),
        ((2, 1, 5, 9), "images must be at least 6 x 6 for Tiny, got 5 x 9: the first max pooling"),
        (
            (2, 1, 12, 20),
            "images must be 12 x 12 for Tiny, got 12 x 20: the first dense layer takes maps of "
            "4 x 4, not 4 x 8",
        ),
        ((1, 12, 12), r"images must have shape \(B, 1, H, W\), got \(1, 12, 12\)"),
        ((2, 3, 12, 12), r"images must have shape \(B, 1, H, W\), got \(2, 3, 12, 12\)"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        chain(image_size=12)(torch.zeros(shape))


def test_a_copy_with_loaded_weights_computes_the_same(tmp_path):
    model, clone = chain(), chain()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    clone.load_state_dict(torch.load(tmp_path / "weights.pt"))
    images = torch.rand(2, 1, 12, 12)
    assert torch.equal(model(images), clone(images))
    assert torch.equal(model(images), copy.deepcopy(model)(images))


def test_it_can_be_compiled_and_exported_without_a_break():
    model, images = chain(image_size=12).eval(), torch.rand(2, 1, 12, 12)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert torch.equal(compiled(images), model(images))
    exported = torch.export.export(model, (images,)).module()
    assert torch.equal(exported(images), model(images))


def test_tensorboard_can_trace_it():
    model, images = chain(image_size=12).eval(), torch.rand(2, 1, 12, 12)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", category=FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", category=DeprecationWarning)
        traced = torch.jit.trace(model, images)
    assert torch.equal(traced(images), model(images))
