import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from notes.augmentation.one_by_one import resized_crop_each
from notes.augmentation.resized_crop import (
    draw_resized_crops,
    random_resized_crop,
    resized_crop_at,
)

SQUARE = torch.tensor([[[[0.0, 2.0], [4.0, 6.0]]]])


def whole(images):
    """A part for each image that is all of it."""
    return torch.tensor([[0, 0, *images.shape[2:]]]).expand(len(images), 4)


def test_four_pixels_become_their_mean():
    assert resized_crop_at(SQUARE, whole(SQUARE), (1, 1)).item() == 3.0


def test_enlarging_puts_new_pixels_a_quarter_and_three_quarters_of_the_way():
    row = resized_crop_at(SQUARE[:, :, :1], whole(SQUARE[:, :, :1]), (1, 4))
    assert row.flatten().tolist() == [0.0, 0.5, 1.5, 2.0]


def test_only_the_part_counts():
    corner = torch.tensor([[1, 1, 1, 1]])
    assert resized_crop_at(SQUARE, corner, (2, 3)).unique().tolist() == [6.0]


def test_the_same_size_changes_nothing(make_images):
    for dtype in (torch.uint8, torch.float32):
        images = make_images(dtype)
        assert torch.equal(resized_crop_at(images, whole(images), (12, 16)), images)


def test_bytes_are_rounded_to_the_nearest():
    images = torch.tensor([0, 1, 1, 1], dtype=torch.uint8).view(1, 1, 2, 2)  # mean 0.75
    assert resized_crop_at(images, whole(images), (1, 1)).item() == 1


@given(start=st.integers(0, 9), length=st.integers(1, 10), size=st.integers(1, 25))
@settings(max_examples=50, deadline=None)
def test_new_pixels_are_shares_of_the_part_and_of_nothing_else(start, length, size):
    length = min(length, 10 - start)
    pixels = torch.eye(10).view(1, 10, 1, 10)  # a channel for each old pixel of one row
    part = torch.tensor([[0, start, 1, length]])
    shares = resized_crop_at(pixels, part, (1, size))[0, :, 0]  # (old, new)
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(dim=0), torch.ones(size))
    assert (shares[:start] == 0).all()
    assert (shares[start + length :] == 0).all()


@given(seed=st.integers(0, 2**32), size=st.tuples(st.integers(1, 20), st.integers(1, 20)))
@settings(max_examples=30, deadline=None)
def test_no_new_pixel_is_darker_or_brighter_than_all_old_ones(seed, size):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 1, 6, 8, generator=generator)
    resized = random_resized_crop(images, size, generator=generator).flatten(1)
    assert resized.shape == (3, size[0] * size[1])
    assert (resized.amin(dim=1) >= images.flatten(1).amin(dim=1) - 1e-6).all()
    assert (resized.amax(dim=1) <= images.flatten(1).amax(dim=1) + 1e-6).all()


@pytest.mark.parametrize(
    ("shape", "ratio", "scale"),
    [
        pytest.param((3, 4, 100), (3 / 4, 4 / 3), (1.0, 1.0), id="too wide"),
        pytest.param((3, 100, 4), (3 / 4, 4 / 3), (1.0, 1.0), id="too high"),
        pytest.param((3, 10, 10), (0.5, 0.5), (1.0, 1.0), id="never fits"),
        pytest.param((3, 10, 14), (0.5, 2.0), (0.0, 0.0), id="never a pixel large"),
        pytest.param((3, 10, 15), (0.5, 2.0), (0.0, 0.0), id="allowed"),
        pytest.param((3, 10, 20), (0.5, 2.0), (0.0, 0.0), id="just allowed"),
    ],
)
def test_where_no_rectangle_fits_torchvision_gives_the_same_central_crop(shape, ratio, scale):
    part = draw_resized_crops(torch.zeros(1, *shape), scale, ratio)
    theirs = v2.RandomResizedCrop(8, scale, ratio).make_params([torch.zeros(shape)])
    assert part[0].tolist() == list(theirs.values())


@pytest.mark.parametrize("ratio", [(5.0, 6.0), (1 / 6, 1 / 5), (1e-30, 1e-30), (1e30, 1e38)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5)])
def test_no_ratio_leaves_a_tiny_image_without_a_pixel(shape, ratio, generator):
    images = torch.arange(400.0).view(400, 1, 1, 1).expand(400, 1, *shape)
    parts = draw_resized_crops(images, ratio=ratio, generator=generator)
    assert (parts[:, 2:] >= 1).all()
    resized = resized_crop_at(images, parts, 2)[:, 0, 1, 1]
    torch.testing.assert_close(resized, torch.arange(400.0))


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, 4)])
def test_an_empty_size_is_refused(size):
    with pytest.raises(ValueError, match=r"^size must be at least 1, got \("):
        random_resized_crop(SQUARE, size)


