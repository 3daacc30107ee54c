import pytest
import torch
from torch import nn

from notes.inspect import summarize
from notes.models.classifier import smallest_image
from notes.models.nin import nin, nin_block


def on_meta(**options):
    with torch.device("meta"):
        return nin(**options)


def test_the_shapes_are_those_of_the_notes():
    model, x = on_meta(), torch.zeros(1, 1, 224, 224, device="meta")
    shapes = {}
    for name, stage in model.named_children():
        x = stage(x)
        shapes[name] = tuple(x.shape[1:])
    assert shapes == {
        "block1": (96, 54, 54),
        "pool1": (96, 26, 26),
        "block2": (256, 26, 26),
        "pool2": (256, 12, 12),
        "block3": (384, 12, 12),
        "pool3": (384, 5, 5),
        "dropout": (384, 5, 5),
        "block4": (10, 5, 5),
        "average": (10, 1, 1),
        "flatten": (10,),
    }


def test_it_has_the_parameters_and_the_cost_of_the_notes():
    summary = summarize(on_meta(), (1, 224, 224))
    assert summary.num_parameters == 1_992_166
    assert summary.multiply_adds == 762_297_352


def test_the_1x1_convolutions_have_neither_stride_nor_padding():
    block = nin_block(1, 8, kernel_size=11, stride=4, padding=2)
    assert [(conv.kernel_size, conv.stride, conv.padding) for conv in block[::2]] == [
        ((11, 11), (4, 4), (2, 2)),
        ((1, 1), (1, 1), (0, 0)),
        ((1, 1), (1, 1), (0, 0)),
    ]


def test_a_1x1_convolution_of_a_block_is_a_dense_layer_for_each_pixel():
    conv, x = nin_block(1, 8, kernel_size=3)[2], torch.randn(2, 8, 5, 6)
    dense = nn.functional.linear(x.movedim(1, -1), conv.weight[:, :, 0, 0], conv.bias)
    torch.testing.assert_close(conv(x), dense.movedim(-1, 1))


def test_no_logit_is_negative_because_the_network_ends_in_a_relu():
    torch.manual_seed(0)
    assert (nin(width=0.1)(torch.randn(4, 1, 67, 67)) >= 0).all()


def test_67_pixels_are_the_smallest_image():
    assert smallest_image(on_meta()) == 67
    assert on_meta(num_classes=7)(torch.zeros(2, 1, 67, 67, device="meta")).shape == (2, 7)


def test_a_dead_class_gets_no_gradient_unless_the_final_relu_is_left_out():
    torch.manual_seed(0)
    images = torch.randn(2, 1, 67, 67)
    slopes = {}
    for final_relu in (True, False):
        model = nin(width=0.1, final_relu=final_relu)
        last = model.block4[4]
        nn.init.constant_(last.bias, -100.0)  # every logit is far below 0 before the ReLU
        nn.functional.cross_entropy(model(images), torch.tensor([3, 1])).backward()
        slopes[final_relu] = last.bias.grad.abs().sum().item()
    assert slopes[True] == 0
    assert slopes[False] > 0


def test_it_memorizes_one_batch(memorizes, labels):
    # 32 classes: the last block is as thin as there are classes, and too few ReLUs may all die.
    model = nin(3, 32, width=0.25, final_relu=False)
    assert memorizes(model, torch.randn(8, 3, 67, 67), labels, lr=2e-3, steps=100)


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


@pytest.mark.parametrize(("size", "pooling"), [(66, "third"), (32, "second")])
def test_images_that_are_too_small_are_refused(size, pooling):
    message = (
        f"images must be at least 67 x 67 for NiN, got {size} x {size}: the {pooling} max pooling "
        "would have nothing left"
    )
    with pytest.raises(ValueError, match=message):
        on_meta()(torch.zeros(1, 1, size, size, device="meta"))
