import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.losses.classification import cross_entropy, log_softmax, softmax
from notes.losses.divergence import kl_divergence

EVEN = torch.tensor([[0.5, 0.5]])


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_distributions_of_the_notes_are_as_far_apart_as_they_say():
    divergence = kl_divergence(EVEN.log(), torch.tensor([[0.2, 0.8]]))
    assert divergence.item() == pytest.approx(0.1927, abs=5e-5)


def test_to_a_certain_answer_it_is_the_cross_entropy():
    logits, targets = draw(4, 3), torch.tensor([0, 2, 1, 1])
    one_hot = F.one_hot(targets, 3).double()
    torch.testing.assert_close(
        kl_divergence(log_softmax(logits), one_hot), cross_entropy(logits, targets)
    )


@settings(deadline=None, max_examples=25)
@given(first=st.integers(0, 1000), second=st.integers(0, 1000))
def test_it_is_never_negative_and_zero_for_equal_distributions(first, second):
    predicted, target = draw(3, 4, seed=first), draw(3, 4, seed=second)
    assert (
        kl_divergence(log_softmax(predicted), softmax(target), reduction="none") >= -1e-12
    ).all()
    torch.testing.assert_close(
        kl_divergence(log_softmax(target), softmax(target)), torch.zeros(()).double()
    )


def test_it_is_not_symmetric():
    other = torch.tensor([[0.9, 0.1]])
    assert kl_divergence(EVEN.log(), other) != kl_divergence(other.log(), EVEN)


def test_a_class_that_neither_expects_adds_nothing_and_one_ruled_out_is_infinitely_far():
    certain = torch.tensor([[1.0, 0.0]])
    assert kl_divergence(certain.log(), certain).item() == 0
    assert kl_divergence(certain.log(), EVEN).item() == torch.inf


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_rounding_of_small_dtypes_is_no_reason_to_refuse(dtype):
    logits = 3 * draw(8, 50)
    pair = log_softmax(logits).to(dtype), softmax(draw(8, 50, seed=1)).to(dtype)
    expected = kl_divergence(log_softmax(logits), softmax(draw(8, 50, seed=1)))
    assert kl_divergence(*pair).item() == pytest.approx(expected.item(), rel=0.02)


@pytest.mark.parametrize(
    ("log_probabilities", "targets", "message"),
    [
        pytest.param(
            EVEN[0], EVEN[0], r"log_probabilities must have shape \(B, K\), got \(2,\)", id="rank"
        ),
        pytest.param(
            EVEN.log(), EVEN[0], r"targets must have shape \(1, 2\), got \(2,\)", id="shapes"
        ),
        pytest.param(
            EVEN[:0], EVEN[:0], "log_probabilities must not be empty, got shape", id="empty"
        ),
        pytest.param(
            EVEN,
            EVEN,
            r"exponentials of log_probabilities must sum to 1 in each row, got 3\.297",
            id="forgotten logarithm",
        ),
        pytest.param(
            torch.full((1, 2), torch.nan),
            EVEN,
            "exponentials of log_probabilities must sum to 1 in each row, got nan",
            id="NaN",
        ),
        pytest.param(
            EVEN.log(),
            torch.tensor([[0.5, 0.4]]),
            r"targets must sum to 1 in each row, got 0\.9",
            id="targets that are no distribution",
        ),
        pytest.param(
            EVEN.log(),
            torch.tensor([[1.5, -0.5]]),
            r"targets must lie in \[0, 1\], got 1\.5",
            id="targets out of range",
        ),
        pytest.param(
            EVEN.log(),
            EVEN.to("meta"),
            "targets must be on the device of log_probabilities, cpu, got meta",
            id="device",
        ),
    ],
)
def test_what_does_not_fit_is_rejected(log_probabilities, targets, message):
    with pytest.raises(ValueError, match=message):
        kl_divergence(log_probabilities, targets)


def test_integers_and_mixed_dtypes_are_rejected():
    message = r"log_probabilities must be a floating-point tensor, got torch\.int64"
    with pytest.raises(TypeError, match=message):
        kl_divergence(torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1))
    with pytest.raises(TypeError, match="targets must have the dtype of log_probabilities"):
        kl_divergence(EVEN.log(), EVEN.double())


@pytest.mark.parametrize(
    ("ours", "theirs"), [("mean", "batchmean"), ("sum", "sum")], ids=["mean", "sum"]
)
def test_it_agrees_with_torch_in_value_and_gradient(ours, theirs):
    predicted, target = log_softmax(draw(5, 4)), softmax(draw(5, 4, seed=1))
    mine, other = (
        [tensor.clone().requires_grad_() for tensor in (predicted, target)] for _ in range(2)
    )
    loss, expected = kl_divergence(*mine, reduction=ours), F.kl_div(*other, reduction=theirs)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    for tensor, twin in zip(mine, other, strict=True):
        torch.testing.assert_close(tensor.grad, twin.grad)


def test_one_divergence_per_example_is_the_sum_over_its_classes():
    predicted, target = log_softmax(draw(5, 4)), softmax(draw(5, 4, seed=1))
    torch.testing.assert_close(
        kl_divergence(predicted, target, reduction="none"),
        F.kl_div(predicted, target, reduction="none").sum(dim=1),
    )


def test_the_gradients_are_right():
    pair = [log_softmax(draw(3, 4)), softmax(draw(3, 4, seed=1))]
    assert gradcheck(kl_divergence, [tensor.requires_grad_() for tensor in pair])
