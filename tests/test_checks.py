import pytest
import torch

from notes.checks import (
    check_finite,
    check_floating,
    check_indices,
    check_not_empty,
    check_positive,
    check_probability,
    check_same,
    check_shape,
)


def test_what_fits_passes_silently():
    check_shape("x", torch.zeros(0, 4), "N", 4)
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
