import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from notes.augmentation.erasing import draw_erasures, erase_at, random_erasing

ONES = torch.ones(2, 1, 2, 3)
PARTS = torch.tensor([[0, 1, 1, 2], [1, 0, 1, 1]])


def test_the_part_of_each_image_is_replaced():
    erased = erase_at(ONES, PARTS, 5.0)
    assert erased.flatten(1).tolist() == [[1, 5, 5, 1, 1, 1], [1, 1, 1, 5, 1, 1]]
    assert (ONES == 1).all()


def test_black_replaces_the_part_unless_told():
    assert erase_at(ONES, PARTS)[0].flatten().tolist() == [1, 0, 0, 1, 1, 1]


def test_new_pixels_can_come_from_other_images():
    noise = torch.arange(12.0).view(2, 1, 2, 3)
    erased = erase_at(ONES, PARTS, noise)
    assert erased.flatten(1).tolist() == [[1, 1, 2, 1, 1, 1], [1, 1, 1, 9, 1, 1]]


def test_bytes_stay_bytes():
    erased = erase_at(ONES.byte(), PARTS, 255)
    assert erased.dtype == torch.uint8
    assert erased[0].flatten().tolist() == [1, 255, 255, 1, 1, 1]


def test_the_value_reaches_the_images():
    erased = random_erasing(torch.ones(20, 1, 10, 10), p=1.0, value=5.0)
    assert erased.unique().tolist() == [1, 5]


def test_probability_zero_erases_nothing(make_images):
    assert torch.equal(random_erasing(make_images(), p=0.0), make_images())


def test_probability_zero_holds_for_the_smallest_draw_too(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    assert draw_erasures(torch.ones(2, 1, 20, 20), p=0.0)[:, 2].tolist() == [0, 0]


def test_half_of_the_images_are_erased_unless_told(generator):
    drawn = draw_erasures(torch.ones(2000, 1, 10, 10), generator=generator)[:, 2] > 0
    assert 0.45 < drawn.float().mean() < 0.55
    erased = random_erasing(torch.ones(2000, 1, 10, 10), generator=generator)
    assert 0.45 < (erased == 0).flatten(1).any(dim=1).float().mean() < 0.55


def test_an_image_for_which_no_rectangle_fits_stays(make_images):
    # A part as large as the image, or as high, does not fit: it must be smaller in both ways.
    assert torch.equal(random_erasing(make_images(), 1.0, (1.0, 1.0)), make_images())
    # Images are 12 high and 16 wide, the last two parts 12 by 8 and 6 by 16.
    for ratio, area in ((1000.0, 0.3), (0.001, 0.3), (12 / 8, 0.5), (6 / 16, 0.5)):
        parts = draw_erasures(make_images(), 1.0, (area, area), (ratio, ratio))
        assert (parts[:, 2:] == 0).any(dim=1).all()


@given(seed=st.integers(0, 2**32), p=st.floats(0, 1), low=st.floats(0, 0.5))
@settings(max_examples=40, deadline=None)
def test_an_image_loses_one_rectangle_of_the_asked_area_or_nothing(seed, p, low):
    generator = torch.Generator().manual_seed(seed)
    erased = random_erasing(torch.ones(4, 2, 20, 20), p, (low, 0.5), generator=generator) == 0
    assert torch.equal(erased[:, 0], erased[:, 1])
    for mask in erased[:, 0]:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert torch.equal(mask, rows[:, None] & columns)
        if rows.any():
            for line in (rows, columns):  # no gap between the first erased one and the last
                places = line.nonzero()
                assert line.sum() == 1 + places.max() - places.min()
            assert low - 0.05 <= mask.float().mean() <= 0.55


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_outside_0_and_1_is_refused(p):
    with pytest.raises(ValueError, match=rf"^p must lie in \[0, 1\], got {p}$"):
        random_erasing(ONES, p)


def test_areas_outside_0_and_1_are_refused():
    with pytest.raises(
        ValueError, match=r"scale must be a rising pair in \[0.0, 1.0\], got \(0, 2"
    ):
        random_erasing(ONES, scale=(0, 2))


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"^values must have shape \(2, 1, 2, 3\), got \(1,\)$"):
        erase_at(ONES, PARTS, torch.zeros(1))
    message = r"^values must have the dtype of images, torch.float32, got torch.float64$"
    with pytest.raises(TypeError, match=message):
        erase_at(ONES, PARTS, ONES.double())
    with pytest.raises(ValueError, match=r"^values must be on the device of images, cpu, got meta"):
        erase_at(ONES, PARTS, ONES.to("meta"))
    with pytest.raises(ValueError, match=r"^values must be a whole number .* got 300$"):
        erase_at(ONES.byte(), PARTS, 300)
    with pytest.raises(ValueError, match=r"^value must be a whole number .* got 300$"):
        random_erasing(ONES.byte(), value=300)


def test_a_part_that_leaves_its_image_is_refused():
    too_low = torch.tensor([[2, 1, 1, 2], [1, 0, 1, 1]])
    with pytest.raises(ValueError, match=r"^parts must have .* got .* \[2, 1, 1, 2\]$"):
        erase_at(ONES, too_low)


@pytest.mark.parametrize("call", [random_erasing, draw_erasures, lambda i: erase_at(i, PARTS)])
def test_a_single_image_is_refused(call):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 2, 3\)"):
        call(ONES[0])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_erasing_agrees_with_torchvision_image_by_image(dtype, make_images, generator):
    images = make_images(dtype)
    parts = draw_erasures(images, p=1.0, generator=generator)
    value = torch.tensor(1, dtype=dtype)
    theirs = [
        functional.erase(image, *part, value)
        for image, part in zip(images, parts.tolist(), strict=True)
    ]
    assert torch.equal(erase_at(images, parts, 1), torch.stack(theirs))


def test_parts_are_distributed_as_in_torchvision(generator, differ):
    images = torch.zeros(1500, 1, 24, 32)
    parts = draw_erasures(images, p=1.0, scale=(0.1, 0.9), generator=generator)
    torch.manual_seed(0)
    transform = v2.RandomErasing(scale=(0.1, 0.9))
    theirs = [transform.make_params([images[0]]) for _ in range(1500)]
    fits = [draw for draw in theirs if draw["v"] is not None]
    ours_fit = parts[:, 2] > 0
    assert abs(ours_fit.sum().item() - len(fits)) < 40
    for ours, name in zip(parts.T, "ijhw", strict=True):
        assert not differ(ours[ours_fit], [draw[name] for draw in fits]), name
