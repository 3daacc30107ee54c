import pytest
import torch

from notes.augmentation._inputs import (
    check_channels,
    check_draws,
    check_fill,
    check_images,
    check_range,
)

IMAGES = torch.zeros(2, 3, 4, 5)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.float32, torch.float64])
def test_images_may_be_bytes_or_floats(dtype):
    check_images(IMAGES.to(dtype))


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 2, 3, 4, 5), (4,)])
def test_images_of_another_rank_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \("):
        check_images(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0)])
def test_empty_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must not be empty, got shape \(\d, "):
        check_images(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.int8, torch.complex64])
def test_images_of_other_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match=r"^images must be uint8 or floating-point, got torch."):
        check_images(IMAGES.to(dtype))


def test_something_else_than_a_tensor_is_refused():
    with pytest.raises(TypeError, match=r"images must be a tensor, got list"):
        check_images([[1.0]])


@pytest.mark.parametrize("channels", [1, 3])
def test_gray_and_rgb_images_have_colors(channels):
    check_channels(IMAGES[:, :channels])


@pytest.mark.parametrize("channels", [2, 4])
def test_other_numbers_of_channels_have_no_colors(channels):
    with pytest.raises(ValueError, match=f"^images must have 1 or 3 channels, got {channels}$"):
        check_channels(torch.zeros(1, channels, 2, 2))


def test_draws_have_one_row_for_each_image():
    check_draws("shifts", torch.zeros(2, 4), IMAGES, 4)


@pytest.mark.parametrize("shape", [(3, 4), (2,), (2, 3), (2, 4, 1)])
def test_draws_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"shifts must have shape \(2, 4\), got \("):
        check_draws("shifts", torch.zeros(shape), IMAGES, 4)


def test_draws_on_another_device_are_refused():
    with pytest.raises(ValueError, match=r"tops must be on the device of images, cpu, got meta"):
        check_draws("tops", torch.zeros(2, device="meta"), IMAGES)


@pytest.mark.parametrize("value", [NAN, INF])
def test_draws_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match=rf"tops must be finite, got {value} at index \(1,\)"):
        check_draws("tops", torch.tensor([0.0, value]), IMAGES)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)])
def test_a_rising_pair_is_a_range(bounds):
    check_range("scale", bounds, 0.0, 1.0)


def test_a_range_is_open_above_unless_told():
    check_range("ratio", (0.0, 1e30))


@pytest.mark.parametrize("bounds", [(0.5, 0.4), (-0.1, 1.0), (0.0, 1.1), (NAN, 1.0), (0.0, NAN)])
def test_other_pairs_are_refused(bounds):
    with pytest.raises(ValueError, match=r"^scale must be a rising pair in \[0.0, 1.0\], got \("):
        check_range("scale", bounds, 0.0, 1.0)


def test_a_range_starts_at_zero_unless_told():
    with pytest.raises(ValueError, match=r"^ratio must be a rising pair in \[0.0, inf\], got "):
        check_range("ratio", (-1.0, 1.0))


@pytest.mark.parametrize("value", [0, 255, 7.0])
def test_bytes_are_filled_with_bytes(value):
    check_fill("fill", value, IMAGES.byte())


@pytest.mark.parametrize("value", [-1, 256, 0.5, NAN])
def test_bytes_are_not_filled_with_anything_else(value):
    message = rf"^fill must be a whole number in \[0, 255\] for uint8 images, got {value}$"
    with pytest.raises(ValueError, match=message):
        check_fill("fill", value, IMAGES.byte())


@pytest.mark.parametrize("value", [-1.0, 256, 0.5])
def test_floats_are_filled_with_anything(value):
    check_fill("fill", value, IMAGES)
