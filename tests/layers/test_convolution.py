import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.layers.convolution import (
    conv2d,
    corr2d,
    corr2d_1x1,
    corr2d_multi_in,
    corr2d_multi_in_out,
)

IMAGE = torch.tensor(
    [
        [3.0, 4.0, 6.0, 5.0, 7.0],
        [2.0, 4.0, 6.0, 8.0, 2.0],
        [1.0, 6.0, 7.0, 8.0, 4.0],
        [9.0, 7.0, 4.0, 6.0, 2.0],
        [3.0, 7.0, 5.0, 4.0, 1.0],
    ]
)
KERNEL = torch.arange(1.0, 10.0).reshape(3, 3)
RAMP = torch.arange(9.0).reshape(3, 3)
SMALL = torch.tensor([[0.0, 1.0], [2.0, 3.0]])


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def layer(image, kernel, **arguments):
    """`conv2d` on one image of one channel."""
    return conv2d(image[None, None], kernel[None, None], **arguments)[0, 0]


def test_the_first_patch_of_the_notes_sums_to_211():
    assert corr2d(IMAGE[:3, :3], KERNEL).tolist() == [[211.0]]


@pytest.mark.parametrize("function", [corr2d, layer])
def test_the_image_of_the_notes_gives_their_table(function):
    expected = [[211, 295, 262], [259, 282, 214], [251, 253, 169]]
    assert function(IMAGE, KERNEL).tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            {"padding": 1},
            [
                [91, 168, 224, 215, 127],
                [114, 211, 295, 262, 149],
                [192, 259, 282, 214, 122],
                [194, 251, 253, 169, 86],
                [96, 112, 110, 68, 31],
            ],
            id="padding 1",
        ),
        pytest.param({"stride": 2}, [[211, 262], [251, 169]], id="stride 2"),
        pytest.param(
            {"stride": 2, "padding": 1},
            [[91, 224, 127], [192, 282, 122], [96, 110, 31]],
            id="both",
        ),
    ],
)
def test_padding_and_stride_give_the_tables_of_the_notes(arguments, expected):
    assert layer(IMAGE, KERNEL, **arguments).tolist() == expected


def test_a_true_convolution_turns_the_kernel_around():
    expected = [[179, 245, 268], [201, 278, 256], [239, 287, 241]]
    assert corr2d(IMAGE, KERNEL.flip(0, 1)).tolist() == expected


def test_the_ramp_of_the_notes_gives_19_25_37_43():
    assert corr2d(RAMP, SMALL).tolist() == [[19, 25], [37, 43]]


def test_an_edge_detector_answers_at_the_edge_only():
    image = torch.tensor([[1.0, 1.0, 0.0, 0.0, 1.0]])
    assert corr2d(image, torch.tensor([[1.0, -1.0]])).tolist() == [[0, 1, 0, -1]]


def test_several_input_channels_are_added():
    image, kernel = torch.stack([RAMP, RAMP + 1]), torch.stack([SMALL, SMALL + 1])
    assert corr2d_multi_in(image, kernel).tolist() == [[56, 72], [104, 120]]


def test_each_kernel_makes_an_output_channel():
    image, kernel = torch.stack([RAMP, RAMP + 1]), torch.stack([SMALL, SMALL + 1])
    output = corr2d_multi_in_out(image, torch.stack([kernel, kernel + 1, kernel + 2]))
    assert output.tolist() == [
        [[56, 72], [104, 120]],
        [[76, 100], [148, 172]],
        [[96, 128], [192, 224]],
    ]


def test_a_rectangular_kernel_halves_an_8x8_image_with_the_numbers_of_the_notes():
    images, weight = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 5, 3)
    assert conv2d(images, weight, padding=(2, 1)).shape == (1, 1, 8, 8)
    assert conv2d(images, weight, padding=(2, 1), stride=2).shape == (1, 1, 4, 4)


def test_the_bias_is_added_to_its_channel():
    output = conv2d(torch.zeros(1, 1, 2, 2), torch.zeros(2, 1, 1, 1), torch.tensor([1.0, 2.0]))
    assert output.tolist() == [[[[1, 1], [1, 1]], [[2, 2], [2, 2]]]]


