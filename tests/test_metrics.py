import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.metrics import accuracy, class_scores, confusion_matrix, predicted_classes

PREDICTIONS = torch.tensor([0, 0, 1, 1, 1, 2])
TARGETS = torch.tensor([0, 1, 1, 1, 0, 0])
# Some classes of the five are never predicted, never true, or neither.
SAMPLES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def test_the_matrix_counts_true_classes_by_row_and_predicted_ones_by_column():
    confusion = confusion_matrix(PREDICTIONS, TARGETS, 4)
    assert confusion.dtype == torch.int64
    assert confusion.tolist() == [[1, 1, 1, 0], [1, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_accuracy_is_the_share_of_the_right_answers():
    assert accuracy(PREDICTIONS, TARGETS) == 0.5
    assert accuracy(TARGETS, TARGETS) == 1.0
    assert accuracy(PREDICTIONS[:1], TARGETS[-1:] + 1) == 0.0


def test_class_scores_match_those_computed_by_hand():
    precision, recall, f1, support = class_scores(torch.tensor([[3, 1], [2, 4]]))
    torch.testing.assert_close(precision, torch.tensor([3 / 5, 4 / 5], dtype=torch.float64))
    torch.testing.assert_close(recall, torch.tensor([3 / 4, 4 / 6], dtype=torch.float64))
    torch.testing.assert_close(f1, torch.tensor([6 / 9, 8 / 11], dtype=torch.float64))
    assert support.tolist() == [4, 6]


def test_the_class_with_the_highest_score_is_predicted():
    scores = torch.tensor([[0.1, 0.7, 0.2], [-5.0, -9.0, -7.0]])
    assert predicted_classes(scores).tolist() == [1, 0]


def test_of_equal_scores_the_first_wins():
    assert predicted_classes(torch.tensor([[0.0, 2.0, 2.0], [3.0, 3.0, 3.0]])).tolist() == [1, 0]


@given(SAMPLES, SAMPLES)
@settings(max_examples=50, deadline=None)
def test_the_matrices_of_two_batches_add_up_to_that_of_both(first, second):
    def count(samples):
        return confusion_matrix(*torch.tensor(samples).T, 5)

    assert torch.equal(count(first) + count(second), count(first + second))


@given(SAMPLES, st.permutations(range(5)))
@settings(max_examples=50, deadline=None)
def test_renaming_the_classes_renames_rows_and_columns(samples, names):
    predictions, targets = torch.tensor(samples).T
    new = torch.tensor(names)
    renamed = confusion_matrix(new[predictions], new[targets], 5)
    assert torch.equal(renamed[new][:, new], confusion_matrix(predictions, targets, 5))
    assert accuracy(new[predictions], new[targets]) == accuracy(predictions, targets)


@given(SAMPLES)
@settings(max_examples=50, deadline=None)
def test_exchanging_predictions_and_targets_exchanges_precision_and_recall(samples):
    predictions, targets = torch.tensor(samples).T
    one = class_scores(confusion_matrix(predictions, targets, 5))
    other = class_scores(confusion_matrix(targets, predictions, 5))
    assert torch.equal(one.precision, other.recall)
    assert torch.equal(one.f1, other.f1)


@given(SAMPLES)
@settings(max_examples=50, deadline=None)
def test_scores_lie_between_0_and_1_and_f1_between_the_two_others(samples):
    scores = class_scores(confusion_matrix(*torch.tensor(samples).T, 5))
    low, high = torch.stack([scores.precision, scores.recall]).aminmax(dim=0)
    assert ((low >= 0) & (high <= 1)).all()
    assert ((scores.f1 >= low - 1e-12) & (scores.f1 <= high + 1e-12)).all()
    assert scores.support.sum() == len(samples)


def test_an_absent_class_scores_0_not_nan():
    precision, recall, f1, support = class_scores(confusion_matrix(PREDICTIONS, TARGETS, 4))
    assert (precision[2], recall[2], f1[2], support[2]) == (0, 0, 0, 0)  # predicted, never true
    assert (precision[3], recall[3], f1[3], support[3]) == (0, 0, 0, 0)  # neither


def test_one_class_is_enough():
    assert confusion_matrix(torch.tensor([0]), torch.tensor([0]), 1).tolist() == [[1]]


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.uint64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_of_any_size_count_as_classes(dtype):
    labels, others = torch.full((300,), 100, dtype=dtype), torch.full((300,), 99)
    for num_classes in (101, 300, np.int64(300), torch.tensor(300)):
        assert confusion_matrix(labels, labels, num_classes)[100, 100] == 300
        assert confusion_matrix(others, labels, num_classes)[100, 99] == 300
    assert accuracy(labels, labels) == accuracy(labels, others + 1) == 1
    assert accuracy(labels, others) == 0


@pytest.mark.parametrize("dtype", INTEGERS)
def test_scores_of_counts_in_any_dtype_are_the_same(dtype):
    confusion = torch.tensor([[120, 90], [0, 100]])  # sums that int8 and uint8 cannot hold
    for ours, expected in zip(
        class_scores(confusion.to(dtype)), class_scores(confusion), strict=True
    ):
        assert torch.equal(ours, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_scores_of_any_precision_predict_the_largest(dtype):
    scores = torch.tensor([[6e4, 6.1e4, -6e4], [1.0, 0.5, 1.0]]).to(dtype)  # their sum overflows
    assert predicted_classes(scores).tolist() == [1, 0]


@pytest.mark.parametrize("call", [accuracy, lambda p, t: confusion_matrix(p, t, 3)])
def test_lists_of_another_rank_or_length_are_refused(call):
    with pytest.raises(ValueError, match=r"^predictions must have shape \(N,\), got \(6, 1\)$"):
        call(PREDICTIONS[:, None], TARGETS)
    with pytest.raises(ValueError, match=r"^targets must have shape \(6,\), got \(5,\)$"):
        call(PREDICTIONS, TARGETS[:5])
    with pytest.raises(ValueError, match=r"^targets must have shape \(6,\), got \(6, 1\)$"):
        call(PREDICTIONS, TARGETS[:, None])
    with pytest.raises(ValueError, match=r"^predictions must not be empty, got shape \(0,\)$"):
        call(PREDICTIONS[:0], TARGETS[:0])


@pytest.mark.parametrize("call", [accuracy, lambda p, t: confusion_matrix(p, t, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.complex64])
def test_classes_that_are_no_integers_are_refused(call, dtype):
    with pytest.raises(
        TypeError, match=rf"^predictions must be a tensor of integers, got {dtype}$"
    ):
        call(PREDICTIONS.to(dtype), TARGETS)
    with pytest.raises(TypeError, match=rf"^targets must be a tensor of integers, got {dtype}$"):
        call(PREDICTIONS, TARGETS.to(dtype))


@pytest.mark.parametrize("call", [accuracy, lambda p, t: confusion_matrix(p, t, 3)])
def test_negative_classes_are_refused(call):
    with pytest.raises(ValueError, match=r"^predictions must be 0 or more, got -1$"):
        call(PREDICTIONS - 1, TARGETS)
    with pytest.raises(ValueError, match=r"^targets must be 0 or more, got -100$"):
        call(PREDICTIONS, TARGETS - 100)


@pytest.mark.parametrize("call", [accuracy, lambda p, t: confusion_matrix(p, t, 3)])
def test_targets_on_another_device_are_refused(call):
    message = r"^targets must be on the device of predictions, cpu, got meta$"
    with pytest.raises(ValueError, match=message):
        call(PREDICTIONS, TARGETS.to("meta"))


def test_classes_beyond_the_last_are_refused():
    with pytest.raises(ValueError, match=r"^predictions must lie in \[0, 2\), got 2$"):
        confusion_matrix(PREDICTIONS, TARGETS, 2)
    with pytest.raises(ValueError, match=r"^targets must lie in \[0, 2\), got 2$"):
        confusion_matrix(TARGETS, PREDICTIONS, 2)
    with pytest.raises(ValueError, match=r"^num_classes must be at least 1, got 0$"):
        confusion_matrix(PREDICTIONS, TARGETS, 0)
    with pytest.raises(TypeError, match=r"^num_classes must be an integer, got 3\.5$"):
        confusion_matrix(PREDICTIONS, TARGETS, 3.5)


@pytest.mark.parametrize(
    ("confusion", "error", "message"),
    [
        (torch.ones(2, dtype=torch.int64), ValueError, r"must have shape \(K, K\), got \(2,\)"),
        (
            torch.ones(2, 3, dtype=torch.int64),
            ValueError,
            r"must have shape \(2, 2\), got \(2, 3\)",
        ),
        (torch.ones(2, 2), TypeError, r"must be a tensor of integers, got torch.float32"),
        (torch.tensor([[1, -2], [0, 0]]), ValueError, r"must be 0 or more, got -2"),
        (
            torch.zeros(2, 2, dtype=torch.int64),
            ValueError,
            r"must count at least one sample, got 0",
        ),
    ],
)
def test_tables_that_are_no_confusion_matrices_are_refused(confusion, error, message):
    with pytest.raises(error, match=rf"^confusion {message}$"):
        class_scores(confusion)


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        (torch.zeros(3), ValueError, r"must have shape \(N, K\), got \(3,\)"),
        (torch.zeros(0, 3), ValueError, r"must not be empty, got shape \(0, 3\)"),
        (torch.zeros(3, 0), ValueError, r"must not be empty, got shape \(3, 0\)"),
        (torch.zeros(2, 3).long(), TypeError, r"must be a floating-point .*, got torch.int64"),
        (torch.tensor([[0.0, float("nan")]]), ValueError, r"must be finite, got nan at .*\(0, 1\)"),
        (torch.tensor([[float("inf"), 0.0]]), ValueError, r"must be finite, got inf at .*\(0, 0\)"),
    ],
)
def test_scores_that_decide_nothing_are_refused(scores, error, message):
    with pytest.raises(error, match=rf"^scores {message}$"):
        predicted_classes(scores)


@given(SAMPLES)
@settings(max_examples=50, deadline=None)
def test_everything_agrees_with_scikit_learn(samples):
    predictions, targets = torch.tensor(samples).T
    classes = np.arange(5)
    confusion = confusion_matrix(predictions, targets, 5)
    true, guess = targets.numpy(), predictions.numpy()
    theirs = sklearn.metrics.confusion_matrix(true, guess, labels=classes)
    np.testing.assert_array_equal(confusion, theirs)
    assert accuracy(predictions, targets) == sklearn.metrics.accuracy_score(true, guess)
    scores = sklearn.metrics.precision_recall_fscore_support(
        true, guess, labels=classes, zero_division=0
    )
    for our_values, their_values in zip(class_scores(confusion), scores, strict=True):
        np.testing.assert_allclose(our_values, their_values, rtol=1e-12)
