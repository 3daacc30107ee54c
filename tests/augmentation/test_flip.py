import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from notes.augmentation.flip import (
    draw_flips,
    flip_at,
    random_horizontal_flip,
    random_vertical_flip,
)

FOUR = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])


def test_a_horizontal_flip_exchanges_left_and_right():
    assert random_horizontal_flip(FOUR, p=1.0).flatten().tolist() == [1, 0, 3, 2]


def test_a_vertical_flip_exchanges_top_and_bottom():
    assert random_vertical_flip(FOUR, p=1.0).flatten().tolist() == [2, 3, 0, 1]


def test_only_the_chosen_images_are_flipped():
    flipped = flip_at(FOUR.repeat(3, 1, 1, 1), torch.tensor([False, True, False]))
    assert flipped.flatten(1).tolist() == [[0, 1, 2, 3], [1, 0, 3, 2], [0, 1, 2, 3]]


@pytest.mark.parametrize("flip", [random_horizontal_flip, random_vertical_flip])
def test_probability_zero_flips_nothing(flip, make_images):
    assert torch.equal(flip(make_images(), p=0.0), make_images())


def test_probability_zero_holds_for_the_smallest_draw_too(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    assert draw_flips(FOUR, p=0.0).tolist() == [False]


def test_a_coin_is_fair_unless_told(generator):
    assert (
        0.45 < draw_flips(FOUR.expand(2000, -1, -1, -1), generator=generator).float().mean() < 0.55
    )


@pytest.mark.parametrize("flip", [random_horizontal_flip, random_vertical_flip])
def test_half_of_the_images_are_flipped_unless_told(flip, generator):
    share = (flip(FOUR.repeat(2000, 1, 1, 1), generator=generator)[:, 0, 0, 0] != 0).float().mean()
    assert 0.45 < share < 0.55


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.sampled_from([2, 3]))
@settings(max_examples=30, deadline=None)
def test_flipping_twice_gives_the_images_back(flips, dim):
    images = torch.arange(len(flips) * 24.0).view(-1, 2, 3, 4)
    chosen = torch.tensor(flips)
    assert torch.equal(flip_at(flip_at(images, chosen, dim), chosen, dim), images)


def test_a_flip_with_gradients_passes_them_on():
    image = FOUR.clone().requires_grad_()
    flip_at(image, torch.tensor([True]))[0, 0, 0, 0].backward()
    assert image.grad.flatten().tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_outside_0_and_1_is_refused(p):
    for flip in (draw_flips, random_horizontal_flip, random_vertical_flip):
        with pytest.raises(ValueError, match=rf"^p must lie in \[0, 1\], got {p}$"):
            flip(FOUR, p)


def test_flips_must_be_booleans_one_for_each_image():
    with pytest.raises(TypeError, match=r"^flips must be a tensor of booleans, got torch.int64$"):
        flip_at(FOUR, torch.tensor([1]))
    with pytest.raises(ValueError, match=r"flips must have shape \(1,\), got \(2,\)"):
        flip_at(FOUR, torch.tensor([True, False]))


@pytest.mark.parametrize("dim", [0, 1, 4, -1])
def test_only_rows_and_columns_can_be_flipped(dim):
    with pytest.raises(ValueError, match=f"^dim must be 2 or 3, got {dim}$"):
        flip_at(FOUR, torch.tensor([True]), dim)


@pytest.mark.parametrize(
    "call",
    [
        random_horizontal_flip,
        random_vertical_flip,
        draw_flips,
        lambda images: flip_at(images, torch.tensor([True])),
    ],
)
def test_integers_are_refused(call):
    with pytest.raises(TypeError, match=r"images must be uint8 or floating-point, got torch.int64"):
        call(FOUR.long())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_flips_agree_with_torchvision_image_by_image(dtype, make_images, generator):
    images = make_images(dtype)
    flips = draw_flips(images, 0.5, generator)
    for dim, flip in ((2, functional.vertical_flip), (3, functional.horizontal_flip)):
        theirs = [flip(i) if f else i for i, f in zip(images, flips.tolist(), strict=True)]
        assert torch.equal(flip_at(images, flips, dim), torch.stack(theirs))