@settings(deadline=None, max_examples=25)
@given(down=st.integers(0, 3), right=st.integers(0, 3))
def test_a_shifted_image_gives_a_shifted_output(down, right):
    image = F.pad(draw(4, 4), (4, 4, 4, 4))  # room to shift, so that nothing is lost
    kernel = draw(2, 2, seed=1)
    shifted = corr2d(image.roll((down, right), dims=(0, 1)), kernel)
    torch.testing.assert_close(shifted, corr2d(image, kernel).roll((down, right), dims=(0, 1)))


@settings(deadline=None, max_examples=25)
@given(factor=st.floats(-3, 3), seed=st.integers(0, 100))
def test_it_is_linear_in_the_image(factor, seed):
    first, second, kernel = draw(4, 5, seed=seed), draw(4, 5, seed=seed + 1), draw(2, 3)
    together = corr2d(first + factor * second, kernel)
    torch.testing.assert_close(together, corr2d(first, kernel) + factor * corr2d(second, kernel))


def test_an_empty_batch_gives_an_empty_output():
    assert conv2d(torch.zeros(0, 2, 5, 5), torch.zeros(3, 2, 3, 3)).shape == (0, 3, 3, 3)


@pytest.mark.parametrize(
    ("image", "kernel", "message"),
    [
        pytest.param(
            RAMP[0], SMALL, r"image must have shape \(H, W\), got \(3,\)", id="rank of the image"
        ),
        pytest.param(
            RAMP, SMALL[0], r"kernel must have shape \(h, w\), got \(2,\)", id="rank of the kernel"
        ),
        pytest.param(
            torch.zeros(0, 3), SMALL, r"image must not be empty, got shape \(0, 3\)", id="no image"
        ),
        pytest.param(
            RAMP, torch.zeros(0, 2), r"kernel must not be empty, got shape \(0, 2\)", id="no kernel"
        ),
        pytest.param(
            SMALL, RAMP, "window must fit into the padded image of 2 pixels, got 3", id="too large"
        ),
        pytest.param(
            RAMP,
            SMALL.to("meta"),
            "kernel must be on the device of image, cpu, got meta",
            id="device",
        ),
    ],
)
def test_corr2d_rejects_what_does_not_fit(image, kernel, message):
    with pytest.raises(ValueError, match=message):
        corr2d(image, kernel)


def test_integer_images_are_rejected():
    message = "must be a floating-point tensor, got torch.uint8"
    with pytest.raises(TypeError, match=f"image {message}"):
        corr2d(RAMP.byte(), SMALL)
    with pytest.raises(TypeError, match=f"images {message}"):
        conv2d(RAMP.byte()[None, None], SMALL[None, None])


def test_mixed_dtypes_are_rejected():
    message = "must have the dtype of {}, torch.float32, got torch.float64"
    with pytest.raises(TypeError, match="kernel " + message.format("image")):
        corr2d(RAMP, SMALL.double())
    with pytest.raises(TypeError, match="weight " + message.format("images")):
        conv2d(RAMP[None, None], SMALL.double()[None, None])
    with pytest.raises(TypeError, match="bias " + message.format("images")):
        conv2d(RAMP[None, None], SMALL[None, None], torch.zeros(1, dtype=torch.float64))


@pytest.mark.parametrize(
    ("function", "shape", "wanted"),
    [
        pytest.param(corr2d_multi_in, (3, 2, 2), r"kernel must have shape \(2, h, w\)", id="in"),
        pytest.param(
            corr2d_multi_in_out,
            (4, 3, 2, 2),
            r"kernels must have shape \(O, 2, h, w\)",
            id="in-out",
        ),
        pytest.param(
            corr2d_1x1, (4, 3, 1, 1), r"kernels must have shape \(O, 2, 1, 1\)", id="1x1 channels"
        ),
        pytest.param(
            corr2d_1x1, (4, 2, 3, 3), r"kernels must have shape \(O, 2, 1, 1\)", id="not 1x1"
        ),
    ],
)
def test_kernels_for_other_channels_are_rejected(function, shape, wanted):
    with pytest.raises(ValueError, match=wanted + r", got \(" + ", ".join(map(str, shape))):
        function(torch.zeros(2, 4, 4), torch.zeros(shape))


