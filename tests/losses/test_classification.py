import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.losses.classification import (
    cross_entropy,
    log_softmax,
    log_sum_exp,
    negative_log_likelihood,
    softmax,
)

SOFTMAX = pytest.mark.parametrize("function", [log_sum_exp, log_softmax, softmax])


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(size, num_classes, seed=0):
    return torch.randint(num_classes, (size,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([1.0, -1.0, 2.0], [0.260, 0.035, 0.705]),
        ([1.0, 2.0, 4.0], [0.042, 0.114, 0.844]),
        ([0.2, 0.1, -0.1], [0.3780, 0.3420, 0.2800]),
    ],
)
def test_the_scores_of_the_notes_become_their_probabilities(logits, expected):
    assert softmax(torch.tensor(logits)).tolist() == pytest.approx(expected, abs=6e-4)


def test_the_log_of_a_sum_of_equal_exponentials_is_computed_by_hand():
    assert log_sum_exp(torch.zeros(4)).item() == pytest.approx(math.log(4))
    assert log_sum_exp(torch.tensor([[5.0], [-7.0]])).tolist() == [5, -7]


def test_scores_that_overflow_the_exponential_stay_finite():
    logits = torch.tensor([1000.0, 0.0])
    assert logits.exp().isinf().any()
    assert log_softmax(logits).tolist() == [0, -1000]
    assert softmax(logits).tolist() == [1, 0]
    assert log_softmax(torch.tensor([200.0, 0.0, 0.0])).tolist() == [0, -200, -200]
    assert log_sum_exp(torch.tensor([-1000.0, -1000.0])).item() == pytest.approx(-999.3069)


@settings(deadline=None, max_examples=25)
@given(shift=st.floats(-1000, 1000), seed=st.integers(0, 1000))
def test_probabilities_sum_to_one_and_do_not_see_a_shift(shift, seed):
    logits = 5 * draw(3, 4, seed=seed)
    probabilities = softmax(logits)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(3, dtype=torch.float64))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    torch.testing.assert_close(softmax(logits + shift), probabilities)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), size=st.integers(1, 8))
def test_the_log_of_the_sum_lies_between_the_largest_and_that_plus_log_k(seed, size):
    logits = 100 * draw(3, size, seed=seed)
    largest = logits.max(dim=1).values
    total = log_sum_exp(logits)
    assert (largest <= total).all()
    assert (total <= largest + math.log(size) + 1e-9).all()


def test_the_order_of_the_classes_goes_along():
    logits, order = draw(2, 4), torch.tensor([3, 1, 0, 2])
    torch.testing.assert_close(softmax(logits[:, order]), softmax(logits)[:, order])


def test_minus_infinity_rules_a_class_out_without_a_nan_in_the_gradient():
    logits = torch.tensor([1.0, -torch.inf, 1.0], requires_grad=True)
    probabilities = softmax(logits)
    assert probabilities.tolist() == pytest.approx([0.5, 0, 0.5])
    probabilities[0].backward()
    assert logits.grad.tolist() == pytest.approx([0.25, 0, -0.25])


def test_infinities_only_give_what_torch_gives():
    for value in (torch.inf, -torch.inf):
        logits = torch.full((2,), value)
        assert torch.equal(log_sum_exp(logits), torch.logsumexp(logits, dim=0))


def test_an_empty_batch_gives_an_empty_output():
    assert log_sum_exp(torch.zeros(0, 3)).shape == (0,)
    assert softmax(torch.zeros(0, 3)).shape == (0, 3)


@SOFTMAX
@pytest.mark.parametrize("shape", [(), (2, 0)])
def test_logits_without_a_class_are_rejected(function, shape):
    with pytest.raises(ValueError, match="logits must have at least one class, got shape "):
        function(torch.zeros(shape))


@SOFTMAX
def test_integer_logits_are_rejected(function):
    with pytest.raises(
        TypeError, match=r"logits must be a floating-point tensor, got torch\.int64"
    ):
        function(torch.tensor([1, 2]))


@SOFTMAX
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_only_once(function, dtype):
    logits = (20 + draw(4, 50)).to(dtype)
    assert torch.equal(function(logits), function(logits.float()).to(dtype))


def test_half_precision_holds_the_sum_over_more_classes_than_its_largest_number():
    logits = torch.zeros(1, 100_000, dtype=torch.float16)
    loss = cross_entropy(logits, torch.tensor([7]))
    assert loss.dtype == torch.float16
    assert loss.item() == pytest.approx(math.log(100_000), abs=0.01)


