import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.layers.pooling import avg_pool2d, max_pool2d, pool2d

RAMP = torch.arange(9.0).reshape(3, 3)
LARGE = torch.arange(16.0).reshape(1, 1, 4, 4)
IMAGE = torch.tensor(
    [[3.0, 4.0, 6.0, 5.0], [2.0, 4.0, 6.0, 8.0], [1.0, 6.0, 7.0, 8.0], [9.0, 7.0, 4.0, 6.0]]
)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("mode", "expected"), [("max", [[4, 5], [7, 8]]), ("average", [[2, 3], [5, 6]])]
)
def test_the_ramp_of_the_notes_pools_to_their_values(mode, expected):
    assert pool2d(RAMP, 2, mode).tolist() == expected


def test_a_row_that_moves_by_one_still_overlaps_after_pooling():
    assert pool2d(torch.tensor([[0.0, 1.0, 0.0, 0.0]]), (1, 2)).tolist() == [[1, 1, 0]]
    assert pool2d(torch.tensor([[0.0, 0.0, 1.0, 0.0]]), (1, 2)).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"window": 3}, [[10]], id="the stride is the window"),
        pytest.param({"window": 3, "stride": 2, "padding": 1}, [[5, 7], [13, 15]], id="padding"),
        pytest.param(
            {"window": (2, 3), "stride": (2, 3), "padding": (0, 1)},
            [[5, 7], [13, 15]],
            id="rectangle",
        ),
        pytest.param({"window": 3, "ceil_mode": True}, [[10, 11], [14, 15]], id="leftover kept"),
    ],
)
def test_the_4x4_image_of_the_notes_pools_to_their_values(arguments, expected):
    assert max_pool2d(LARGE, **arguments)[0, 0].tolist() == expected


def test_the_image_of_the_other_notes_pools_to_their_values():
    images = IMAGE[None, None]
    assert max_pool2d(images, 2)[0, 0].tolist() == [[4, 8], [9, 8]]
    assert avg_pool2d(images, 2)[0, 0].tolist() == [[3.25, 6.25], [5.75, 6.25]]
    assert max_pool2d(images, 2, stride=1)[0, 0].tolist() == [[4, 6, 8], [6, 7, 8], [9, 7, 8]]


def test_incomplete_windows_are_kept_only_in_ceil_mode():
    rows = [[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1]]
    images = torch.tensor(rows, dtype=torch.float32)[None, None]
    assert max_pool2d(images, 3, ceil_mode=True)[0, 0].tolist() == [[2, 3], [5, 1]]
    assert max_pool2d(images, 3)[0, 0].tolist() == [[2]]


def test_each_channel_is_pooled_by_itself():
    images = torch.cat([LARGE, LARGE + 1], dim=1)
    output = max_pool2d(images, 3, stride=2, padding=1)
    assert output[0].tolist() == [[[5, 7], [13, 15]], [[6, 8], [14, 16]]]


def test_the_padding_never_wins_a_maximum():
    assert (max_pool2d(torch.full((1, 1, 4, 4), -1.0), 3, padding=1) == -1).all()


def test_the_gradient_of_a_maximum_goes_to_the_winner_and_of_equal_ones_to_the_first():
    image = torch.tensor([[1.0, 3.0], [2.0, 0.0]], requires_grad=True)
    pool2d(image, 2).sum().backward()
    assert image.grad.tolist() == [[0, 1], [0, 0]]
    for pool in (lambda x: pool2d(x, 2), lambda x: max_pool2d(x[None, None], 2)):
        equal = torch.ones(2, 2, requires_grad=True)
        pool(equal).sum().backward()
        assert equal.grad.tolist() == [[1, 0], [0, 0]]


def test_zeros_of_the_padding_that_count_swallow_part_of_the_gradient():
    images = LARGE.clone().requires_grad_()
    avg_pool2d(images, 3, stride=1, padding=1).sum().backward()
    assert images.grad.sum().item() == pytest.approx(100 / 9, abs=1e-4)  # of 16
    images.grad = None
    avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False).sum().backward()
    assert images.grad.sum().item() == pytest.approx(16, abs=1e-4)


def test_a_nan_stays_visible():
    image = RAMP.clone()
    image[0, 0] = torch.nan
    for output in (pool2d(image, 2), max_pool2d(image[None, None], 2, stride=1)[0, 0]):
        assert output.isnan().tolist() == [[True, False], [False, False]]


@settings(deadline=None, max_examples=25)
@given(factor=st.floats(0.125, 4), shift=st.floats(-3, 3), mode=st.sampled_from(["max", "average"]))
def test_pooling_keeps_a_change_of_brightness_and_contrast(factor, shift, mode):
    image = draw(4, 5)
    changed = pool2d(factor * image + shift, 2, mode)
    torch.testing.assert_close(changed, factor * pool2d(image, 2, mode) + shift)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000))
def test_the_mean_lies_between_the_smallest_and_the_largest(seed):
    images = draw(1, 2, 5, 5, seed=seed)
    mean = avg_pool2d(images, 2)
    assert (mean <= max_pool2d(images, 2)).all()
    assert (mean >= -max_pool2d(-images, 2)).all()


@pytest.mark.parametrize("count_include_pad", [True, False])
def test_means_that_half_precision_holds_do_not_overflow_on_the_way(count_include_pad):
    images = torch.full((1, 1, 4, 4), 30_000.0, dtype=torch.float16)  # two of them are too much
    means = avg_pool2d(images, 3, padding=1, stride=2, count_include_pad=count_include_pad)
    expected = F.avg_pool2d(images, 3, 2, 1, count_include_pad=count_include_pad)
    torch.testing.assert_close(means, expected)


