import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from notes.augmentation._draws import (
    NUM_TRIES,
    check_draws,
    check_fill,
    check_images,
    check_mixing,
    check_parts,
    check_range,
    draw_integers,
    draw_partners,
    draw_sides,
    draw_symmetric_beta,
    draw_uniform,
    inside,
    mix_labels,
    place_first_fit,
)

IMAGES = torch.zeros(2, 3, 8, 10)
LABELS, ZERO = torch.tensor([0, 1]), torch.zeros(2)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.float32, torch.float64])
def test_images_may_be_bytes_or_floats(dtype):
    check_images(IMAGES.to(dtype))


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 2, 3, 4, 5), (4,)])
def test_images_of_another_rank_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \("):
        check_images(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0)])
def test_empty_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must not be empty, got shape \(\d, "):
        check_images(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.int8, torch.complex64])
def test_images_of_other_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match=r"^images must be uint8 or floating-point, got torch."):
        check_images(IMAGES.to(dtype))


def test_something_else_than_a_tensor_is_refused():
    with pytest.raises(TypeError, match=r"images must be a tensor, got list"):
        check_images([[1.0]])


def test_draws_have_one_row_for_each_image():
    check_draws("shifts", torch.zeros(2, 4), IMAGES, 4)


@pytest.mark.parametrize("shape", [(3, 4), (2,), (2, 3), (2, 4, 1)])
def test_draws_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"shifts must have shape \(2, 4\), got \("):
        check_draws("shifts", torch.zeros(shape), IMAGES, 4)


def test_draws_on_another_device_are_refused():
    with pytest.raises(ValueError, match=r"tops must be on the device of images, cpu, got meta"):
        check_draws("tops", torch.zeros(2, device="meta"), IMAGES)


@pytest.mark.parametrize("value", [NAN, INF])
def test_draws_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match=rf"tops must be finite, got {value} at index \(1,\)"):
        check_draws("tops", torch.tensor([0.0, value]), IMAGES)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)])
def test_a_rising_pair_is_a_range(bounds):
    check_range("scale", bounds, 0.0, 1.0)


def test_a_range_is_open_above_unless_told():
    check_range("ratio", (0.0, 1e30))


@pytest.mark.parametrize("bounds", [(0.5, 0.4), (-0.1, 1.0), (0.0, 1.1), (NAN, 1.0), (0.0, NAN)])
def test_other_pairs_are_refused(bounds):
    with pytest.raises(ValueError, match=r"^scale must be a rising pair in \[0.0, 1.0\], got \("):
        check_range("scale", bounds, 0.0, 1.0)


def test_a_range_starts_at_zero_unless_told():
    with pytest.raises(ValueError, match=r"^ratio must be a rising pair in \[0.0, inf\], got "):
        check_range("ratio", (-1.0, 1.0))


@pytest.mark.parametrize("value", [0, 255, 7.0])
def test_bytes_are_filled_with_bytes(value):
    check_fill("fill", value, IMAGES.byte())


@pytest.mark.parametrize("value", [-1, 256, 0.5, NAN])
def test_bytes_are_not_filled_with_anything_else(value):
    message = rf"^fill must be a whole number in \[0, 255\] for uint8 images, got {value}$"
    with pytest.raises(ValueError, match=message):
        check_fill("fill", value, IMAGES.byte())


@pytest.mark.parametrize("value", [-1.0, 256, 0.5])
def test_floats_are_filled_with_any_number_that_they_hold(value):
    check_fill("fill", value, IMAGES)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(torch.float16, 1e5), (torch.float32, 1e39), (torch.float32, NAN), (torch.float64, INF)],
)
def test_floats_are_not_filled_with_a_number_beyond_their_range(dtype, value):
    with pytest.raises(ValueError, match=rf"^fill must be a number that {dtype} holds, got "):
        check_fill("fill", value, IMAGES.to(dtype))


def test_uniform_numbers_fill_their_range(generator):
    numbers = draw_uniform((40, 50), -2.0, 3.0, generator)
    assert numbers.shape == (40, 50)
    assert numbers.dtype == torch.float32
    assert stats.kstest(numbers.flatten(), stats.uniform(-2, 5).cdf).pvalue > 0.001


