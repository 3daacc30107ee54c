import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck

from notes.layers.batch_norm import BatchNorm, batch_norm, batch_statistics, normalize

SHAPES = [
    pytest.param((6, 3), nn.BatchNorm1d, id="features"),
    pytest.param((4, 3, 5), nn.BatchNorm1d, id="sequence"),
    pytest.param((4, 3, 5, 2), nn.BatchNorm2d, id="images"),
    pytest.param((2, 3, 2, 3, 2), nn.BatchNorm3d, id="volumes"),
]


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain(inputs, training=True, **arguments):
    """`batch_norm` with fresh averages and without learned scale or mean."""
    zeros, ones = inputs.new_zeros(inputs.shape[1]), inputs.new_ones(inputs.shape[1])
    return batch_norm(
        inputs, zeros, ones.clone(), ones, zeros.clone(), training=training, **arguments
    )


def test_the_statistics_are_those_computed_by_hand():
    mean, variance = batch_statistics(torch.tensor([[1.0, 0.0], [3.0, 0.0], [8.0, 3.0]]))
    assert mean.tolist() == [4, 1]
    torch.testing.assert_close(variance, torch.tensor([26 / 3, 2.0]))


def test_images_have_one_mean_for_each_channel_over_all_pixels():
    images = torch.arange(8.0).reshape(2, 1, 2, 2).expand(2, 3, 2, 2)
    mean, variance = batch_statistics(images)
    assert mean.tolist() == [3.5] * 3
    assert variance.tolist() == [5.25] * 3


def test_running_averages_move_by_the_momentum_and_take_the_unbiased_variance():
    mean, var = torch.zeros(1), torch.ones(1)
    inputs = torch.tensor([[1.0], [3.0]])  # mean 2, variance 1, unbiased 2
    batch_norm(inputs, mean, var, torch.ones(1), torch.zeros(1), training=True, momentum=0.25)
    assert (mean.item(), var.item()) == (0.5, 1.25)


def test_evaluation_uses_the_running_averages_and_leaves_them():
    mean, var = torch.tensor([10.0]), torch.tensor([4.0])
    inputs = torch.tensor([[10.0], [14.0]])
    output = batch_norm(
        inputs, mean, var, torch.tensor([3.0]), torch.tensor([1.0]), training=False, eps=1e-9
    )
    assert output.tolist() == [[1], [7]]
    assert (mean.item(), var.item()) == (10, 4)


def test_a_constant_channel_becomes_zero_not_nan():
    assert plain(torch.full((4, 2), 7.0)).tolist() == [[0, 0]] * 4


@settings(deadline=None, max_examples=25)
@given(factor=st.floats(0.5, 100), shift=st.floats(-100, 100), seed=st.integers(0, 100))
def test_scale_and_offset_of_a_channel_make_no_difference_in_training(factor, shift, seed):
    inputs = draw(8, 3, 2, seed=seed)
    output = plain(inputs, eps=1e-12)
    torch.testing.assert_close(plain(factor * inputs + shift, eps=1e-12), output, atol=1e-6, rtol=0)
    mean, variance = batch_statistics(output)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-9, rtol=0)
    torch.testing.assert_close(variance, torch.ones_like(variance))


def test_the_order_of_the_examples_makes_no_difference():
    inputs, order = draw(6, 3), torch.tensor([5, 2, 0, 1, 4, 3])
    torch.testing.assert_close(plain(inputs[order]), plain(inputs)[order])


def test_it_is_affine_in_evaluation_but_not_in_training():
    inputs, other = draw(5, 3), draw(5, 3, seed=1)
    for training, affine in ((False, True), (True, False)):
        between = plain((inputs + other) / 2, training)
        mixed = (plain(inputs, training) + plain(other, training)) / 2
        assert torch.allclose(between, mixed) is affine


def test_the_layer_keeps_averages_as_buffers_and_counts_the_batches():
    layer = BatchNorm(3)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    layer(torch.rand(4, 3))
    layer(torch.rand(4, 3))
    layer.eval()(torch.rand(4, 3))
    assert layer.num_batches_tracked == 2


def test_an_empty_batch_is_fine_in_evaluation_only():
    layer = BatchNorm(3)
    assert layer.eval()(torch.zeros(0, 3)).shape == (0, 3)
    with pytest.raises(ValueError, match=r"inputs must not be empty, got shape \(0, 3\)"):
        layer.train()(torch.zeros(0, 3))


def test_one_value_per_channel_is_rejected_in_training():
    message = r"inputs must have more than 1 value per channel in training, got shape \(1, 120\)"
    with pytest.raises(ValueError, match=message):
        BatchNorm(120)(torch.zeros(1, 120))
    assert BatchNorm(120).eval()(torch.zeros(1, 120)).shape == (1, 120)


