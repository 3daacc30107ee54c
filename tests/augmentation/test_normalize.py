import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from notes.augmentation.normalize import normalize, normalize_bytes, to_float

MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.5]
BYTES = torch.tensor([[0, 51, 255]] * 2, dtype=torch.uint8).view(1, 1, 2, 3)


def test_bytes_become_numbers_from_0_to_1():
    assert torch.equal(to_float(BYTES)[0, 0, 1], torch.tensor([0, 0.2, 1.0]))


def test_floats_stay_as_they_are(make_images):
    images = make_images(torch.float64)
    assert to_float(images) is images


@pytest.mark.parametrize(("call", "images"), [(normalize_bytes, BYTES), (normalize, BYTES / 255)])
def test_normalized_values_match_those_computed_by_hand(call, images):
    before = images.clone()
    values = call(images, mean=[0.2], std=[0.4])[0, 0, 1]
    torch.testing.assert_close(values, torch.tensor([-0.5, 0.0, 2.0]))
    assert torch.equal(images, before)


def test_the_channels_have_mean_0_and_deviation_1_afterwards(make_images):
    images = make_images(torch.float64)
    mean, std = images.mean(dim=(0, 2, 3)), images.std(dim=(0, 2, 3))
    normalized = normalize(images, mean.tolist(), std.tolist())
    torch.testing.assert_close(normalized.mean(dim=(0, 2, 3)), torch.zeros_like(mean))
    torch.testing.assert_close(normalized.std(dim=(0, 2, 3)), torch.ones_like(std))


def test_half_precision_keeps_its_dtype(make_images):
    assert normalize(make_images(torch.float16), MEAN, STD).dtype == torch.float16


def test_integer_images_are_refused_where_floats_are_due():
    with pytest.raises(TypeError, match=r"images must be a floating-point tensor, got torch.uint8"):
        normalize(BYTES, [0.5], [0.5])


def test_floats_are_refused_where_bytes_are_due():
    with pytest.raises(TypeError, match=r"^images must be uint8, got torch.float32$"):
        normalize_bytes(BYTES / 255, [0.5], [0.5])


@pytest.mark.parametrize(("call", "images"), [(normalize_bytes, BYTES), (normalize, BYTES / 255)])
def test_statistics_that_do_not_fit_are_refused(call, images):
    with pytest.raises(ValueError, match=r"^mean must have one entry per channel, 1, got 3$"):
        call(images, MEAN, [1.0])
    with pytest.raises(ValueError, match=r"^std must have one entry per channel, 1, got 3$"):
        call(images, [0.0], STD)
    with pytest.raises(ValueError, match=r"^std must be greater than 0, got 0.0$"):
        call(images, [0.0], [0.0])
    with pytest.raises(ValueError, match=r"mean must be finite, got nan"):
        call(images, [float("nan")], [1.0])
    with pytest.raises(ValueError, match=r"std must be finite, got inf"):
        call(images, [0.0], [float("inf")])


@pytest.mark.parametrize(
    "call", [to_float, lambda i: normalize(i, [0], [1]), lambda i: normalize_bytes(i, [0], [1])]
)
def test_a_single_image_is_refused(call):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 2, 3\)"):
        call(BYTES[0])


def test_the_fast_way_agrees_with_the_plain_one(make_images):
    images = make_images()
    plain = normalize(to_float(images), MEAN, STD)
    torch.testing.assert_close(normalize_bytes(images, MEAN, STD), plain)


def test_both_steps_agree_with_torchvision(make_images):
    images = make_images()
    floats = to_float(images)
    assert floats.dtype == torch.float32
    torch.testing.assert_close(floats, v2.ToDtype(torch.float32, scale=True)(images))
    theirs = functional.normalize(floats.double(), MEAN, STD)
    ours = normalize(floats.double(), MEAN, STD)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
