import math

import pytest
import torch

from notes.augmentation.rectangles import (
    NUM_TRIES,
    Rectangles,
    check_rectangles,
    draw_sides,
    inside,
    place_first_fit,
)

IMAGES = torch.zeros(2, 3, 8, 10)


def rectangles(*rows):
    """One rectangle a row: top, left, height, width."""
    return Rectangles(*torch.tensor(rows).T)


def test_the_mask_is_true_inside_only():
    masks = inside(rectangles([1, 0, 2, 1], [0, 2, 1, 2]), height=3, width=4)
    assert masks.shape == (2, 1, 3, 4)
    assert masks[0, 0].int().tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert masks[1, 0].int().tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_the_mask_of_an_empty_rectangle_is_empty():
    assert not inside(rectangles([0, 0, 0, 5], [0, 0, 5, 0]), 8, 10).any()


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


def test_the_first_rectangle_that_fits_is_taken(generator):
    sides = torch.tensor([[5, 3, 2], [9, 9, 9]])
    placed = place_first_fit(sides, sides + 1, sides < 5, (8, 10), generator)
    assert placed.heights.tolist() == [3, 0]
    assert placed.widths.tolist() == [4, 0]


def test_a_rectangle_can_lie_anywhere_in_its_image(generator):
    sides = torch.full((2000, 1), 6)
    placed = place_first_fit(sides, sides, sides > 0, (8, 10), generator)
    assert placed.tops.unique().tolist() == [0, 1, 2]
    assert placed.lefts.unique().tolist() == [0, 1, 2, 3, 4]


def test_rectangles_may_touch_all_edges_and_be_empty():
    check_rectangles(rectangles([0, 0, 8, 10], [8, 10, 0, 0]), IMAGES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([-1, 0, 1, 1], r"^tops must lie in \[0, 9\), got -1$"),
        ([0, -1, 1, 1], r"^lefts must lie in \[0, 11\), got -1$"),
        ([0, 0, -1, 1], r"^heights must lie in \[0, 9\), got -1$"),
        ([0, 0, 1, 11], r"^widths must lie in \[0, 11\), got 11$"),
        ([8, 0, 1, 1], r"^tops \+ heights must lie in \[0, 9\), got 9$"),
        ([0, 9, 1, 2], r"^lefts \+ widths must lie in \[0, 11\), got 11$"),
    ],
)
def test_rectangles_that_leave_their_image_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        check_rectangles(rectangles([0, 0, 1, 1], wrong), IMAGES)


def test_rectangles_that_are_too_small_are_refused():
    check_rectangles(rectangles([0, 0, 1, 1], [0, 0, 1, 1]), IMAGES, smallest=1)
    with pytest.raises(ValueError, match=r"^heights must be 1 or more, got 0$"):
        check_rectangles(rectangles([0, 0, 1, 1], [0, 0, 0, 1]), IMAGES, smallest=1)
    with pytest.raises(ValueError, match=r"^widths must be 1 or more, got 0$"):
        check_rectangles(rectangles([0, 0, 1, 1], [0, 0, 1, 0]), IMAGES, smallest=1)


def test_rectangles_of_other_images_are_refused():
    with pytest.raises(ValueError, match=r"tops must have shape \(2,\), got \(1,\)"):
        check_rectangles(rectangles([0, 0, 1, 1]), IMAGES)
    with pytest.raises(TypeError, match=r"tops must be a tensor of integers, got torch.float32"):
        check_rectangles(rectangles([0.0, 0, 1, 1], [0, 0, 1, 1]), IMAGES)


def test_areas_and_ratios_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"scale must be a rising pair in \[0.0, 1.0\], got"):
        draw_sides(IMAGES, (0.1, 1.1), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"scale must be a rising pair in \[0.0, 1.0\], got"):
        draw_sides(IMAGES, (-0.1, 1.0), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"ratio must be a rising pair in \[.*\], got \(0.0, 1.0"):
        draw_sides(IMAGES, (0.1, 1.0), (0.0, 1.0))
    with pytest.raises(ValueError, match=r"ratio must be a rising pair in \[.*\], got \(1.0, inf"):
        draw_sides(IMAGES, (0.1, 1.0), (1.0, float("inf")))