def test_an_empty_part_is_refused():
    nothing = torch.tensor([[0, 0, 0, 1]])
    with pytest.raises(ValueError, match=r"^parts must have sides of at least 1 inside"):
        resized_crop_at(SQUARE, nothing, (1, 1))


@pytest.mark.parametrize(
    "call",
    [
        lambda images: random_resized_crop(images, (2, 2)),
        draw_resized_crops,
        lambda images: resized_crop_at(images, whole(SQUARE), (2, 2)),
    ],
)
def test_a_single_image_is_refused(call):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 2, 2\)"):
        call(SQUARE[0])


@pytest.mark.parametrize("size", [(5, 7), (12, 16), (30, 20)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_resized_crops_agree_with_torchvision_image_by_image(size, dtype, make_images, generator):
    images = make_images(dtype)
    parts = draw_resized_crops(images, generator=generator)
    resized = resized_crop_at(images, parts, size)
    assert resized.dtype == dtype
    theirs = resized_crop_each(images, parts, size)
    torch.testing.assert_close(resized, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(5, 7), (12, 16), (30, 20)])
def test_resized_bytes_are_torchvisions_floats_rounded(size, make_images, generator):
    # torchvision's own bytes are calculated with whole numbers where the processor can, so they
    # can be 1 off. Its floats are exact up to rounding errors.
    images = make_images()
    parts = draw_resized_crops(images, generator=generator)
    resized = resized_crop_at(images, parts, size)
    assert resized.dtype == torch.uint8
    assert (resized - resized_crop_each(images.float(), parts, size)).abs().max() < 0.5 + 1e-3
    assert (resized.int() - resized_crop_each(images, parts, size).int()).abs().max() <= 1


SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(old=SIDES, new=SIDES, seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_resized_images_agree_with_pillow_also_where_one_pixel_is_left(old, new, seed):
    # torch 2.14 itself does not agree where the new width is 1.
    images = torch.rand(1, 1, *old, generator=torch.Generator().manual_seed(seed))
    resized = Image.fromarray(images[0, 0].numpy()).resize(new[::-1], Image.Resampling.BILINEAR)
    ours = resized_crop_at(images, whole(images), new)[0, 0]
    torch.testing.assert_close(ours, torch.from_numpy(np.array(resized)))


def test_half_precision_keeps_its_dtype(make_images, generator):
    images = make_images(torch.float16)
    assert random_resized_crop(images, (5, 5), generator=generator).dtype == torch.float16


@pytest.mark.parametrize("scale", [(0.0, 0.1), (0.0, 0.2), (0.5, 1.0)])
def test_tiny_images_lose_the_same_rectangles_as_in_torchvision(scale, generator):
    # On 2 by 3 pixels many rectangles are empty, fill the image or do not fit at all.
    images = torch.zeros(3000, 1, 2, 3)
    parts = draw_resized_crops(images, scale, (0.4, 3.0), generator)
    torch.manual_seed(0)
    transform = v2.RandomResizedCrop(8, scale, (0.4, 3.0))
    draws = [transform.make_params([images[0]]) for _ in range(3000)]
    theirs = [torch.tensor([draw[n] for draw in draws]) for n in ("height", "width")]
    assert parts[:, 2:].min() == 1
    ours = parts[:, 2] * 4 + parts[:, 3]
    shares = (
        ours.bincount(minlength=12) - (theirs[0] * 4 + theirs[1]).bincount(minlength=12)
    ) / 3000
    assert shares.abs().max() < 0.04


@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.5, 0.9)])
def test_parts_are_distributed_as_in_torchvision(scale, generator, differ):
    images = torch.zeros(1500, 1, 24, 32)
    parts = draw_resized_crops(images, scale, (0.5, 1.5), generator)
    torch.manual_seed(0)
    transform = v2.RandomResizedCrop(8, scale, (0.5, 1.5))
    theirs = [transform.make_params([images[0]]) for _ in range(1500)]
    for ours, name in zip(parts.T, ("top", "left", "height", "width"), strict=True):
        assert not differ(ours, [draw[name] for draw in theirs]), name
    areas = [draw["height"] * draw["width"] for draw in theirs]
    assert not differ(parts[:, 2] * parts[:, 3], areas)
    ratios = [draw["width"] / draw["height"] for draw in theirs]
    assert not differ(parts[:, 3] / parts[:, 2], ratios)
