import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.layers.windows import output_size, sliding_windows


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"window": 3}, 3, id="plain"),
        pytest.param({"window": 3, "padding": 1}, 5, id="same size"),
        pytest.param({"window": 3, "stride": 2}, 2, id="stride"),
        pytest.param({"window": 3, "stride": 2, "padding": 1}, 3, id="stride and padding"),
        pytest.param({"window": 3, "dilation": 2}, 1, id="dilation"),
        pytest.param({"window": 2, "stride": 2}, 2, id="leftover left out"),
        pytest.param({"window": 2, "stride": 2, "ceil_mode": True}, 3, id="leftover kept"),
    ],
)
def test_the_output_size_for_five_pixels_is_the_one_computed_by_hand(arguments, expected):
    assert output_size(5, **arguments) == expected


def test_a_window_may_stick_out_by_less_than_the_stride_in_ceil_mode():
    assert output_size(2, 3, stride=2, ceil_mode=True) == 1
    for stride in (1, 2):
        with pytest.raises(ValueError, match="padded image of 2 pixels, got 4"):
            output_size(2, 4, stride=stride, ceil_mode=True)


def test_a_window_that_would_start_behind_the_image_is_no_window():
    # From -1 in steps of 4: at 3 it starts in the padding behind the 3 pixels.
    assert output_size(3, 2, stride=4, padding=1, ceil_mode=True) == 1


@settings(deadline=None, max_examples=50)
@given(
    size=st.integers(1, 12),
    window=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
)
def test_the_last_window_fits_and_one_more_would_not(size, window, stride, padding, dilation):
    padded, reach = size + 2 * padding, dilation * (window - 1) + 1
    if reach > padded:
        with pytest.raises(ValueError, match="window must fit into the padded image"):
            output_size(size, window, stride=stride, padding=padding, dilation=dilation)
        return
    places = output_size(size, window, stride=stride, padding=padding, dilation=dilation)
    assert (places - 1) * stride + reach <= padded < places * stride + reach


def test_windows_are_a_view_of_the_image():
    images = torch.arange(9.0).reshape(1, 1, 3, 3)
    windows = sliding_windows(images, (2, 2))
    images[0, 0, 1, 1] = 100.0  # the middle pixel lies in all four windows
    assert (windows == 100.0).sum() == 4


def test_dilation_skips_pixels_inside_the_window():
    images = torch.arange(9).reshape(1, 1, 3, 3)
    assert sliding_windows(images, (2, 2), dilation=(2, 2)).tolist() == [[[[[[0, 2], [6, 8]]]]]]


def test_one_number_stands_for_both_directions():
    images = torch.rand(1, 1, 9, 9)
    windows = sliding_windows(images, 3, stride=2, dilation=2)
    assert torch.equal(windows, sliding_windows(images, (3, 3), stride=(2, 2), dilation=(2, 2)))


def test_an_empty_batch_has_no_window():
    assert sliding_windows(torch.zeros(0, 2, 4, 4), (2, 2)).shape == (0, 2, 3, 3, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"size": 0, "window": 1}, "size must be at least 1, got 0", id="size"),
        pytest.param({"size": 3, "window": 0}, "window must be at least 1, got 0", id="window"),
        pytest.param(
            {"size": 3, "window": 2, "stride": 0}, "stride must be at least 1", id="stride"
        ),
        pytest.param(
            {"size": 3, "window": 2, "dilation": 0},
            "dilation must be at least 1",
            id="dilation",
        ),
        pytest.param(
            {"size": 3, "window": 2, "padding": -1},
            "padding must be at least 0, got -1",
            id="padding",
        ),
        pytest.param(
            {"size": 3, "window": 6, "padding": 1},
            "window must fit into the padded image of 5 pixels, got 6",
            id="too large",
        ),
    ],
)
def test_impossible_sizes_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        output_size(**arguments)


def test_windows_of_a_single_image_without_batch_are_rejected():
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(3, 3\)"):
        sliding_windows(torch.zeros(3, 3), (2, 2))


def test_windows_agree_with_torch_unfold():
    images = torch.rand(2, 3, 7, 6, generator=torch.Generator().manual_seed(0))
    windows = sliding_windows(images, (2, 3), stride=(2, 1), dilation=(2, 1))  # (2, 3, 3, 4, 2, 3)
    unfolded = torch.nn.functional.unfold(images, (2, 3), dilation=(2, 1), stride=(2, 1))
    torch.testing.assert_close(windows.permute(0, 1, 4, 5, 2, 3).reshape(2, 18, -1), unfolded)
