import numpy as np
import pytest
import torch

from notes.checks import (
    as_integer,
    as_pair,
    check_boolean,
    check_boxes,
    check_device,
    check_finite,
    check_floating,
    check_indices,
    check_label_rows,
    check_not_empty,
    check_positive,
    check_probabilities,
    check_probability,
    check_same,
    check_shape,
    shown,
)


def test_what_fits_passes_silently():
    check_shape("x", torch.zeros(0, 4), "N", 4)
    check_shape("x", torch.zeros(2, 4), "N", 4, "...")
    check_shape("x", torch.zeros(2, 4, 0, 5), "N", 4, "...")
    check_floating("x", torch.zeros(1, dtype=torch.bfloat16))
    check_finite("x", torch.zeros(0))
    check_finite("x", torch.full((2,), torch.finfo(torch.float32).max))  # their sum overflows
    check_not_empty("x", torch.zeros(1))
    check_indices("x", torch.tensor([0, 2]), 3)
    check_indices("x", torch.tensor([], dtype=torch.long), 3)
    check_same("x", torch.zeros(1), "y", torch.zeros(2))
    check_positive("x", 1e-9)
    check_probability("x", 0)
    check_probability("x", 1.0)


@pytest.mark.parametrize(
    ("check", "error", "message"),
    [
        (lambda: check_shape("x", [1], "N"), TypeError, "x must be a tensor, got list"),
        (lambda: check_shape("x", torch.zeros(2), "N", 4), ValueError, r"\(N, 4\), got \(2,\)"),
        (lambda: check_shape("x", torch.zeros(2, 5), "N", 4), ValueError, r"got \(2, 5\)"),
        (lambda: check_shape("x", torch.zeros(2, 5), "N"), ValueError, r"\(N,\), got \(2, 5\)"),
        (
            lambda: check_shape("x", torch.zeros(2), "N", "M", "..."),
            ValueError,
            r"x must have shape \(N, M, ...\), got \(2,\)",
        ),
        (lambda: check_shape("x", torch.zeros(2, 5, 1), "N", 4, "..."), ValueError, "2, 5, 1"),
        (lambda: check_floating("x", torch.tensor([1])), TypeError, "got torch.int64"),
        (
            lambda: check_finite("x", torch.tensor([[0.0, float("inf")]])),
            ValueError,
            r"x must be finite, got inf at index \(0, 1\)",
        ),
        (lambda: check_not_empty("x", torch.zeros(0)), ValueError, r"got shape \(0,\)"),
        (lambda: check_indices("x", torch.tensor([0, -1]), 3), ValueError, r"\[0, 3\), got -1"),
        (lambda: check_indices("x", torch.tensor([3]), 3), ValueError, r"\[0, 3\), got 3"),
        (
            lambda: check_indices("x", torch.tensor([0.0]), 3),
            TypeError,
            "integers, got torch.float",
        ),
        (lambda: check_indices("x", torch.tensor([True]), 3), TypeError, "got torch.bool"),
        (
            lambda: check_same("x", torch.zeros(1), "y", torch.zeros(1, device="meta")),
            ValueError,
            "y must be on the device of x, cpu, got meta",
        ),
        (
            lambda: check_same("x", torch.zeros(1), "y", torch.zeros(1).double()),
            TypeError,
            "y must have the dtype of x, torch.float32, got torch.float64",
        ),
        (lambda: check_boolean("x", torch.tensor([1])), TypeError, "booleans, got torch.int64"),
        (
            lambda: check_device("x", torch.zeros(1), "y", torch.zeros(1, device="meta")),
            ValueError,
            "y must be on the device of x, cpu, got meta",
        ),
        (
            lambda: check_probabilities("x", torch.tensor([0.5, 1.0000001])),
            ValueError,
            r"x must lie in \[0, 1\], got 1.00000011",  # every digit, or it would say: got 1
        ),
        (
            lambda: check_probabilities("x", torch.tensor([0.5, 1 + 2.3e-16], dtype=torch.float64)),
            ValueError,
            r"x must lie in \[0, 1\], got 1.0000000000000002$",
        ),
        (lambda: check_probabilities("x", torch.tensor([1.8])), ValueError, "got 1.8$"),
        (lambda: check_probabilities("x", torch.tensor([0.1, torch.nan])), ValueError, "got nan"),
        (lambda: check_positive("x", 0), ValueError, "x must be greater than 0, got 0"),
        (lambda: check_positive("x", float("nan")), ValueError, "got nan"),
        (lambda: check_probability("x", 1.1), ValueError, r"x must lie in \[0, 1\], got 1.1"),
        (lambda: check_probability("x", -0.1), ValueError, r"x must lie in \[0, 1\], got -0.1"),
        (lambda: check_probability("x", float("nan")), ValueError, "got nan"),
    ],
)
def test_what_breaks_the_rule_is_named(check, error, message):
    with pytest.raises(error, match=message):
        check()


