import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from notes.augmentation.color import (
    ColorDraws,
    color_jitter_at,
    draw_color_jitter,
    random_color_jitter,
)
from notes.augmentation.one_by_one import color_jitter_each

NAMES = ("brightness", "contrast", "saturation", "hue")


def draws(count=1, **changes):
    """The same draw for each image; what is not named changes nothing."""
    values = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0} | changes
    order = torch.tensor(values.pop("order", [0, 1, 2, 3])).repeat(count, 1)
    return ColorDraws(*(torch.full((count,), value) for value in values.values()), order)


def test_the_changes_come_in_the_order_of_each_image():
    images = torch.tensor([0.4, 0.8]).view(1, 1, 1, 2).repeat(2, 1, 1, 1)
    draw = draws(2, brightness=2.0, contrast=0.0)
    orders = torch.tensor([[0, 1, 2, 3], [1, 0, 2, 3]])
    changed = color_jitter_at(images, draw._replace(orders=orders))[:, 0, 0]
    # Brighter first: 0.8 and 1.0 (cut off), mean 0.9. Contrast first: 0.6, then 1.0 (cut off).
    torch.testing.assert_close(changed, torch.tensor([[0.9, 0.9], [1.0, 1.0]]))


def test_draws_that_change_nothing_leave_each_bit_alone(make_images):
    for dtype in (torch.uint8, torch.float16, torch.float32):
        images = make_images(dtype)
        assert torch.equal(color_jitter_at(images, draws(6)), images)
        assert torch.equal(random_color_jitter(images), images)


def test_the_images_handed_in_stay_as_they_are(make_images, generator):
    images = make_images()
    random_color_jitter(images, 0.5, 0.5, 0.5, 0.5, generator)
    assert torch.equal(images, make_images())


def test_the_images_of_a_batch_change_differently(make_images, generator):
    same = make_images(torch.float32)[:1].repeat(20, 1, 1, 1)
    for number in range(4):
        strengths = [0.5 if number == i else 0.0 for i in range(4)]
        changed = random_color_jitter(same, *strengths, generator)
        assert len(changed.unique(dim=0)) == 20


@given(
    strengths=st.tuples(*[st.floats(0, 2)] * 3, st.floats(0, 0.5)),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=40, deadline=None)
def test_jittered_floats_stay_between_black_and_white(strengths, channels, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, channels, 4, 5, generator=generator)
    changed = random_color_jitter(images, *strengths, generator)
    assert changed.shape == images.shape
    assert ((changed >= 0) & (changed <= 1)).all()


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_strengths_that_make_no_sense_are_refused(name, strength, make_images):
    message = rf"^{name} must be a finite number, 0 or more, got {strength}$"
    with pytest.raises(ValueError, match=message):
        random_color_jitter(make_images(), **{name: strength})


@pytest.mark.parametrize("hue", [-0.1, 0.6, float("nan")])
def test_hues_beyond_half_a_turn_are_refused(hue, make_images):
    with pytest.raises(ValueError, match=rf"^hue must lie in \[0, 0.5\], got {hue}$"):
        random_color_jitter(make_images(), hue=hue)


@pytest.mark.parametrize("name", NAMES[:3])
def test_negative_factors_are_refused(name, make_images):
    with pytest.raises(ValueError, match=rf"^{name} must be 0 or more, got -0.5$"):
        color_jitter_at(make_images(), draws(6, **{name: -0.5}))


@pytest.mark.parametrize("name", NAMES)
def test_draws_that_are_nan_are_refused(name, make_images):
    with pytest.raises(ValueError, match=rf"^{name} must be finite, got nan"):
        color_jitter_at(make_images(), draws(6, **{name: float("nan")}))


def test_orders_must_name_four_changes(make_images):
    with pytest.raises(ValueError, match=r"^orders must have shape \(6, 4\), got \(6, 3\)$"):
        color_jitter_at(make_images(), draws(6, order=[0, 1, 2]))


@pytest.mark.parametrize("call", [random_color_jitter, draw_color_jitter])
def test_a_single_image_is_refused(call, make_images):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(3, 12, 16"):
        call(make_images()[0])


def test_two_channels_are_refused(make_images):
    with pytest.raises(ValueError, match=r"^images must have 1 or 3 channels, got 2$"):
        random_color_jitter(make_images()[:, :2])


def test_all_changes_together_agree_with_torchvision_image_by_image(make_images, generator):
    images = make_images(torch.float32, (40, 3, 6, 5))
    draw = draw_color_jitter(images, 0.5, 0.5, 0.5, 0.5, generator)
    theirs = color_jitter_each(images, draw)
    torch.testing.assert_close(color_jitter_at(images, draw), theirs, atol=1e-5, rtol=0)


def test_draws_are_distributed_as_in_torchvision(generator, differ):
    images = torch.zeros(2000, 3, 2, 2)
    ours = draw_color_jitter(images, 0.4, 1.5, 0.7, 0.3, generator)
    torch.manual_seed(0)
    transform = v2.ColorJitter(0.4, 1.5, 0.7, 0.3)
    theirs = [transform.make_params([images[0]]) for _ in range(2000)]
    for name in NAMES:
        values = [draw[f"{name}_factor"] for draw in theirs]
        assert not differ(getattr(ours, name), values), name
    # Each of the 24 orders has a number of its own.
    places = torch.tensor([64, 16, 4, 1])
    assert len((ours.orders @ places).unique()) == 24
    their_orders = torch.stack([draw["fn_idx"] for draw in theirs])
    assert not differ(ours.orders @ places, their_orders @ places)
