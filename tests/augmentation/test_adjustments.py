import pytest
import torch
from torchvision.transforms.v2 import functional

from notes.augmentation._adjustments import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    blend,
)

ADJUSTMENTS = [
    pytest.param(adjust_brightness, functional.adjust_brightness, id="brightness"),
    pytest.param(adjust_contrast, functional.adjust_contrast, id="contrast"),
    pytest.param(adjust_saturation, functional.adjust_saturation, id="saturation"),
]


@pytest.mark.parametrize(
    ("adjust", "factor", "expected"),
    [
        pytest.param(adjust_brightness, 0.5, [50, 100], id="darker"),
        pytest.param(adjust_brightness, 1.5, [150, 255], id="brighter, cut off at white"),
        pytest.param(adjust_contrast, 0.5, [125, 175], id="less contrast"),
        pytest.param(adjust_contrast, 3.0, [0, 255], id="more contrast, cut off at both ends"),
        pytest.param(adjust_saturation, 0.0, [100, 200], id="gray stays gray"),
    ],
)
def test_changes_of_gray_bytes_match_those_computed_by_hand(adjust, factor, expected):
    images = torch.tensor([100, 200], dtype=torch.uint8).view(1, 1, 1, 2)
    assert adjust(images, torch.tensor([factor])).flatten().tolist() == expected


def test_floats_are_cut_off_at_one():
    images = torch.full((1, 1, 1, 1), 0.8)
    assert adjust_brightness(images, torch.tensor([2.0])).item() == 1.0


def test_green_without_saturation_is_brighter_than_blue():
    colors = torch.eye(3).view(3, 3, 1, 1)  # red, green, blue
    grays = adjust_saturation(colors, torch.zeros(3))
    expected = torch.tensor([0.2989, 0.587, 0.114])[:, None].expand(3, 3)
    torch.testing.assert_close(grays.flatten(1), expected)


def test_black_and_white_bound_every_mixture(make_images):
    for dtype, white in ((torch.uint8, 255), (torch.float32, 1)):
        images = make_images(dtype)
        mixed = blend(images, -images.float(), torch.linspace(0, 9, 6))
        assert mixed.min() == 0
        assert mixed.max() == white


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("ours", "theirs"), ADJUSTMENTS)
def test_each_change_agrees_with_torchvision_image_by_image(ours, theirs, channels, make_images):
    factors = torch.tensor([0.0, 0.3, 0.9, 1.0, 1.7, 3.0])
    for dtype, tolerance in ((torch.uint8, 1.0), (torch.float32, 1e-6), (torch.float64, 1e-12)):
        images = make_images(dtype)[:, :channels]
        changed = ours(images, factors)
        assert changed.dtype == dtype
        expected = [theirs(i, f) for i, f in zip(images, factors.tolist(), strict=True)]
        difference = (changed.double() - torch.stack(expected).double()).abs()
        # torchvision rounds sums at another place, so a byte can fall to the other side.
        assert difference.max() <= tolerance
        assert (difference >= 1).float().mean() < 0.01