def test_integers_reach_each_value_below_their_own_count(generator):
    counts = torch.tensor([1, 2, 5]).repeat(1000, 1)
    numbers = draw_integers(counts, generator)
    assert numbers.dtype == torch.int64
    for column, count in enumerate((1, 2, 5)):
        observed = numbers[:, column].bincount(minlength=count)
        assert len(observed) == count
        assert count == 1 or stats.chisquare(observed).pvalue > 0.001


@pytest.mark.parametrize("count", [1, 3, 9, 255, 1000, 2**20 + 1])
def test_the_largest_draw_stays_below_the_count(count, monkeypatch):
    largest = 1 - 2**-24
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, largest))
    assert draw_integers(torch.tensor([count])).item() == count - 1


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 4.0, 50.0])
def test_beta_numbers_follow_the_beta_distribution(alpha, generator):
    numbers = draw_symmetric_beta(3000, alpha, generator)
    assert stats.kstest(numbers, stats.beta(alpha, alpha).cdf).pvalue > 0.001


@pytest.mark.parametrize("alpha", [1e-3, 1e-2, 1e6])
def test_beta_numbers_of_an_extreme_shape_are_never_nan(alpha, generator):
    numbers = draw_symmetric_beta(3000, alpha, generator)
    assert ((numbers >= 0) & (numbers <= 1)).all()