def test_probabilities_of_any_shape_and_dtype_pass_and_the_first_wrong_one_is_named():
    for tensor in (torch.zeros(0), torch.ones(2, 0), torch.ones(3, 2).half(), torch.ones(2).int()):
        check_probabilities("p", tensor)
    for wrong in (-0.5, 1.5, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=rf"p must lie in \[0, 1\], got {wrong}"):
            check_probabilities("p", torch.tensor([[0.5, wrong], [7.0, 1.0]]))


SQUARE, LINE, TURNED = [0.0, 0.0, 1.0, 1.0], [0.5, 0.0, 0.5, 1.0], [0.6, 0.0, 0.12345, 1.0]
LABELED = [2.0, 0.2, 0.1, 0.4, 0.9]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_boxes_pass_in_every_precision_if_they_have_the_area_that_is_asked_for(dtype):
    check_boxes("boxes", torch.zeros(0, 4, dtype=dtype))
    check_boxes("boxes", torch.tensor([SQUARE, LINE], dtype=dtype, requires_grad=True))
    check_boxes("boxes", torch.tensor([SQUARE], dtype=dtype), with_area=True)
    with pytest.raises(ValueError, match=r"boxes must have an area, got \[0.5, 0.0, 0.5, 1.0\] at"):
        check_boxes("boxes", torch.tensor([SQUARE, LINE], dtype=dtype), with_area=True)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (TURNED, r"must have x1 <= x2 and y1 <= y2, got \[0.6, 0.0, 0.12345, 1.0\] at index 1"),
        ([0.0, 1.0, 1.0, 0.5], r"must have x1 <= x2 and y1 <= y2, got .* at index 1"),
        ([0.0, 0.0, float("nan"), 1.0], r"must be finite, got nan at index \(1, 2\)"),
        ([-float("inf"), 0.0, 1.0, 1.0], r"must be finite, got -inf at index \(1, 0\)"),
        ([0.0, 0.0, 1.0, 5e18], r"must have sides of at most 4.61e\+18, got .* at index 1"),
        ([-5e18, 0.0, 1.0, 1.0], r"must have sides of at most 4.61e\+18, got .* at index 1"),
    ],
)
@pytest.mark.parametrize("with_area", [False, True])
def test_the_first_row_that_is_no_box_is_named(box, message, with_area):
    with pytest.raises(ValueError, match=f"^boxes {message}"):
        check_boxes("boxes", torch.tensor([SQUARE, box, box]), with_area=with_area)


def test_a_number_just_out_of_range_does_not_look_as_if_it_were_allowed():
    box = torch.tensor([[0.5, 0.0, 0.49999997, 1.0]])
    with pytest.raises(ValueError, match=r"got \[0\.5, 0\.0, 0\.49999997, 1\.0\] at index 0"):
        check_boxes("boxes", box)
    with pytest.raises(ValueError, match=r"got \[0\.5, 0\.0, 0\.4999999\d+, 1\.0\] at index 0"):
        check_boxes("boxes", box.double())
    rows = torch.cat([torch.zeros(1, 1), box], dim=1)[None]
    with pytest.raises(ValueError, match=r"got \[0\.5, 0\.0, 0\.49999997, 1\.0\] at index"):
        check_label_rows("labels", rows)
    almost = torch.tensor([[[0.99999994, *SQUARE]]])
    with pytest.raises(ValueError, match=r"whole numbers as classes, got 0\.99999994$"):
        check_label_rows("labels", almost)
    with pytest.raises(ValueError, match=r"must lie in \[0, 16777216\), got 16777218$"):
        check_label_rows("labels", torch.tensor([[[2.0**24 + 2, *SQUARE]]]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_shown_numbers_are_the_numbers(dtype):
    numbers = torch.tensor([0.1, -3.25, 1e-7, 65504.0, float("inf")], dtype=dtype)
    assert torch.equal(torch.tensor(shown(numbers), dtype=dtype), numbers)


def test_integers_are_no_boxes():
    with pytest.raises(TypeError, match=r"boxes must be a floating-point tensor, got torch\.int8"):
        check_boxes("boxes", torch.zeros(1, 4, dtype=torch.int8))


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([[[0.0, *LABELED[1:]], [19.0, *LABELED[1:]]]], id="two boxes"),
        pytest.param([[[-1.0] * 5, [3.0, *LABELED[1:]]]], id="padding first"),
        pytest.param([[[-1.0, 0.9, 0.9, 0.1, 0.1]]], id="any numbers in padding"),
        pytest.param([[[0.0, 0.2, 0.2, 0.2, 0.2]]], id="a box without area"),
    ],
)
def test_labeled_boxes_with_padding_pass(labels):
    check_label_rows("labels", torch.tensor(labels))


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 0, 5)])
def test_an_empty_batch_passes(shape):
    check_label_rows("labels", torch.zeros(shape))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0.0, *LABELED[1:]]], r"labels must have shape \(B, M, 5\), got \(1, 5\)"),
        ([[LABELED[1:]]], r"labels must have shape \(B, M, 5\), got \(1, 1, 4\)"),
        (
            [[[0.0, *LABELED[1:]], [1.5, *LABELED[1:]], [2.25, *LABELED[1:]]]],
            r"labels must have whole numbers as classes, got 1\.5",
        ),
        ([[[-0.5, *LABELED[1:]]]], r"labels must have whole numbers as classes, got -0\.5"),
        (
            [[[0.0, 0.1, 0.1, float("inf"), 1.0]]],
            r"labels must be finite, got inf at index \(0, 0, 3\)",
        ),
        (
            [[[-1.0] * 5, [0.0, *LABELED[1:]], [0, 0.45678, 0, 0.4, 1], [0, 0.5, 0, 0.4, 1]]],
            r"x1 <= x2 .* \[0.45678, 0.0, 0.4, 1.0\] at index \(0, 2\)",
        ),
        ([[[3.0, 0.0, 0.5, 0.4, 0.4]]], "boxes of labels must have x1 <= x2 and y1 <= y2"),
    ],
)
def test_what_is_no_labeled_box_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        check_label_rows("labels", torch.tensor(labels))


