import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.losses.softmax import log_softmax, log_sum_exp, softmax

ALL = pytest.mark.parametrize("function", [log_sum_exp, log_softmax, softmax])


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


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


@ALL
@pytest.mark.parametrize("shape", [(), (2, 0)])
def test_logits_without_a_class_are_rejected(function, shape):
    with pytest.raises(ValueError, match="logits must have at least one class, got shape "):
        function(torch.zeros(shape))


@ALL
def test_integers_are_rejected(function):
    with pytest.raises(
        TypeError, match=r"logits must be a floating-point tensor, got torch\.int64"
    ):
        function(torch.tensor([1, 2]))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(log_sum_exp, torch.logsumexp), (log_softmax, torch.log_softmax), (softmax, torch.softmax)],
)
def test_they_agree_with_torch_in_value_and_gradient(ours, theirs):
    logits = torch.cat([10 * draw(4, 5), torch.zeros(1, 5), 500 * draw(2, 5)])
    mine, other = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    output, expected = ours(mine), theirs(other, dim=-1)
    torch.testing.assert_close(output, expected)
    upstream = draw(*output.shape, seed=2)
    output.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(mine.grad, other.grad)


@ALL
def test_the_gradients_are_right(function):
    assert gradcheck(function, draw(3, 4).requires_grad_())
    assert gradcheck(function, torch.zeros(2, 3, dtype=torch.float64, requires_grad=True))