def test_a_nan_is_rejected_before_it_spoils_the_averages():
    layer, inputs = BatchNorm(2), torch.ones(3, 2)
    inputs[1, 0] = torch.nan
    with pytest.raises(ValueError, match=r"inputs must be finite, got nan at index \(1, 0\)"):
        layer(inputs)
    assert layer.running_mean.tolist() == [0, 0]
    assert layer.num_batches_tracked == 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param(
            torch.zeros(3), r"inputs must have shape \(B, C, ...\), got \(3,\)", id="rank"
        ),
        pytest.param(
            torch.zeros(2, 4), r"running_mean must have shape \(4,\), got \(3,\)", id="channels"
        ),
        pytest.param(
            torch.zeros(2, 3, device="meta"),
            "running_mean must be on the device of inputs, meta, got cpu",
            id="device",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_rejected(inputs, message):
    with pytest.raises(ValueError, match=message):
        BatchNorm(3)(inputs)


def test_integers_and_mixed_dtypes_are_rejected():
    with pytest.raises(
        TypeError, match=r"inputs must be a floating-point tensor, got torch\.int64"
    ):
        BatchNorm(3)(torch.ones(2, 3, dtype=torch.long))
    with pytest.raises(TypeError, match="running_mean must have the dtype of inputs"):
        BatchNorm(3)(torch.ones(2, 3, dtype=torch.float64))


def test_a_scale_for_other_channels_is_rejected():
    one, two = torch.ones(1), torch.ones(2)
    with pytest.raises(ValueError, match=r"weight must have shape \(2,\), got \(1,\)"):
        normalize(torch.ones(3, 2), two, two, one, two)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_features": 0}, "num_features must be at least 1, got 0"),
        ({"num_features": 3, "momentum": 1.5}, r"momentum must lie in \[0, 1\], got 1.5"),
        ({"num_features": 3, "eps": 0.0}, "eps must be greater than 0, got 0.0"),
    ],
)
def test_numbers_out_of_range_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchNorm(**arguments)


@pytest.mark.parametrize("training", [True, False])
def test_the_function_agrees_with_torch(training):
    inputs, weight, bias = draw(4, 3, 2, 2), draw(3, seed=1), draw(3, seed=2)
    ours = [draw(3, seed=3), draw(3, seed=4).abs()]
    theirs = [tensor.clone() for tensor in ours]
    output = batch_norm(inputs, *ours, weight, bias, training=training, momentum=0.3, eps=1e-3)
    expected = F.batch_norm(inputs, *theirs, weight, bias, training, 0.3, 1e-3)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("shape", "module"), SHAPES)
def test_three_training_steps_and_an_evaluation_agree_with_torch(shape, module):
    ours, theirs = BatchNorm(3).double(), module(3).double()
    with torch.no_grad():
        ours.weight.copy_(draw(3, seed=8))
        ours.bias.copy_(draw(3, seed=9))
    theirs.load_state_dict(ours.state_dict())
    for step, training in enumerate([True, True, True, False]):
        mine, other = (draw(*shape, seed=step).requires_grad_() for _ in range(2))
        output, expected = ours.train(training)(mine), theirs.train(training)(other)
        torch.testing.assert_close(output, expected)
        output.pow(3).sum().backward()
        expected.pow(3).sum().backward()
        torch.testing.assert_close(mine.grad, other.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@settings(deadline=None, max_examples=60)
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=5),
    training=st.booleans(),
    momentum=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_any_shape_agrees_with_torch(shape, training, momentum, seed):
    inputs, parameters = draw(*shape, seed=seed), draw(4, shape[1], seed=seed + 1)
    mine, other = ([*parameters[:2].abs().clone()] for _ in range(2))
    arguments = {"training": training, "momentum": momentum}
    try:
        expected = F.batch_norm(inputs, *other, *parameters[2:], **arguments)
    except ValueError:  # one value for each channel
        with pytest.raises(ValueError, match="inputs must have more than 1 value per channel"):
            batch_norm(inputs, *mine, *parameters[2:], **arguments)
        return
    torch.testing.assert_close(batch_norm(inputs, *mine, *parameters[2:], **arguments), expected)
    torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("full", [True, False], ids=["float32 parameters", "half parameters"])
def test_half_precision_is_rounded_only_once(dtype, full, training):
    # Squares of 300 are beyond the range of float16, and sums of bfloat16 would lose all digits.
    inputs = (300 * draw(8, 3, 4, 4) + 100).to(dtype)
    ours, exact = BatchNorm(3).train(training), nn.BatchNorm2d(3).double().train(training)
    if not full:
        ours.to(dtype)
    output = ours(inputs)
    assert output.dtype == dtype
    torch.testing.assert_close(output, exact(inputs.double()).to(dtype))
    assert ours.running_var.dtype == (torch.float32 if full else dtype)
    averages = exact.running_mean.to(ours.running_mean.dtype)
    torch.testing.assert_close(ours.running_mean, averages)
    mean, variance = batch_statistics(inputs)
    torch.testing.assert_close(mean, inputs.float().mean(dim=(0, 2, 3)))
    assert variance.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("training", [True, False])
def test_behind_another_layer_under_autocast_it_gives_what_torch_gives(dtype, training):
    torch.manual_seed(0)
    for before, theirs, shape in (
        (nn.Linear(4, 3), nn.BatchNorm1d(3), (6, 4)),
        (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), (4, 2, 5, 5)),
    ):
        ours = BatchNorm(3).train(training)
        theirs.train(training)
        inputs = draw(*shape).float()
        with torch.autocast("cpu", dtype=dtype):
            output, expected = ours(before(inputs)), theirs(before(inputs))
        torch.testing.assert_close(output, expected)
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("training", [True, False])
def test_the_gradients_are_right(training):
    def fresh(inputs, weight, bias):  # averages of its own for every call: training changes them
        averages = torch.zeros(2).double(), torch.ones(2).double()
        return batch_norm(inputs, *averages, weight, bias, training=training)

    inputs = [draw(4, 2, 3), draw(2, seed=1), draw(2, seed=2)]
    assert gradcheck(fresh, [tensor.requires_grad_() for tensor in inputs])