def test_a_draw_of_exactly_zero_gives_an_end_of_the_beta_distribution(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    assert draw_symmetric_beta(1, 1.0).item() == 1.0


def test_the_same_seed_gives_the_same_numbers():
    first, second = (
        draw_uniform((5,), 0.0, 1.0, torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_without_a_generator_the_global_seed_counts():
    torch.manual_seed(3)
    expected = draw_symmetric_beta(5, 1.0, torch.Generator().manual_seed(3))
    assert torch.equal(draw_symmetric_beta(5, 1.0), expected)


def test_a_draw_leaves_the_global_generator_alone(generator):
    before = torch.get_rng_state()
    draw_uniform((5,), 0.0, 1.0, generator)
    draw_integers(torch.tensor([5]), generator)
    draw_symmetric_beta(5, 1.0, generator)
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_are_drawn_where_the_generator_lives(monkeypatch):
    class GeneratorElsewhere:
        device = torch.device("meta")

    places = []

    def rand(shape, generator, device, dtype):
        places.append((generator, device))
        return torch.zeros(shape, dtype=dtype)

    monkeypatch.setattr(torch, "rand", rand)
    elsewhere = GeneratorElsewhere()
    draw_uniform((5,), 0.0, 1.0, elsewhere)
    draw_uniform((5,), 0.0, 1.0)
    assert places == [(elsewhere, torch.device("meta")), (None, "cpu")]


def test_numbers_go_to_the_device_that_is_asked_for(generator):
    assert draw_uniform((5,), 0.0, 1.0, generator, "meta").device.type == "meta"
    assert draw_symmetric_beta(5, 1.0, generator, "meta").device.type == "meta"


def test_the_mask_is_true_inside_only():
    masks = inside(torch.tensor([[1, 0, 2, 1], [0, 2, 1, 2]]), height=3, width=4)
    assert masks.shape == (2, 1, 3, 4)
    assert masks[0, 0].int().tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert masks[1, 0].int().tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_the_mask_of_an_empty_part_is_empty():
    assert not inside(torch.tensor([[0, 0, 0, 5], [0, 0, 5, 0]]), 8, 10).any()


def test_sides_of_a_given_area_and_ratio_match_those_computed_by_hand():
    first, second = draw_sides(torch.zeros(2, 1, 10, 20), (0.25, 0.25), (2.0, 2.0))
    assert first.shape == second.shape == (2, NUM_TRIES)
    assert (first == 10).all()
    assert (second == 5).all()


def test_areas_are_even_and_ratios_are_even_on_a_logarithmic_scale(generator):
    images = torch.zeros(1, 1, 1, 1).expand(500, 1, 4000, 4000)
    first, second = draw_sides(images, (0.2, 0.6), (0.5, 8.0), generator)
    areas, log_ratios = first * second / 4000**2, (first / second).log2()
    for values, low, high in ((areas, 0.2, 0.6), (log_ratios, -1.0, 3.0)):
        assert low - 0.001 < values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() < high + 0.001
        assert math.isclose(values.mean(), (low + high) / 2, abs_tol=0.02 * (high - low))
        quarter = (values < low + (high - low) / 4).float().mean()
        assert math.isclose(quarter, 0.25, abs_tol=0.03)


@pytest.mark.parametrize("ratio", [1e-30, 1e30, 3e38])
def test_sides_of_an_extreme_ratio_are_too_long_or_empty_never_negative(ratio):
    for shape in ((1, 1, 1, 1), (1, 1, 1, 9), (1, 1, 9, 1), (1, 1, 9, 9)):
        first, second = draw_sides(torch.zeros(shape), (0.5, 1.0), (ratio, ratio))
        longer, shorter = (first, second) if ratio > 1 else (second, first)
        assert (longer > max(shape)).all()
        assert (shorter == 0).all()


def test_the_first_rectangle_that_fits_is_taken(generator):
    sides = torch.tensor([[5, 3, 2], [9, 9, 9]])
    placed = place_first_fit(sides, sides + 1, sides < 5, (8, 10), generator)
    assert placed[:, 2:].tolist() == [[3, 4], [0, 0]]


def test_a_rectangle_can_lie_anywhere_in_its_image(generator):
    sides = torch.full((2000, 1), 6)
    placed = place_first_fit(sides, sides, sides > 0, (8, 10), generator)
    assert placed[:, 0].unique().tolist() == [0, 1, 2]
    assert placed[:, 1].unique().tolist() == [0, 1, 2, 3, 4]


def test_parts_may_touch_all_edges_and_be_empty():
    parts = torch.tensor([[0, 0, 8, 10], [8, 10, 0, 0]])
    assert torch.equal(check_parts(parts, IMAGES), parts)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([-1, 0, 1, 1], r"^parts must lie in \[0, 11\), got -1$"),
        ([0, 0, 1, 11], r"^parts must lie in \[0, 11\), got 11$"),
        ([8, 0, 1, 1], r"inside the 8 x 10 images, got top, left, height, width \[8, 0, 1, 1\]$"),
        ([0, 9, 1, 2], r"inside the 8 x 10 images, got top, left, height, width \[0, 9, 1, 2\]$"),
        ([0, 0, 9, 1], r"^parts must have sides of at least 0 inside the 8 x 10 images, got top"),
    ],
)
def test_parts_that_leave_their_image_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        check_parts(torch.tensor([[0, 0, 1, 1], wrong]), IMAGES)


@pytest.mark.parametrize("side", [2, 3])
def test_parts_that_are_too_small_are_refused(side):
    parts = torch.ones(2, 4, dtype=torch.int64)
    check_parts(parts, IMAGES, smallest=1)
    parts[1, side] = 0
    with pytest.raises(ValueError, match=r"^parts must have sides of at least 1 inside"):
        check_parts(parts, IMAGES, smallest=1)


def test_parts_of_other_images_and_between_pixels_are_refused():
    with pytest.raises(ValueError, match=r"^parts must have shape \(2, 4\), got \(1, 4\)$"):
        check_parts(torch.ones(1, 4, dtype=torch.int64), IMAGES)
    with pytest.raises(TypeError, match=r"parts must be a tensor of integers, got torch.float32"):
        check_parts(torch.ones(2, 4), IMAGES)


def test_parts_of_small_integers_do_not_wrap_around():
    images = torch.zeros(1, 1, 300, 300)
    parts = torch.tensor([[200, 0, 100, 250]], dtype=torch.uint8)  # as bytes 200 + 100 is 44
    assert check_parts(parts, images).tolist() == [[200, 0, 100, 250]]
    with pytest.raises(ValueError, match=r"inside the 299 x 300 images, got .* \[200, 0, 100, 250"):
        check_parts(parts, images[:, :, 1:])


def test_areas_and_ratios_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"scale must be a rising pair in \[0.0, 1.0\], got"):
        draw_sides(IMAGES, (0.1, 1.1), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"scale must be a rising pair in \[0.0, 1.0\], got"):
        draw_sides(IMAGES, (-0.1, 1.0), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"ratio must be a rising pair in \[.*\], got \(0.0, 1.0"):
        draw_sides(IMAGES, (0.1, 1.0), (0.0, 1.0))
    with pytest.raises(ValueError, match=r"ratio must be a rising pair in \[.*\], got \(1.0, inf"):
        draw_sides(IMAGES, (0.1, 1.0), (1.0, float("inf")))


