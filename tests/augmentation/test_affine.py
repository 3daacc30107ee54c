import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from notes.augmentation.affine import (
    AffineDraws,
    affine_at,
    draw_affine,
    random_affine,
    random_rotation,
)
from notes.augmentation.one_by_one import affine_each

FOUR = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def draws(angle=0.0, shift=(0.0, 0.0), scale=1.0, shear=0.0):
    """One affine map for one image."""
    return AffineDraws(
        torch.tensor([angle]), torch.tensor([shift]), torch.tensor([scale]), torch.tensor([shear])
    )


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        pytest.param(draws(), [1, 2, 3, 4], id="nothing"),
        pytest.param(draws(angle=90.0), [3, 1, 4, 2], id="a quarter clockwise"),
        pytest.param(draws(angle=180.0), [4, 3, 2, 1], id="half a turn"),
        pytest.param(draws(shift=(1.0, 0.0)), [0, 1, 0, 3], id="to the right"),
        pytest.param(draws(shift=(0.0, 1.0)), [0, 0, 1, 2], id="down"),
        pytest.param(draws(scale=0.25), [0, 0, 0, 0], id="reduced to nothing"),
    ],
)
def test_maps_match_those_made_by_hand(draw, expected):
    assert affine_at(FOUR, draw).flatten().tolist() == expected


def test_a_magnified_image_shows_the_middle():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    magnified = affine_at(image, draws(scale=2.0))
    assert magnified.flatten().tolist() == [5, 5, 6, 6, 5, 5, 6, 6, 9, 9, 10, 10, 9, 9, 10, 10]


def test_a_shear_moves_rows_along_themselves():
    image = torch.zeros(1, 1, 5, 5)
    image[:, :, :, 2] = 1
    assert torch.equal(affine_at(image, draws(shear=45.0))[0, 0], torch.eye(5).flip(1))


def test_bilinear_pixels_lie_in_between():
    half = affine_at(FOUR, draws(shift=(0.5, 0.0)), "bilinear")
    assert half.flatten().tolist() == [0.5, 1.5, 1.5, 3.5]


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_the_fill_takes_its_share_of_what_is_outside(mode):
    shifted = affine_at(FOUR, draws(shift=(1.0, 0.0)), mode, fill=9.0)
    assert shifted.flatten().tolist() == [9, 1, 9, 3]
    white = torch.ones(1, 1, 6, 6)
    turned = affine_at(white, draws(angle=30.0), mode, fill=1.0)
    torch.testing.assert_close(turned, white)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill", [1e8, -1e30])
def test_a_large_fill_leaves_the_inside_alone(mode, fill, make_images, generator):
    images = make_images(torch.float32)
    draw = draw_affine(images, 180.0, (0.3, 0.2), (0.4, 2.0), 30.0, generator)
    plain, filled = affine_at(images, draw, mode), affine_at(images, draw, mode, fill)
    ones = affine_at(torch.ones_like(images), draw, mode)
    assert torch.equal(filled[ones > 1 - 1e-6], plain[ones > 1 - 1e-6])
    torch.testing.assert_close(filled[ones == 0], torch.full_like(filled[ones == 0], fill))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    ("shift", "scale"), [(1e9, 1.0), (-3e38, 1.0), (1.0, 1e-38), (1e30, 1e-30)]
)
def test_what_is_moved_or_reduced_beyond_all_bounds_leaves_the_fill(mode, shift, scale):
    draw = draws(shift=(shift, shift), scale=scale)
    assert affine_at(FOUR, draw, mode, fill=9.0).flatten().tolist() == [9, 9, 9, 9]


def test_bytes_are_rounded_to_the_nearest():
    images = torch.tensor([1, 2, 2, 2], dtype=torch.uint8).view(1, 1, 1, 4)
    half = affine_at(images, draws(shift=(0.25, 0.0)), "bilinear")  # 0.75, 1.75, 2, 2
    assert half.flatten().tolist() == [1, 2, 2, 2]