@pytest.mark.parametrize(
    ("logits", "targets", "expected"),
    [
        pytest.param([[0.2, 0.1, -0.1]], [0], 0.9729, id="one example"),
        pytest.param([[0.1, 0.2, 0.3]], [1], 1.1019, id="the catalog"),
        pytest.param(
            [[0.1, 0.2, 0.9], [1.1, 0.1, 0.2], [0.2, 2.1, 0.1]], [2, 0, 1], 0.4966, id="good scores"
        ),
        pytest.param(
            [[0.8, 0.2, 0.3], [0.2, 0.3, 0.5], [0.2, 0.2, 0.5]], [2, 0, 1], 1.2389, id="bad scores"
        ),
    ],
)
def test_cross_entropy_gives_the_values_of_the_notes(logits, targets, expected):
    loss = cross_entropy(torch.tensor(logits), torch.tensor(targets))
    assert loss.item() == pytest.approx(expected, abs=5e-5)


def test_softmax_before_cross_entropy_gives_the_wrong_loss_of_the_notes():
    loss = cross_entropy(softmax(torch.tensor([[0.2, 0.1, -0.1]])), torch.tensor([0]))
    assert loss.item() == pytest.approx(1.0548, abs=5e-5)


def test_the_gradient_of_cross_entropy_is_the_probabilities_minus_the_label():
    logits, targets = draw(4, 3).requires_grad_(), torch.tensor([0, 2, 1, 1])
    cross_entropy(logits, targets, reduction="sum").backward()
    expected = softmax(logits.detach()) - F.one_hot(targets, 3)
    torch.testing.assert_close(logits.grad, expected)


def test_label_smoothing_is_computed_by_hand():
    # All classes equally likely: every label costs log 2. Else (1 - 0.2) * 0 + 0.2 * 20 / 2.
    assert cross_entropy(torch.zeros(1, 2), torch.tensor([0]), label_smoothing=0.3).item() == (
        pytest.approx(0.6931, abs=5e-5)
    )
    sure = torch.tensor([[20.0, 0.0]])
    loss = cross_entropy(sure, torch.tensor([0]), label_smoothing=0.2)
    assert loss.item() == pytest.approx(2.0, abs=1e-4)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), shift=st.floats(-500, 500), smoothing=st.floats(0, 1))
def test_cross_entropy_is_not_negative_and_does_not_see_a_shift(seed, shift, smoothing):
    logits, targets = 5 * draw(4, 3, seed=seed), labels(4, 3, seed)
    loss = cross_entropy(logits, targets, label_smoothing=smoothing)
    assert loss >= 0
    shifted = cross_entropy(logits + shift, targets, label_smoothing=smoothing)
    torch.testing.assert_close(shifted, loss)


def test_a_class_that_is_ruled_out_costs_nothing_unless_it_is_right():
    logits = torch.tensor([[1.0, -torch.inf]])
    assert cross_entropy(logits, torch.tensor([0])).item() == 0
    assert cross_entropy(logits, torch.tensor([1])).item() == torch.inf


def test_a_nan_in_the_logits_shows_in_the_loss():
    assert cross_entropy(torch.tensor([[1.0, torch.nan]]), torch.tensor([0])).isnan()


def test_probabilities_instead_of_their_logarithms_are_rejected():
    with pytest.raises(ValueError, match=r"log_probabilities must be at most 0, got 0\.378"):
        negative_log_likelihood(torch.tensor([[0.378, 0.342, 0.28]]), torch.tensor([0]))


CLASSES = pytest.mark.parametrize(
    ("loss", "name"),
    [(cross_entropy, "logits"), (negative_log_likelihood, "log_probabilities")],
    ids=["cross_entropy", "negative_log_likelihood"],
)


