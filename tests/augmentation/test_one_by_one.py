import pytest
import torch
from torchvision.transforms.v2 import functional

from notes.augmentation.affine import AffineDraws
from notes.augmentation.color import ColorDraws
from notes.augmentation.one_by_one import (
    affine_each,
    color_jitter_each,
    crop_each,
    resized_crop_each,
)

NONE, ONE = torch.zeros(1), torch.ones(1)
FOUR = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def test_windows_match_those_cut_by_hand():
    images = torch.arange(18.0).view(2, 1, 3, 3)
    windows = crop_each(images, torch.tensor([0, 1]), torch.tensor([1, 0]), (2, 1))
    assert windows.flatten(1).tolist() == [[1, 4], [12, 15]]


def test_a_part_is_enlarged():
    corner = torch.tensor([[1, 0, 1, 1]])
    assert resized_crop_each(FOUR, corner, (2, 2)).flatten().tolist() == [3, 3, 3, 3]


def test_a_quarter_turn_is_clockwise():
    quarter = AffineDraws(90 * ONE, torch.zeros(1, 2), ONE, NONE)
    assert affine_each(FOUR, quarter).flatten().tolist() == [3, 1, 4, 2]


def test_bilinear_pixels_lie_in_between():
    half = AffineDraws(NONE, torch.tensor([[0.5, 0.0]]), ONE, NONE)
    assert affine_each(FOUR, half, "bilinear").flatten().tolist() == [0.5, 1.5, 1.5, 3.5]


def test_colors_change_in_the_order_that_is_drawn():
    draws = ColorDraws(2 * ONE, NONE, ONE, NONE, torch.tensor([[1, 0, 2, 3]]))
    changed = color_jitter_each(torch.tensor([[[[0.4, 0.8]]]]), draws)  # 0.6 each, then 1.2
    assert changed.flatten().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("number", range(3))
def test_each_draw_goes_to_its_own_change(number, make_images):
    image = make_images()[:1]
    draws = ColorDraws(ONE, ONE, ONE, NONE, torch.arange(4)[None])
    changes = (
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
    )
    draws = draws._replace(**{draws._fields[number]: 0.5 * ONE})
    expected = functional.adjust_hue(changes[number](image, 0.5), 0.0)
    assert torch.equal(color_jitter_each(image, draws), expected)


@pytest.mark.parametrize(
    "call",
    [
        lambda images: crop_each(images, torch.tensor([0]), torch.tensor([0]), (1, 1)),
        lambda images: resized_crop_each(images, torch.ones(1, 4).long(), (1, 1)),
        lambda images: affine_each(images, AffineDraws(NONE, torch.zeros(1, 2), ONE, NONE)),
        lambda images: color_jitter_each(
            images, ColorDraws(ONE, ONE, ONE, NONE, torch.arange(4)[None])
        ),
    ],
)
def test_an_image_without_a_draw_is_refused(call):
    with pytest.raises(ValueError, match=r"is shorter than argument 1"):
        call(FOUR.repeat(2, 1, 1, 1))
