from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.losses.regression import absolute_loss, huber_loss, smooth_l1_loss, squared_loss

ERRORS = torch.tensor([-3.0, -0.5, 0.0, 0.5, 3.0])
ALL = pytest.mark.parametrize("loss", [squared_loss, absolute_loss, huber_loss, smooth_l1_loss])


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (squared_loss, [9, 0.25, 0, 0.25, 9]),
        (absolute_loss, [3, 0.5, 0, 0.5, 3]),
        (huber_loss, [2.5, 0.125, 0, 0.125, 2.5]),
    ],
)
def test_the_errors_of_the_notes_cost_what_they_say(loss, expected):
    assert loss(ERRORS, torch.zeros(5), reduction="none").tolist() == expected


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (squared_loss, [-6, -1, 0, 1, 6]),
        (absolute_loss, [-1, -1, 0, 1, 1]),
        (huber_loss, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_the_gradients_are_those_computed_by_hand(loss, expected):
    errors = ERRORS.clone().requires_grad_()
    loss(errors, torch.zeros(5), reduction="sum").backward()
    assert errors.grad.tolist() == expected


def test_one_two_three_against_one_two_five_gives_the_values_of_the_notes():
    predictions, targets = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 5.0])
    assert squared_loss(predictions, targets).item() == pytest.approx(4 / 3)
    assert squared_loss(predictions, targets, reduction="sum").item() == 4
    assert absolute_loss(predictions, targets).item() == pytest.approx(2 / 3)
    assert absolute_loss(predictions, targets, reduction="sum").item() == 2


def test_smooth_l1_of_a_half_and_two_gives_the_value_of_the_notes():
    assert smooth_l1_loss(torch.zeros(2), torch.tensor([0.5, 2.0])).item() == 0.8125


@settings(deadline=None, max_examples=25)
@given(threshold=st.floats(0.1, 5), seed=st.integers(0, 1000))
def test_huber_is_smooth_l1_times_its_threshold_and_below_both_others(threshold, seed):
    predictions, targets = 3 * draw(10, seed=seed), draw(10, seed=seed + 1)
    pair = partial(lambda loss, **options: loss(predictions, targets, reduction="none", **options))
    huber = pair(huber_loss, delta=threshold)
    torch.testing.assert_close(huber, threshold * pair(smooth_l1_loss, beta=threshold))
    assert (huber <= pair(squared_loss) / 2 + 1e-12).all()
    assert (huber <= threshold * pair(absolute_loss) + 1e-12).all()


@ALL
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), shift=st.floats(-5, 5))
def test_losses_are_symmetric_not_negative_and_see_only_the_difference(loss, seed, shift):
    predictions, targets = draw(6, seed=seed), draw(6, seed=seed + 1)
    value = loss(predictions, targets)
    assert value >= 0
    torch.testing.assert_close(loss(targets, predictions), value)
    torch.testing.assert_close(loss(predictions + shift, targets + shift), value)


@ALL
def test_equal_tensors_cost_nothing(loss):
    assert loss(ERRORS, ERRORS) == 0


@ALL
def test_a_nan_in_a_prediction_shows_in_the_loss(loss):
    assert loss(torch.tensor([1.0, torch.nan]), torch.zeros(2)).isnan()


@ALL
@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        pytest.param(
            torch.zeros(3, 1),
            torch.zeros(3),
            r"targets must have shape \(3, 1\), got \(3,\)",
            id="would broadcast",
        ),
        pytest.param(
            torch.zeros(0), torch.zeros(0), "predictions must not be empty, got shape", id="empty"
        ),
        pytest.param(
            torch.zeros(2),
            torch.tensor([0.0, torch.nan]),
            r"targets must be finite, got nan at index \(1,\)",
            id="NaN",
        ),
        pytest.param(
            torch.zeros(2),
            torch.zeros(2, device="meta"),
            "targets must be on the device of predictions, cpu, got meta",
            id="device",
        ),
    ],
)
def test_what_does_not_fit_is_rejected(loss, predictions, targets, message):
    with pytest.raises(ValueError, match=message):
        loss(predictions, targets)


@ALL
def test_integers_and_mixed_dtypes_are_rejected(loss):
    message = r"predictions must be a floating-point tensor, got torch\.int64"
    with pytest.raises(TypeError, match=message):
        loss(torch.zeros(2, dtype=torch.long), torch.zeros(2, dtype=torch.long))
    message = r"targets must have the dtype of predictions, torch\.float32, got torch\.int64"
    with pytest.raises(TypeError, match=message):
        loss(torch.zeros(2), torch.zeros(2, dtype=torch.long))


def test_thresholds_that_are_not_positive_are_rejected():
    with pytest.raises(ValueError, match=r"delta must be greater than 0, got 0\.0"):
        huber_loss(ERRORS, ERRORS, delta=0.0)
    with pytest.raises(ValueError, match=r"beta must be greater than 0, got -1\.0"):
        smooth_l1_loss(ERRORS, ERRORS, beta=-1.0)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(squared_loss, F.mse_loss, id="squared"),
        pytest.param(absolute_loss, F.l1_loss, id="absolute"),
        pytest.param(partial(huber_loss, delta=0.7), partial(F.huber_loss, delta=0.7), id="huber"),
        pytest.param(
            partial(smooth_l1_loss, beta=0.7), partial(F.smooth_l1_loss, beta=0.7), id="smooth L1"
        ),
    ],
)
def test_losses_agree_with_torch_in_value_and_gradient(ours, theirs, reduction):
    # The kinks belong to it: error 0 and the error at which the pieces meet.
    predictions = torch.cat([2 * draw(20), torch.tensor([0.0, 0.7, -0.7])])
    targets = torch.cat([draw(20, seed=1), torch.zeros(3)])
    mine, other = (
        [tensor.clone().requires_grad_() for tensor in (predictions, targets)] for _ in range(2)
    )
    loss, expected = ours(*mine, reduction=reduction), theirs(*other, reduction=reduction)
    torch.testing.assert_close(loss, expected)
    loss.sum().backward()
    expected.sum().backward()
    for tensor, twin in zip(mine, other, strict=True):
        torch.testing.assert_close(tensor.grad, twin.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (squared_loss, F.mse_loss),
        (absolute_loss, F.l1_loss),
        (huber_loss, F.huber_loss),
        (smooth_l1_loss, F.smooth_l1_loss),
    ],
)
def test_half_precision_under_autocast_meets_float32_targets_as_in_torch(ours, theirs, dtype):
    predictions, targets = draw(4, 5).to(dtype), draw(4, 5, seed=1).float()
    with torch.autocast("cpu", dtype=dtype):
        loss, expected = ours(predictions, targets), theirs(predictions, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected)


@ALL
def test_the_gradients_are_right(loss):
    assert gradcheck(loss, [(3 * draw(2, 5)).requires_grad_(), draw(2, 5, seed=1).requires_grad_()])