@given(
    st.floats(-360, 360), st.floats(-5, 5), st.floats(-5, 5), st.floats(0.1, 8), st.floats(-80, 80)
)
@settings(max_examples=40, deadline=None)
def test_every_pixel_is_sheared_turned_scaled_and_shifted(angle, right, down, scale, shear):
    draw = AffineDraws(
        *(torch.tensor([v], dtype=torch.float64) for v in (angle, (right, down), scale, shear))
    )
    turn, lean = draw.angles[0].deg2rad(), draw.shears[0].deg2rad()
    rotation = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).view(2, 2)
    shearing = torch.eye(2, dtype=torch.float64)
    shearing[0, 1] = -lean.tan()
    down_and_across = torch.meshgrid(torch.arange(-3.5, 4), torch.arange(-4.5, 5), indexing="ij")
    places = torch.stack(down_and_across[::-1]).double()  # (2, 8, 10) x and y from the middle
    inside = torch.ones_like(places[:1])
    old = affine_at(torch.cat([places, inside])[None], draw, "bilinear")[0]  # where each came from
    moved = scale * rotation @ shearing @ old[:2].flatten(1) + draw.shifts[0][:, None]
    inside = old[2].flatten() > 1 - 1e-9
    torch.testing.assert_close(moved[:, inside], places.flatten(1)[:, inside])


def test_no_turn_changes_nothing(make_images):
    assert torch.equal(random_rotation(make_images(), degrees=0.0), make_images())
    assert torch.equal(random_affine(make_images(), degrees=0.0), make_images())


def test_by_default_nothing_but_the_turn_is_random_and_black_comes_from_outside():
    white = torch.ones(1, 1, 16, 16)
    assert torch.equal(random_affine(white, 0.0), white)
    draw = draw_affine(white, 0.0)
    assert [values.flatten().tolist() for values in draw] == [[0.0], [0.0, 0.0], [1.0], [0.0]]
    stripes = torch.arange(256.0).view(1, 1, 16, 16)
    torch.testing.assert_close(random_affine(stripes, 0.0, mode="bilinear"), stripes)
    assert affine_at(white, draws(shift=(4.0, 0.0)))[0, 0, 0].tolist() == [0.0] * 4 + [1.0] * 12


def test_the_fill_reaches_the_corners(generator):
    white = torch.ones(50, 1, 16, 16)
    for call in (random_rotation, random_affine):
        assert call(white, 180.0, generator=generator).unique().tolist() == [0, 1]
        assert call(white, 180.0, fill=5.0, generator=generator).unique().tolist() == [1, 5]


def test_ranges_may_reach_their_limits():
    draw_affine(FOUR, 360.0, (1.0, 1.0), (1.0, 1.0), 89.0)


def test_the_images_of_a_batch_get_different_angles(make_images, generator):
    same = make_images(torch.float32)[:1].repeat(20, 1, 1, 1)
    turned = random_rotation(same, 180.0, "bilinear", generator=generator)
    assert len(turned.unique(dim=0)) == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"degrees": -1.0}, r"^degrees must lie in \[0, 360\], got -1.0$"),
        ({"degrees": float("nan")}, r"^degrees must lie in \[0, 360\], got nan$"),
        ({"degrees": 361}, r"^degrees must lie in \[0, 360\], got 361$"),
        ({"translate": (1.5, 0)}, r"^translate\[0\] must lie in \[0, 1\], got 1.5$"),
        ({"translate": (0, -0.1)}, r"^translate\[1\] must lie in \[0, 1\], got -0.1$"),
        ({"shear": 90}, r"^shear must lie in \[0, 89\], got 90$"),
        ({"scale": (0.0, 1.0)}, r"^scale must be a rising pair in \[.*\], got \(0.0, 1.0\)$"),
        ({"scale": (1.0, float("inf"))}, r"^scale must be a rising pair in .*, got \(1.0, inf\)$"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_affine(FOUR, **({"degrees": 0.0} | arguments))


def test_draws_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"^scales must be greater than 0, got 0.0$"):
        affine_at(FOUR, draws(scale=0.0))
    for name in ("angle", "scale", "shear"):
        with pytest.raises(ValueError, match=rf"^{name}s must be finite, got nan"):
            affine_at(FOUR, draws(**{name: float("nan")}))
    with pytest.raises(ValueError, match=r"^shifts must have shape \(1, 2\), got \(1, 3\)$"):
        affine_at(FOUR, draws(shift=(0.0, 0.0, 0.0)))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match=r"^mode must be 'nearest' or 'bilinear', got 'cubic'$"):
        random_rotation(FOUR, 10.0, mode="cubic")


