import colorsys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from notes.augmentation._hue import adjust_hue, hsv_to_rgb, rgb_to_hsv

CHANNEL = st.floats(0, 1, width=32)


def pixel(red, green, blue, dtype=torch.float64):
    return torch.tensor([red, green, blue], dtype=dtype).view(1, 3, 1, 1)


@given(CHANNEL, CHANNEL, CHANNEL)
@settings(max_examples=200, deadline=None)
def test_hue_saturation_and_value_agree_with_the_standard_library(red, green, blue):
    ours = torch.stack(rgb_to_hsv(pixel(red, green, blue))).flatten()
    expected = torch.tensor(colorsys.rgb_to_hsv(red, green, blue), dtype=torch.float64)
    torch.testing.assert_close(ours[1:], expected[1:])
    assert 0 <= ours[0] <= 1
    apart = (ours[0] - expected[0]).abs().item()
    assert min(apart, 1 - apart) < 1e-7  # 0 and 1 are the same place on the circle


@given(CHANNEL, CHANNEL, CHANNEL)
@settings(max_examples=200, deadline=None)
def test_colors_survive_the_way_there_and_back(red, green, blue):
    color = pixel(red, green, blue)
    torch.testing.assert_close(hsv_to_rgb(*rgb_to_hsv(color)), color)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        pytest.param(0.0, [255, 0, 0], id="red"),
        pytest.param(1 / 6, [255, 255, 0], id="yellow"),
        pytest.param(1 / 3, [0, 255, 0], id="green"),
        pytest.param(0.5, [0, 255, 255], id="cyan"),
        pytest.param(-1 / 3, [0, 0, 255], id="blue"),
        pytest.param(-1 / 6, [255, 0, 255], id="magenta"),
    ],
)
def test_red_becomes_the_colors_of_the_circle(turn, expected):
    turned = adjust_hue(pixel(255, 0, 0, torch.uint8), torch.tensor([turn]))
    assert turned.flatten().tolist() == expected


def test_grays_have_no_hue_and_no_saturation():
    hue, saturation, value = rgb_to_hsv(pixel(0.3, 0.3, 0.3))
    assert (hue.item(), saturation.item(), value.item()) == (0, 0, 0.3)
    assert torch.equal(adjust_hue(pixel(0, 0, 0), torch.tensor([0.4])), pixel(0, 0, 0))


def test_images_with_one_channel_stay_as_they_are(make_images):
    gray = make_images()[:, :1]
    assert adjust_hue(gray, torch.full((6,), 0.3)) is gray


def test_half_precision_images_are_calculated_in_full_precision(make_images):
    images, turns = make_images(torch.float16), torch.linspace(-0.5, 0.5, 6)
    assert torch.equal(adjust_hue(images, turns), adjust_hue(images.float(), turns).half())


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.uint8, 1), (torch.float32, 1e-5)])
def test_turned_hues_agree_with_torchvision_image_by_image(dtype, tolerance, make_images):
    images = make_images(dtype)
    turns = torch.linspace(-0.5, 0.5, len(images))
    ours = adjust_hue(images, turns)
    assert ours.dtype == dtype
    theirs = [functional.adjust_hue(i, t) for i, t in zip(images, turns.tolist(), strict=True)]
    difference = (ours.double() - torch.stack(theirs).double()).abs()
    assert difference.max() <= tolerance
    assert (difference >= 1).float().mean() < 0.01
