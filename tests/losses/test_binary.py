import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.losses.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from notes.losses.classification import cross_entropy


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(size, num_classes, seed=0):
    return torch.randint(num_classes, (size,), generator=torch.Generator().manual_seed(seed))


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


def test_a_nan_in_the_logits_shows_in_the_loss():
    assert binary_cross_entropy_with_logits(torch.tensor([torch.nan]), torch.ones(1)).isnan()


def test_a_right_answer_that_is_nearly_sure_costs_a_little_not_nothing():
    logits = torch.tensor([17.0, -17.0])
    loss = binary_cross_entropy_with_logits(logits, torch.tensor([1.0, 0.0]), reduction="none")
    assert loss.tolist() == pytest.approx([4.14e-8] * 2, rel=1e-3)


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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (binary_cross_entropy, F.binary_cross_entropy),
        (binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits),
    ],
)
def test_half_precision_under_autocast_meets_float32_targets_as_in_torch(ours, theirs, dtype):
    answers, targets = draw(20).sigmoid().to(dtype), draw(20, seed=1).sigmoid().float()
    with torch.autocast("cpu", dtype=dtype):
        loss, expected = ours(answers, targets), theirs(answers, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, atol=1e-3, rtol=1e-3)


def test_the_gradients_are_right():
    answers = torch.tensor([0.3, 0.9, 0.5], dtype=torch.float64)
    truth = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    pair = [answers.requires_grad_(), truth.requires_grad_()]
    assert gradcheck(binary_cross_entropy, pair)
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(binary_cross_entropy_with_logits, [zero, truth])