def test_a_fill_that_bytes_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"fill must be a whole number .* got 256"):
        random_affine(FOUR.byte(), 10.0, fill=256)


@pytest.mark.parametrize(
    "call",
    [
        lambda images: random_rotation(images, 9.0),
        lambda images: random_affine(images, 9.0),
        lambda images: draw_affine(images, 9.0),
        lambda images: affine_at(images, draws()),
    ],
)
def test_a_single_image_is_refused(call):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 2, 2\)"):
        call(FOUR[0])


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_maps_agree_with_torchvision_image_by_image(mode, make_images, generator):
    # In float64 no two neighbors are so equally near that rounding decides.
    images = make_images(torch.float64, (20, 3, 12, 16))
    draw = draw_affine(images, 180.0, (0.3, 0.2), (0.4, 2.0), 30.0, generator)
    torch.testing.assert_close(affine_at(images, draw, mode), affine_each(images, draw, mode))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.uint8, 1), (torch.float32, 1e-4)])
def test_other_dtypes_agree_with_torchvision_too(dtype, tolerance, make_images, generator):
    images = make_images(dtype, (20, 3, 12, 16))
    draw = draw_affine(images, 180.0, (0.3, 0.2), (0.4, 2.0), 30.0, generator)
    ours = affine_at(images, draw, "bilinear")
    assert ours.dtype == dtype
    theirs = affine_each(images, draw, "bilinear")
    assert (ours.double() - theirs.double()).abs().max() <= tolerance


def test_a_fill_agrees_with_torchvision_image_by_image(make_images, generator):
    images = make_images(torch.float64)
    draw = draw_affine(images, 180.0, generator=generator)
    theirs = [
        functional.affine(image, angle, [0, 0], 1.0, [0.0, 0.0], InterpolationMode.NEAREST, 0.25)
        for image, angle in zip(images, draw.angles.tolist(), strict=True)
    ]
    torch.testing.assert_close(affine_at(images, draw, "nearest", 0.25), torch.stack(theirs))


def test_half_precision_keeps_its_dtype(make_images):
    assert random_rotation(make_images(torch.float16), 10.0).dtype == torch.float16


def test_draws_are_distributed_as_in_torchvision(generator, differ):
    images = torch.zeros(1500, 1, 40, 60)
    ours = draw_affine(images, 30.0, (0.2, 0.5), (0.5, 1.5), 10.0, generator)
    torch.manual_seed(0)
    transform = v2.RandomAffine(30.0, (0.2, 0.5), (0.5, 1.5), 10.0)
    theirs = [transform.make_params([images[0]]) for _ in range(1500)]
    assert not differ(ours.angles, [draw["angle"] for draw in theirs])
    assert not differ(ours.shifts[:, 0], [draw["translate"][0] for draw in theirs])
    assert not differ(ours.shifts[:, 1], [draw["translate"][1] for draw in theirs])
    assert not differ(ours.scales, [draw["scale"] for draw in theirs])
    assert not differ(ours.shears, [draw["shear"][0] for draw in theirs])
    assert torch.equal(ours.shifts, ours.shifts.round())
    assert ours.shifts.abs().amax(dim=0).tolist() == [12, 20]


def test_a_rotation_is_an_affine_map_that_only_turns(generator):
    draw = draw_affine(torch.zeros(50, 1, 8, 8), 180.0, generator=generator)
    assert draw.angles.unique().numel() == 50
    assert (draw.shifts == 0).all()
    assert (draw.scales == 1).all()
    assert (draw.shears == 0).all()