def test_a_label_is_shared_between_two_classes():
    shared = mix_labels(torch.tensor([0, 2]), torch.tensor([1, 0]), torch.tensor([0.75, 0.0]), 3)
    assert shared.tolist() == [[0.75, 0.0, 0.25], [1.0, 0.0, 0.0]]


def test_an_image_that_is_its_own_partner_keeps_its_label():
    shared = mix_labels(torch.tensor([1]), torch.tensor([0]), torch.tensor([0.3]), 2)
    assert shared.tolist() == [[0.0, 1.0]]


def test_cross_entropy_takes_the_shared_labels():
    logits = torch.tensor([[0.3, -0.2, 0.7]])
    shared = torch.tensor([[0.25, 0.0, 0.75]])
    losses = [F.cross_entropy(logits, torch.tensor([k])) for k in (0, 2)]
    expected = 0.25 * losses[0] + 0.75 * losses[1]
    torch.testing.assert_close(F.cross_entropy(logits, shared), expected)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_shared_labels_are_probabilities(samples):
    labels, weights = (torch.tensor(values) for values in zip(*samples, strict=True))
    shared = mix_labels(labels, draw_partners(torch.zeros(len(labels), 1, 1, 1)), weights, 5)
    assert shared.shape == (len(labels), 5)
    assert ((shared >= 0) & (shared <= 1)).all()
    torch.testing.assert_close(shared.sum(dim=1), torch.ones(len(labels), dtype=weights.dtype))


def test_each_image_is_a_partner_exactly_once(generator):
    for count in (1, 2, 9):
        partners = draw_partners(torch.zeros(count, 1, 1, 1), generator)
        assert sorted(partners.tolist()) == list(range(count))


def test_all_pairings_are_equally_likely(generator):
    batch = torch.zeros(3, 1, 1, 1)
    seen = [tuple(draw_partners(batch, generator).tolist()) for _ in range(600)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert 70 < min(counts) <= max(counts) < 130


def test_partners_may_be_small_integers():
    shared = mix_labels(
        torch.tensor([0, 2], dtype=torch.int16), torch.tensor([1, 0], dtype=torch.uint8), ZERO, 3
    )
    assert shared.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("partner", [-1, 2])
def test_partners_outside_the_batch_are_refused(partner):
    with pytest.raises(ValueError, match=rf"^partners must lie in \[0, 2\), got {partner}$"):
        check_mixing(IMAGES, LABELS, torch.tensor([0, partner]), 5)


def test_partners_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r"^partners must have shape \(2,\), got \(1,\)$"):
        check_mixing(IMAGES, LABELS, torch.tensor([0]), 5)


@pytest.mark.parametrize("label", [-1, 5])
def test_labels_out_of_range_are_refused(label):
    with pytest.raises(ValueError, match=rf"^labels must lie in \[0, 5\), got {label}$"):
        check_mixing(IMAGES, torch.tensor([0, label]), LABELS, 5)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (LABELS.float(), TypeError, "labels must be a tensor of integers, got torch.float32"),
        (torch.arange(3), ValueError, r"labels must have shape \(2,\), got \(3,\)"),
        (LABELS.to("meta"), ValueError, "labels must be on the device of images, cpu, got meta"),
    ],
)
def test_labels_of_another_kind_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        check_mixing(IMAGES, labels, LABELS, 5)
