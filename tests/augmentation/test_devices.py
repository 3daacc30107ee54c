"""The operations stay on the device of the images, whatever the default device is."""

import pytest
import torch

from notes.augmentation._draws import draw_partners
from notes.augmentation.affine import draw_affine, random_affine, random_rotation
from notes.augmentation.color import draw_color_jitter, random_color_jitter
from notes.augmentation.crop import draw_crops, random_crop
from notes.augmentation.cutmix import cutmix, draw_cutmix
from notes.augmentation.erasing import draw_erasures, random_erasing
from notes.augmentation.flip import draw_flips, random_horizontal_flip, random_vertical_flip
from notes.augmentation.mixup import draw_mixup, mixup
from notes.augmentation.normalize import normalize, normalize_bytes, to_float
from notes.augmentation.resized_crop import draw_resized_crops, random_resized_crop

LABELS = torch.arange(6)
OPERATIONS = {
    "crop": lambda images, seed: random_crop(images, 4, generator=seed),
    "horizontal flip": lambda images, seed: random_horizontal_flip(images, generator=seed),
    "vertical flip": lambda images, seed: random_vertical_flip(images, generator=seed),
    "resized crop": lambda images, seed: random_resized_crop(images, (8, 9), generator=seed),
    "rotation": lambda images, seed: random_rotation(images, 30.0, generator=seed),
    "affine": lambda images, seed: random_affine(images, 9, (0.1, 0.1), (1, 2), 9, generator=seed),
    "color": lambda images, seed: random_color_jitter(images, 0.5, 0.5, 0.5, 0.5, seed),
    "erasing": lambda images, seed: random_erasing(images, 1.0, generator=seed),
    "mixup": lambda images, seed: mixup(to_float(images), LABELS, 6, generator=seed),
    "cutmix": lambda images, seed: cutmix(images, LABELS, 6, generator=seed),
    "normalize": lambda images, _: normalize(to_float(images), [0.5] * 3, [0.5] * 3),
    "normalize bytes": lambda images, _: normalize_bytes(images, [0.5] * 3, [0.5] * 3),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_is_left_on_the_default_device(name, make_images):
    # With another default device, a tensor made without `device=` would not fit the images,
    # which is what happens on a machine with a GPU.
    images, seed = make_images(), torch.Generator()
    expected = OPERATIONS[name](images, seed.manual_seed(0))
    seed.manual_seed(0)
    with torch.device("meta"):
        result = OPERATIONS[name](images, seed)
    torch.testing.assert_close(result, expected, rtol=0, atol=0)


DRAWS = {
    "crop": lambda images, seed: draw_crops(images, (2, 2), seed),
    "flip": lambda images, seed: [draw_flips(images, generator=seed)],
    "resized crop": lambda images, seed: [draw_resized_crops(images, generator=seed)],
    "affine": lambda images, seed: draw_affine(images, 9, (0.5, 0.5), (1, 2), 9, seed),
    "color": lambda images, seed: draw_color_jitter(images, 0.5, 0.5, 0.5, 0.5, seed),
    "erasing": lambda images, seed: [draw_erasures(images, generator=seed)],
    "mixup": lambda images, seed: draw_mixup(images, generator=seed),
    "cutmix": lambda images, seed: draw_cutmix(images, generator=seed),
    "partners": lambda images, seed: [draw_partners(images, seed)],
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_go_to_the_device_of_the_images(name, make_images):
    draws = DRAWS[name](make_images().to("meta"), torch.Generator())
    assert {values.device.type for values in draws} == {"meta"}


@pytest.mark.parametrize("name", DRAWS)
def test_the_default_dtype_changes_no_draw(name, make_images):
    images, seed = make_images(), torch.Generator()
    expected = DRAWS[name](images, seed.manual_seed(0))
    torch.set_default_dtype(torch.float64)
    try:
        draws = DRAWS[name](images, seed.manual_seed(0))
    finally:
        torch.set_default_dtype(torch.float32)
    for ours, values in zip(draws, expected, strict=True):
        assert ours.dtype == values.dtype
        torch.testing.assert_close(ours, values)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.startswith("normalize")])
def test_the_seed_decides(name, make_images):
    images = make_images()
    first, second, other = (
        OPERATIONS[name](images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    pairs = zip(first, other, strict=True) if isinstance(first, tuple) else [(first, other)]
    assert any(not torch.equal(one, two) for one, two in pairs)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.startswith("normalize")])
def test_the_global_generator_is_left_alone_when_there_is_another(name, make_images):
    before = torch.get_rng_state()
    OPERATIONS[name](make_images(), torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)
