import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.losses.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    negative_log_likelihood,
)
from notes.losses.softmax import log_softmax, softmax


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(size, num_classes, seed=0):
    return torch.randint(num_classes, (size,), generator=torch.Generator().manual_seed(seed))


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


def test_binary_cross_entropy_gives_the_values_of_the_notes():
    catalog = binary_cross_entropy(torch.tensor([0.2, 0.9]), torch.tensor([0.0, 1.0]))
    assert catalog.item() == pytest.approx(0.1643, abs=5e-5)
    probabilities, targets = torch.tensor([0.2, 0.2, 0.8]), torch.tensor([0.0, 0.0, 1.0])
    assert binary_cross_entropy(probabilities, targets).item() == pytest.approx(0.2231, abs=5e-5)
    total = binary_cross_entropy(probabilities, targets, reduction="sum")
    assert total.item() == pytest.approx(0.6694, abs=5e-5)
    logits = binary_cross_entropy_with_logits(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
    assert logits.item() == pytest.approx(0.4100, abs=5e-5)


def test_a_logit_of_200_costs_200_but_its_probability_is_clipped_to_100():
    logit, target = torch.tensor([200.0]), torch.tensor([0.0])
    assert binary_cross_entropy_with_logits(logit, target).item() == 200
    assert binary_cross_entropy(logit.sigmoid(), target).item() == 100


@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certain_answers_have_a_finite_loss_and_gradient(probability, target):
    probabilities = torch.tensor([probability], requires_grad=True)
    loss = binary_cross_entropy(probabilities, torch.tensor([target]))
    assert loss.item() == (0 if probability == target else 100)
    loss.backward()
    assert probabilities.grad.isfinite().all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), shift=st.floats(-500, 500), smoothing=st.floats(0, 1))
def test_cross_entropy_is_not_negative_and_does_not_see_a_shift(seed, shift, smoothing):
    logits, targets = 5 * draw(4, 3, seed=seed), labels(4, 3, seed)
    loss = cross_entropy(logits, targets, label_smoothing=smoothing)
    assert loss >= 0
    shifted = cross_entropy(logits + shift, targets, label_smoothing=smoothing)
    torch.testing.assert_close(shifted, loss)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000))
def test_yes_and_no_can_change_places(seed):
    logits, targets = 5 * draw(6, seed=seed), labels(6, 2, seed).double()
    loss = binary_cross_entropy_with_logits(logits, targets)
    torch.testing.assert_close(binary_cross_entropy_with_logits(-logits, 1 - targets), loss)
    probabilities = logits.sigmoid()
    torch.testing.assert_close(binary_cross_entropy(probabilities, targets), loss)
    torch.testing.assert_close(binary_cross_entropy(1 - probabilities, 1 - targets), loss)


def test_a_yes_or_no_question_is_a_softmax_over_two_classes():
    logits, targets = draw(5), labels(5, 2)
    two = torch.stack([torch.zeros(5), logits], dim=1)
    torch.testing.assert_close(
        binary_cross_entropy_with_logits(logits, targets.double()), cross_entropy(two, targets)
    )


def test_a_class_that_is_ruled_out_costs_nothing_unless_it_is_right():
    logits = torch.tensor([[1.0, -torch.inf]])
    assert cross_entropy(logits, torch.tensor([0])).item() == 0
    assert cross_entropy(logits, torch.tensor([1])).item() == torch.inf


def test_a_nan_in_the_logits_shows_in_the_loss():
    assert cross_entropy(torch.tensor([[1.0, torch.nan]]), torch.tensor([0])).isnan()
    assert binary_cross_entropy_with_logits(torch.tensor([torch.nan]), torch.ones(1)).isnan()


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


BINARY = pytest.mark.parametrize(
    ("loss", "name"),
    [(binary_cross_entropy, "probabilities"), (binary_cross_entropy_with_logits, "logits")],
    ids=["probabilities", "logits"],
)