@pytest.mark.parametrize(
    ("shape", "weight", "arguments", "message"),
    [
        pytest.param(
            (2, 4, 4), (3, 2, 2, 2), {}, r"images must have shape \(B, C, H, W\)", id="no batch"
        ),
        pytest.param(
            (1, 2, 4, 4), (3, 1, 2, 2), {}, r"weight must have shape \(O, 2, h, w\)", id="channels"
        ),
        pytest.param((1, 2, 4, 4), (0, 2, 2, 2), {}, "weight must not be empty", id="no kernel"),
        pytest.param(
            (1, 2, 4, 4),
            (3, 2, 2, 2),
            {"stride": 0},
            "stride must be at least 1, got 0",
            id="stride",
        ),
        pytest.param(
            (1, 2, 4, 4),
            (3, 2, 2, 2),
            {"padding": -1},
            "padding must be at least 0, got -1",
            id="padding",
        ),
        pytest.param(
            (1, 2, 4, 4),
            (3, 2, 2, 2),
            {"dilation": 4},
            "window must fit into the padded image of 4 pixels, got 5",
            id="dilation",
        ),
        pytest.param(
            (1, 2, 4, 4),
            (3, 2, 2, 2),
            {"bias": torch.zeros(2)},
            r"bias must have shape \(3,\), got \(2,\)",
            id="bias",
        ),
    ],
)
def test_conv2d_rejects_what_does_not_fit(shape, weight, arguments, message):
    with pytest.raises(ValueError, match=message):
        conv2d(torch.zeros(shape), torch.zeros(weight), **arguments)


def test_the_loops_agree_with_torch():
    image, kernels = draw(2, 5, 6), draw(3, 2, 3, 2, seed=1)
    expected = F.conv2d(image[None], kernels)[0]
    torch.testing.assert_close(corr2d_multi_in_out(image, kernels), expected)
    torch.testing.assert_close(corr2d_multi_in(image, kernels[0]), expected[0])


def test_a_1x1_convolution_agrees_with_the_loops():
    image, kernels = draw(3, 4, 5), draw(2, 3, 1, 1, seed=1)
    torch.testing.assert_close(corr2d_1x1(image, kernels), corr2d_multi_in_out(image, kernels))


def test_the_layer_agrees_with_the_loops_and_a_stride_only_leaves_places_out():
    images, weight = draw(2, 2, 6, 5), draw(3, 2, 3, 2, seed=1)
    padded = F.pad(images, (1, 1, 1, 1))
    loops = torch.stack([corr2d_multi_in_out(image, weight) for image in padded])
    strided = conv2d(images, weight, stride=(2, 3), padding=1)
    torch.testing.assert_close(strided, loops[:, :, ::2, ::3])


@settings(deadline=None, max_examples=25)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_the_layer_agrees_with_torch_in_value_and_gradient(kernel, stride, padding, dilation):
    ours = [draw(2, 3, 6, 7), draw(4, 3, *kernel, seed=1), draw(4, seed=2)]
    theirs = [tensor.clone().requires_grad_() for tensor in ours]
    ours = [tensor.requires_grad_() for tensor in ours]
    arguments = {"stride": stride, "padding": padding, "dilation": dilation}
    output, expected = conv2d(*ours, **arguments), F.conv2d(*theirs, **arguments)
    torch.testing.assert_close(output, expected)
    upstream = draw(*output.shape, seed=3)
    output.backward(upstream)
    expected.backward(upstream)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_layers_in_a_row_under_autocast_give_what_torch_gives(dtype):
    images, weight, bias = draw(2, 3, 6, 7).float(), draw(3, 3, 3, 3).float(), draw(3).float()
    weight /= 27  # means of 27 products, not sums: all numbers are about 1
    with torch.autocast("cpu", dtype=dtype):
        ours = conv2d(conv2d(images, weight, bias, padding=1), weight)
        theirs = F.conv2d(F.conv2d(images, weight, bias, padding=1), weight)
    torch.testing.assert_close(ours, theirs, atol=0.01, rtol=0.02)  # checks the dtype, too


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        pytest.param(corr2d, [(4, 3), (2, 2)], id="corr2d"),
        pytest.param(corr2d_multi_in, [(2, 3, 3), (2, 2, 2)], id="multi_in"),
        pytest.param(corr2d_multi_in_out, [(2, 3, 3), (2, 2, 2, 2)], id="multi_in_out"),
        pytest.param(corr2d_1x1, [(2, 2, 3), (3, 2, 1, 1)], id="1x1"),
        pytest.param(conv2d, [(2, 2, 3, 3), (2, 2, 2, 2), (2,)], id="conv2d"),
    ],
)
def test_the_gradients_are_right(function, shapes):
    inputs = [draw(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(shapes)]
    assert gradcheck(function, inputs)