def test_labels_of_integers_are_refused():
    with pytest.raises(
        TypeError, match=r"labels must be a floating-point tensor, got torch\.int64"
    ):
        check_label_rows("labels", torch.zeros(1, 1, 5, dtype=torch.int64))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([3.0, *SQUARE], r"classes of labels must lie in \[0, 3\), got 3$"),
        ([0.0, 0.0, 0.0, 5e18, 1.0], r"boxes of labels must have sides of at most 4.61e\+18"),
    ],
)
def test_labels_beyond_the_bounds_are_refused(row, message):
    with pytest.raises(ValueError, match=message):
        check_label_rows("labels", torch.tensor([[LABELED, row]]), num_classes=3)


def test_a_class_that_float32_cannot_count_to_is_refused():
    check_label_rows("labels", torch.tensor([[[2.0**24 - 1, *SQUARE]]]))
    with pytest.raises(ValueError, match=r"classes of labels must lie in \[0, 16777216\), got 1e"):
        check_label_rows("labels", torch.tensor([[[1e20, *SQUARE]]]))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16])
def test_small_integers_are_compared_with_sizes_that_they_cannot_hold(dtype):
    check_indices("x", torch.tensor([0, 120], dtype=dtype), 300)
    check_indices("x", torch.tensor([0, 120], dtype=dtype), 2**40)
    with pytest.raises(ValueError, match=r"x must lie in \[0, 100\), got 120"):
        check_indices("x", torch.tensor([0, 120], dtype=dtype), 100)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_floating_point_dtypes_may_differ_under_autocast_only(dtype):
    half, full, whole = torch.zeros(1, dtype=dtype), torch.zeros(1), torch.zeros(1).long()
    with torch.autocast("cpu", dtype=dtype):
        check_same("x", half, "y", full)
        with pytest.raises(TypeError, match="y must have the dtype of x"):
            check_same("x", half, "y", whole)
        with pytest.raises(TypeError, match="y must have the dtype of x"):
            check_same("x", half.to("meta"), "y", full.to("meta"))
    with pytest.raises(TypeError, match="y must have the dtype of x"):
        check_same("x", half, "y", full)


WHOLE = [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), torch.tensor(3).byte()]


@pytest.mark.parametrize("value", WHOLE, ids=lambda value: type(value).__name__)
def test_an_integer_is_an_integer_wherever_it_comes_from(value):
    assert type(as_integer("x", value)) is int
    assert as_integer("x", value) == 3
    assert as_pair("x", value) == as_pair("x", (3, value)) == as_pair("x", [value, 3]) == (3, 3)
    assert as_pair("x", torch.Size([3, 3])) == (3, 3)


@pytest.mark.parametrize(
    "value",
    [True, 2.0, "2", None, np.bool_(True), np.float32(2), torch.tensor(True), torch.tensor(2.0)],
    ids=repr,
)
def test_what_is_no_integer_is_refused(value):
    with pytest.raises(TypeError, match=r"^x must be an integer, got "):
        as_integer("x", value)
    for pair in (value, (1, value), (value, 1)):
        with pytest.raises(TypeError, match=r"^x must be an integer or a pair of integers, got "):
            as_pair("x", pair)


def test_three_integers_are_no_pair():
    with pytest.raises(
        TypeError, match=r"x must be an integer or a pair of integers, got \(1, 2, 3"
    ):
        as_pair("x", (1, 2, 3))


def test_integers_below_the_minimum_are_refused():
    assert as_integer("x", 0, minimum=0) == 0
    with pytest.raises(ValueError, match=r"^x must be at least 1, got 0$"):
        as_integer("x", 0)
    with pytest.raises(ValueError, match=r"^x must be at least 0, got \(1, -1\)$"):
        as_pair("x", (1, -1), minimum=0)