@BINARY
@pytest.mark.parametrize(
    ("shape", "targets", "message"),
    [
        pytest.param(
            (2, 1), torch.zeros(2), r"targets must have shape \(2, 1\), got \(2,\)", id="shape"
        ),
        pytest.param((0,), torch.zeros(0), "{} must not be empty, got shape", id="empty"),
        pytest.param(
            (2,),
            torch.tensor([0.5, 1.5]),
            r"targets must lie in \[0, 1\], got 1\.5",
            id="target too large",
        ),
        pytest.param(
            (1,), torch.tensor([torch.nan]), r"targets must lie in \[0, 1\], got nan", id="NaN"
        ),
        pytest.param(
            (1,),
            torch.zeros(1, device="meta"),
            "targets must be on the device of {}, cpu, got meta",
            id="device",
        ),
    ],
)
def test_answers_and_targets_that_do_not_fit_are_rejected(loss, name, shape, targets, message):
    with pytest.raises(ValueError, match=message.format(name)):
        loss(torch.zeros(shape), targets)


@BINARY
def test_integer_answers_and_mixed_dtypes_are_rejected(loss, name):
    with pytest.raises(
        TypeError, match=rf"{name} must be a floating-point tensor, got torch\.int64"
    ):
        loss(torch.zeros(1, dtype=torch.long), torch.zeros(1))
    message = rf"targets must have the dtype of {name}, torch\.float32, got torch\.int64"
    with pytest.raises(TypeError, match=message):
        loss(torch.zeros(1), torch.zeros(1, dtype=torch.long))


@pytest.mark.parametrize("value", [-0.25, 1.25, float("nan")])
def test_probabilities_out_of_range_are_rejected(value):
    message = rf"probabilities must lie in \[0, 1\], got {value}"
    with pytest.raises(ValueError, match=message):
        binary_cross_entropy(torch.tensor([0.5, value]), torch.zeros(2))


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


def test_labels_may_be_small_integers_where_torch_wants_long():
    logits, targets = draw(3, 4), torch.tensor([0, 3, 1])
    for dtype in (torch.int32, torch.uint8):
        assert cross_entropy(logits, targets.to(dtype)) == cross_entropy(logits, targets)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_binary_cross_entropy_agrees_with_torch(reduction):
    probabilities = torch.linspace(1e-6, 1 - 1e-6, 12, dtype=torch.float64)
    same(
        lambda p: binary_cross_entropy(p, labels(12, 2).double(), reduction=reduction),
        lambda p: F.binary_cross_entropy(p, labels(12, 2).double(), reduction=reduction),
        [probabilities],
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_binary_cross_entropy_with_logits_agrees_with_torch_also_at_zero(reduction):
    logits = torch.tensor([-200.0, -3.0, 0.0, 0.0, 2.0, 200.0], dtype=torch.float64)
    targets = torch.tensor([1.0, 0.3, 0.0, 1.0, 0.5, 0.0], dtype=torch.float64)
    same(
        lambda x, y: binary_cross_entropy_with_logits(x, y, reduction=reduction),
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction=reduction),
        [logits, targets],
    )


def test_the_gradients_are_right():
    logits, targets = draw(3, 4).requires_grad_(), labels(3, 4)
    assert gradcheck(lambda x: cross_entropy(x, targets, label_smoothing=0.1), logits)
    assert gradcheck(lambda x: cross_entropy(x, targets, reduction="none"), logits)
    below_zero = (log_softmax(draw(3, 4)) - 0.1).requires_grad_()
    assert gradcheck(lambda x: negative_log_likelihood(x, targets), below_zero)
    answers = torch.tensor([0.3, 0.9, 0.5], dtype=torch.float64)
    truth = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    pair = [answers.requires_grad_(), truth.requires_grad_()]
    assert gradcheck(binary_cross_entropy, pair)
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(binary_cross_entropy_with_logits, [zero, truth])