def test_an_empty_batch_gives_an_empty_output():
    assert max_pool2d(torch.zeros(0, 2, 4, 4), 2).shape == (0, 2, 2, 2)
    assert avg_pool2d(torch.zeros(0, 2, 4, 4), 2).shape == (0, 2, 2, 2)


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        pytest.param((4, 4), {}, r"images must have shape \(B, C, H, W\), got \(4, 4\)", id="rank"),
        pytest.param((1, 1, 1, 4), {}, "window must fit into the padded image", id="too large"),
        pytest.param((1, 1, 0, 4), {}, "size must be at least 1, got 0", id="no pixel"),
        pytest.param((1, 1, 4, 4), {"stride": 0}, "stride must be at least 1, got 0", id="stride"),
        pytest.param(
            (1, 1, 4, 4),
            {"padding": (0, 2)},
            r"padding must be at most half the window \(2, 2\), got \(0, 2\)",
            id="padding",
        ),
    ],
)
def test_layers_reject_what_does_not_fit(pool, shape, arguments, message):
    with pytest.raises(ValueError, match=message):
        pool(torch.zeros(shape), 2, **arguments)


@pytest.mark.parametrize(
    ("image", "arguments", "message"),
    [
        pytest.param(
            RAMP[0], {"window": 2}, r"image must have shape \(H, W\), got \(3,\)", id="rank"
        ),
        pytest.param(
            torch.zeros(0, 3), {"window": 2}, "image must not be empty, got shape", id="empty"
        ),
        pytest.param(
            RAMP, {"window": 4}, "window must fit into the padded image of 3 pixels", id="too large"
        ),
        pytest.param(RAMP, {"window": 0}, "window must be at least 1, got 0", id="no window"),
        pytest.param(
            RAMP,
            {"window": 2, "mode": "avg"},
            "mode must be 'max' or 'average', got 'avg'",
            id="mode",
        ),
    ],
)
def test_pool2d_rejects_what_does_not_fit(image, arguments, message):
    with pytest.raises(ValueError, match=message):
        pool2d(image, **arguments)


def test_integer_images_are_rejected():
    message = "must be a floating-point tensor, got torch.int64"
    with pytest.raises(TypeError, match=f"image {message}"):
        pool2d(RAMP.long(), 2, "average")
    for pool in (max_pool2d, avg_pool2d):
        with pytest.raises(TypeError, match=f"images {message}"):
            pool(LARGE.long(), 2)


def test_the_layers_agree_with_the_loops():
    image = draw(5, 6)
    batch = image[None, None]
    torch.testing.assert_close(
        max_pool2d(batch, (2, 3), stride=1)[0, 0], pool2d(image, (2, 3), "max")
    )
    torch.testing.assert_close(
        avg_pool2d(batch, (2, 3), stride=1)[0, 0], pool2d(image, (2, 3), "average")
    )


PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))
SIDES = st.tuples(st.integers(1, 7), st.integers(1, 7))


def same_in_value_and_gradient(images, ours, theirs):
    mine, other = images.clone().requires_grad_(), images.clone().requires_grad_()
    try:
        expected = theirs(other)
    except RuntimeError:  # no window fits
        with pytest.raises(ValueError, match="window must fit into the padded image"):
            ours(mine)
        return
    output = ours(mine)
    torch.testing.assert_close(output, expected)
    upstream = draw(*output.shape, seed=1)
    output.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(mine.grad, other.grad)


@settings(deadline=None, max_examples=80)
@given(sides=SIDES, window=PAIRS, stride=PAIRS, pad=st.booleans(), ceil_mode=st.booleans())
@example(sides=(2, 2), window=(3, 3), stride=(2, 2), pad=False, ceil_mode=True)
def test_max_pooling_agrees_with_torch_also_where_pixels_are_equal(
    sides, window, stride, pad, ceil_mode
):
    padding = (window[0] // 2, window[1] // 2) if pad else (0, 0)
    arguments = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    same_in_value_and_gradient(
        draw(2, 3, *sides).clamp(min=0),  # after a ReLU many pixels are equal
        lambda images: max_pool2d(images, window, **arguments),
        lambda images: F.max_pool2d(images, window, **arguments),
    )


@settings(deadline=None, max_examples=80)
@given(sides=SIDES, window=PAIRS, stride=PAIRS, pad=st.booleans(), count=st.booleans())
def test_average_pooling_agrees_with_torch(sides, window, stride, pad, count):
    padding = (window[0] // 2, window[1] // 2) if pad else (0, 0)
    arguments = {"stride": stride, "padding": padding, "count_include_pad": count}
    same_in_value_and_gradient(
        draw(2, 3, *sides),
        lambda images: avg_pool2d(images, window, **arguments),
        lambda images: F.avg_pool2d(images, window, **arguments),
    )


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        pytest.param(lambda x: pool2d(x, 2, "max"), (3, 4), id="loops, max"),
        pytest.param(lambda x: pool2d(x, 2, "average"), (3, 4), id="loops, average"),
        pytest.param(lambda x: max_pool2d(x, 3, stride=2, padding=1), (2, 1, 4, 4), id="max"),
        pytest.param(lambda x: avg_pool2d(x, 3, stride=2, padding=1), (2, 1, 4, 4), id="average"),
    ],
)
def test_the_gradients_are_right(function, shape):
    assert gradcheck(function, draw(*shape).requires_grad_())