@CLASSES
@pytest.mark.parametrize(
    ("shape", "targets", "message"),
    [
        pytest.param(
            (3,), torch.tensor([0]), r"{} must have shape \(B, K\), got \(3,\)", id="rank"
        ),
        pytest.param((0, 3), torch.zeros(0).long(), "{} must not be empty, got shape", id="empty"),
        pytest.param(
            (2, 3),
            torch.tensor([[0], [1]]),
            r"targets must have shape \(2,\), got \(2, 1\)",
            id="rank of the targets",
        ),
        pytest.param(
            (2, 3),
            torch.tensor([0, 3]),
            r"targets must lie in \[0, 3\), got 3",
            id="label too large",
        ),
        pytest.param(
            (2, 3),
            torch.tensor([0, -1]),
            r"targets must lie in \[0, 3\), got -1",
            id="negative label",
        ),
        pytest.param(
            (1, 3),
            torch.zeros(1, dtype=torch.long, device="meta"),
            "targets must be on the device of {}, cpu, got meta",
            id="device",
        ),
    ],
)
def test_scores_and_labels_that_do_not_fit_are_rejected(loss, name, shape, targets, message):
    with pytest.raises(ValueError, match=message.format(name)):
        loss(torch.zeros(shape), targets)


@CLASSES
def test_wrong_dtypes_are_rejected(loss, name):
    with pytest.raises(
        TypeError, match=rf"{name} must be a floating-point tensor, got torch\.int64"
    ):
        loss(torch.zeros(1, 3, dtype=torch.long), torch.tensor([0]))
    with pytest.raises(
        TypeError, match=r"targets must be a tensor of integers, got torch\.float32"
    ):
        loss(torch.zeros(1, 3), torch.tensor([0.0]))


@pytest.mark.parametrize("smoothing", [-0.1, 1.1])
def test_a_label_smoothing_out_of_range_is_rejected(smoothing):
    message = rf"label_smoothing must lie in \[0, 1\], got {smoothing}"
    with pytest.raises(ValueError, match=message):
        cross_entropy(torch.zeros(1, 2), torch.tensor([0]), label_smoothing=smoothing)


@CLASSES
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16])
def test_labels_may_be_small_integers_where_torch_wants_long(loss, name, dtype):
    scores, targets = log_softmax(draw(3, 300)), torch.tensor([0, 120, 1])  # 300 is no uint8
    assert loss(scores, targets.to(dtype)) == loss(scores, targets)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(log_sum_exp, torch.logsumexp), (log_softmax, torch.log_softmax), (softmax, torch.softmax)],
)
def test_softmax_and_its_logarithms_agree_with_torch(ours, theirs):
    logits = torch.cat([10 * draw(4, 5), torch.zeros(1, 5), 500 * draw(2, 5)])
    mine, other = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    output, expected = ours(mine), theirs(other, dim=-1)
    torch.testing.assert_close(output, expected)
    upstream = draw(*output.shape, seed=2)
    output.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(mine.grad, other.grad)


def same(ours, theirs, inputs):
    """Check equal values, and equal gradients for all inputs."""
    mine, other = ([tensor.clone().requires_grad_() for tensor in inputs] for _ in range(2))
    loss, expected = ours(*mine), theirs(*other)
    torch.testing.assert_close(loss, expected)
    upstream = draw(*loss.shape, seed=9)
    loss.backward(upstream)
    expected.backward(upstream)
    for tensor, twin in zip(mine, other, strict=True):
        torch.testing.assert_close(tensor.grad, twin.grad)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_agrees_with_torch(reduction, smoothing):
    logits = torch.cat([3 * draw(6, 4), torch.zeros(1, 4), 300 * draw(1, 4, seed=1)])
    options = {"label_smoothing": smoothing, "reduction": reduction}
    same(
        lambda x: cross_entropy(x, labels(8, 4), **options),
        lambda x: F.cross_entropy(x, labels(8, 4), **options),
        [logits],
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_negative_log_likelihood_agrees_with_torch(reduction):
    same(
        lambda x: negative_log_likelihood(x, labels(6, 4), reduction=reduction),
        lambda x: F.nll_loss(x, labels(6, 4), reduction=reduction),
        [log_softmax(draw(6, 4))],
    )


@SOFTMAX
def test_the_gradients_of_softmax_are_right(function):
    assert gradcheck(function, draw(3, 4).requires_grad_())
    assert gradcheck(function, torch.zeros(2, 3, dtype=torch.float64, requires_grad=True))


def test_the_gradients_are_right():
    logits, targets = draw(3, 4).requires_grad_(), labels(3, 4)
    assert gradcheck(lambda x: cross_entropy(x, targets, label_smoothing=0.1), logits)
    assert gradcheck(lambda x: cross_entropy(x, targets, reduction="none"), logits)
    below_zero = (log_softmax(draw(3, 4)) - 0.1).requires_grad_()
    assert gradcheck(lambda x: negative_log_likelihood(x, targets), below_zero)
