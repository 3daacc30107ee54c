import colorsys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from notes.augmentation.color import (
    ColorDraws,
    color_jitter_at,
    draw_color_jitter,
    random_color_jitter,
)
from notes.augmentation.one_by_one import color_jitter_each

NAMES = ("brightness", "contrast", "saturation", "hue")
CHANNEL = st.floats(0, 1, width=32)


def draws(count=1, **changes):
    """The same draw for each image; what is not named changes nothing."""
    values = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0} | changes
    order = torch.tensor(values.pop("order", [0, 1, 2, 3])).repeat(count, 1)
    return ColorDraws(*(torch.full((count,), value) for value in values.values()), order)


def pixel(red, green, blue, dtype=torch.float64):
    return torch.tensor([red, green, blue], dtype=dtype).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"brightness": 0.5}, [50, 100], id="darker"),
        pytest.param({"brightness": 1.5}, [150, 255], id="brighter, cut off at white"),
        pytest.param({"contrast": 0.5}, [125, 175], id="less contrast"),
        pytest.param({"contrast": 3.0}, [0, 255], id="more contrast, cut off at both ends"),
        pytest.param({"saturation": 0.0}, [100, 200], id="gray without color"),
        pytest.param({"hue": 0.3}, [100, 200], id="gray of another hue"),
    ],
)
def test_changes_of_gray_bytes_match_those_computed_by_hand(change, expected):
    images = torch.tensor([100, 200], dtype=torch.uint8).view(1, 1, 1, 2)
    assert color_jitter_at(images, draws(**change)).flatten().tolist() == expected


def test_floats_are_cut_off_at_one():
    assert color_jitter_at(torch.full((1, 1, 1, 1), 0.8), draws(brightness=2.0)).item() == 1.0


def test_green_without_saturation_is_brighter_than_blue():
    colors = torch.eye(3).view(3, 3, 1, 1)  # red, green, blue
    grays = color_jitter_at(colors, draws(3, saturation=0.0))
    expected = torch.tensor([0.2989, 0.587, 0.114])[:, None].expand(3, 3)
    torch.testing.assert_close(grays.flatten(1), expected)


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
    turned = color_jitter_at(pixel(255, 0, 0, torch.uint8), draws(hue=turn))
    assert turned.flatten().tolist() == expected


@given(CHANNEL, CHANNEL, CHANNEL, st.floats(-0.5, 0.5))
@settings(max_examples=200, deadline=None)
def test_turned_hues_agree_with_the_standard_library(red, green, blue, turn):
    turned = color_jitter_at(pixel(red, green, blue), draws(hue=turn)).flatten()
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    turn = torch.tensor(turn).item()  # rounded to float32, as the draws are
    expected = colorsys.hsv_to_rgb((hue + turn) % 1.0, saturation, value)
    torch.testing.assert_close(turned, turned.new_tensor(expected), atol=1e-6, rtol=0)


@given(CHANNEL, CHANNEL, CHANNEL)
@settings(max_examples=100, deadline=None)
def test_a_full_turn_gives_the_color_back(red, green, blue):
    color = pixel(red, green, blue)
    torch.testing.assert_close(color_jitter_at(color, draws(hue=1.0)), color)


def test_grays_have_no_hue():
    for gray in (pixel(0.0, 0.0, 0.0), pixel(0.3, 0.3, 0.3)):
        assert torch.equal(color_jitter_at(gray, draws(hue=0.4)), gray)


def test_the_changes_come_in_the_order_of_each_image():
    images = torch.tensor([0.4, 0.8]).view(1, 1, 1, 2).repeat(2, 1, 1, 1)
    draw = draws(2, brightness=2.0, contrast=0.0)
    orders = torch.tensor([[0, 1, 2, 3], [1, 0, 2, 3]])
    changed = color_jitter_at(images, draw._replace(orders=orders))[:, 0, 0]
    # Brighter first: 0.8 and 1.0 (cut off), mean 0.9. Contrast first: 0.6, then 1.0 (cut off).
    torch.testing.assert_close(changed, torch.tensor([[0.9, 0.9], [1.0, 1.0]]))


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("value", [0.0, 0.5, 2.0])
def test_each_draw_goes_to_its_own_change(name, value, make_images):
    images = make_images(torch.float32)
    one_after_the_other = color_jitter_each(images, draws(6, **{name: value}))
    changed = color_jitter_at(images, draws(6, **{name: value}))
    torch.testing.assert_close(changed, one_after_the_other, atol=1e-5, rtol=0)


def test_nothing_changes_unless_told(make_images):
    draw = draw_color_jitter(make_images())
    assert [values.unique().tolist() for values in draw[:4]] == [[1], [1], [1], [0]]


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
    with pytest.raises(ValueError, match=r"^orders must lie in \[0, 4\), got 4$"):
        color_jitter_at(make_images(), draws(6, order=[0, 1, 2, 4]))
    with pytest.raises(TypeError, match=r"^orders must be a tensor of integers, got torch.float32"):
        color_jitter_at(make_images(), draws(6, order=[0.0, 1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, 255.0], "got values from 0 to 255"),
        ([-2.1, 2.6], "got values from -2.1 to 2.6"),
        ([0.5, float("nan")], "got values from nan to nan"),
    ],
)
def test_floats_beyond_black_and_white_are_refused_not_cut_off(values, message):
    images = torch.tensor(values).view(1, 1, 1, 2)
    with pytest.raises(ValueError, match=rf"^images must lie in \[0, 1\], {message}$"):
        random_color_jitter(images, brightness=0.5)


def test_floats_that_resizing_has_rounded_are_taken():
    white = torch.full((1, 3, 2, 2), 1.0 + 2e-7)
    assert color_jitter_at(white, draws(brightness=1.5)).unique().tolist() == [1.0]


@pytest.mark.parametrize("call", [random_color_jitter, draw_color_jitter])
def test_a_single_image_is_refused(call, make_images):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(3, 12, 16"):
        call(make_images()[0])


def test_two_channels_are_refused(make_images):
    with pytest.raises(ValueError, match=r"^images must have 1 or 3 channels, got 2$"):
        random_color_jitter(make_images()[:, :2])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_each_change_agrees_with_torchvision_image_by_image(name, channels, make_images):
    theirs = getattr(functional, f"adjust_{name}")
    values = torch.tensor([0.0, 0.3, 0.9, 1.0, 1.7, 3.0])
    values = values / 3 - 0.5 if name == "hue" else values
    for dtype, tolerance in ((torch.uint8, 1.0), (torch.float32, 1e-5), (torch.float64, 1e-6)):
        images = make_images(dtype)[:, :channels]
        changed = color_jitter_at(images, draws(6)._replace(**{name: values}))
        assert changed.dtype == dtype
        expected = [theirs(i, value) for i, value in zip(images, values.tolist(), strict=True)]
        difference = (changed.double() - torch.stack(expected).double()).abs()
        # torchvision rounds sums at another place, so a byte can fall to the other side.
        assert difference.max() <= tolerance
        assert (difference >= 1).float().mean() < 0.01


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_rounded_only_once(name, dtype, make_images):
    images, draw = make_images(dtype), draws(6, **{name: 0.4})
    assert torch.equal(
        color_jitter_at(images, draw), color_jitter_at(images.float(), draw).to(dtype)
    )


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
