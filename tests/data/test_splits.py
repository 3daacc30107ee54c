import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.model_selection import GroupShuffleSplit, KFold, StratifiedShuffleSplit

from notes.data.splits import group_split, k_fold, split_indices, stratified_split


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def fractions_of(weights):
    return [weight / sum(weights) for weight in weights]


def assert_partition(parts, num_examples):
    together = torch.cat(parts)
    assert together.dtype == torch.int64
    assert together.sort().values.tolist() == list(range(num_examples))


SEEDS = st.integers(0, 2**32)
WEIGHTS = st.lists(st.integers(1, 9), min_size=2, max_size=4)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param([7, 3], [7, 3], id="numbers"),
        pytest.param([0.7, 0.3], [7, 3], id="fractions"),
        pytest.param([0.8, 0.1, 0.1], [8, 1, 1], id="fractions with rounding errors"),
        pytest.param([1 / 3, 1 / 3, 1 / 3], [3, 4, 3], id="thirds of ten"),
        pytest.param([0.05, 0.1, 0.85], [1, 1, 8], id="halves go up"),
        pytest.param([0.25, 0.5, 0.25], [3, 5, 2], id="half of ten is five"),
        pytest.param([1.0], [10], id="one part"),
        pytest.param([6, 4.0], [6, 4], id="a whole number as a float"),
        pytest.param([6.0, 4.0], [6, 4], id="whole numbers as floats"),
        pytest.param([np.int64(6), np.int64(4)], [6, 4], id="integers of NumPy"),
        pytest.param(np.array([6, 4], dtype=np.uint8), [6, 4], id="an array"),
        pytest.param(torch.tensor([6, 4]), [6, 4], id="a tensor"),
        pytest.param([torch.tensor(0.6), 0.4], [6, 4], id="a tensor of one number"),
        pytest.param([np.float32(1 / 3)] * 3, [3, 4, 3], id="thirds in float32"),
        pytest.param([np.float16(0.5), np.float64(0.5)], [5, 5], id="floats of NumPy"),
    ],
)
def test_the_parts_have_the_sizes_computed_by_hand(sizes, expected):
    assert [len(part) for part in split_indices(10, sizes)] == expected


@pytest.mark.parametrize("number", [np.int64(10), np.uint8(10), torch.tensor(10)])
def test_numbers_of_examples_may_come_from_numpy_and_tensors(number):
    assert_partition(split_indices(number, [7, 3]), 10)
    assert len(k_fold(number, number)) == 10


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.uint16, torch.uint64, torch.bool])
def test_classes_and_groups_may_be_integers_of_any_size(dtype):
    labels = (torch.arange(300) % 2).to(dtype)
    train, test = stratified_split(labels, [200, 100])
    assert labels.long()[train].bincount().tolist() == [100, 100]
    train, test = group_split(labels, [1, 1])
    assert len(labels.long()[train].unique()) == len(labels.long()[test].unique()) == 1


def test_five_sixths_of_mnist_are_50000():
    assert [len(part) for part in split_indices(60_000, [5 / 6, 1 / 6])] == [50_000, 10_000]


@given(num_examples=st.integers(40, 300), weights=WEIGHTS, seed=SEEDS)
def test_random_parts_share_nothing_and_leave_nothing_out(num_examples, weights, seed):
    parts = split_indices(num_examples, fractions_of(weights), generator=seeded(seed))
    assert_partition(parts, num_examples)
    for part, fraction in zip(parts, fractions_of(weights), strict=True):
        assert abs(len(part) - fraction * num_examples) <= 1


def test_the_seed_decides_a_random_split():
    first, again, other = (split_indices(50, [40, 10], generator=seeded(s))[1] for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        pytest.param([6, 3], r"sizes must sum to 10, got \[6, 3\]", id="too few"),
        pytest.param([0.6, 0.3], r"sizes must sum to 1, got \[0\.6, 0\.3\]", id="a gap"),
        pytest.param([float("nan"), 1.0], r"sizes must sum to 1, got \[nan", id="not a number"),
        pytest.param([], r"sizes must sum to 10, got \[\]", id="no part"),
        pytest.param(
            [0.99, 0.01], r"each part an example, got \[10, 0\] of 10", id="an empty part"
        ),
        pytest.param([11, -1], r"each part an example, got \[11, -1\] of 10", id="a negative part"),
    ],
)
def test_sizes_that_make_no_split_are_rejected(sizes, message):
    with pytest.raises(ValueError, match=message):
        split_indices(10, sizes)


def test_what_is_no_number_is_no_size():
    with pytest.raises(TypeError, match="sizes must be numbers, got True"):
        split_indices(2, [True, True])
    with pytest.raises(TypeError, match="sizes must be numbers, got 'half'"):
        split_indices(2, ["half", "half"])


def test_numbers_of_examples_that_are_none_are_rejected():
    with pytest.raises(ValueError, match="num_examples must be at least 1, got 0"):
        split_indices(0, [])
    with pytest.raises(TypeError, match=r"num_examples must be an integer, got 9\.5"):
        split_indices(9.5, [0.5, 0.5])
    with pytest.raises(TypeError, match=r"num_folds must be an integer, got 2\.5"):
        k_fold(10, 2.5)


def test_a_stratified_split_keeps_two_zeros_for_each_one():
    labels = torch.tensor([0, 1, 0, 0, 1, 0, 0, 1, 0])
    for seed in range(5):
        train, test = stratified_split(labels, [6, 3], generator=seeded(seed))
        assert labels[train].bincount().tolist() == [4, 2]
        assert labels[test].bincount().tolist() == [2, 1]


@given(
    counts=st.lists(st.integers(2, 30), min_size=1, max_size=6),
    fraction=st.floats(0.1, 0.9),
    seed=SEEDS,
)
def test_with_two_parts_each_class_has_its_share_rounded(counts, fraction, seed):
    labels = torch.repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=seeded(seed))]
    num_train = min(max(round(fraction * len(labels)), 1), len(labels) - 1)
    parts = stratified_split(labels, [num_train, len(labels) - num_train], generator=seeded(seed))
    assert_partition(parts, len(labels))
    for part in parts:
        share = torch.tensor(counts, dtype=torch.float64) * len(part) / len(labels)
        assert (labels[part].bincount(minlength=len(counts)) - share).abs().max() < 1


@given(weights=WEIGHTS, counts=st.lists(st.integers(10, 40), min_size=6, max_size=8), seed=SEEDS)
def test_with_more_parts_a_class_is_off_by_less_than_their_number_minus_one(weights, counts, seed):
    labels = torch.repeat_interleave(torch.tensor(counts))
    sizes = [len(part) for part in split_indices(len(labels), fractions_of([*weights, 9]))]
    parts = stratified_split(labels, sizes, generator=seeded(seed))
    assert_partition(parts, len(labels))
    for part, size in zip(parts, sizes, strict=True):
        assert len(part) == size
        share = torch.tensor(counts, dtype=torch.float64) * size / len(labels)
        assert (labels[part].bincount(minlength=len(counts)) - share).abs().max() < len(parts) - 1


@pytest.mark.parametrize("split", [stratified_split, group_split])
def test_the_seed_decides_the_other_splits_too(split):
    labels = torch.arange(60) % 20
    parts1, parts2, others = (
        torch.cat(split(labels, [0.5, 0.5], generator=seeded(seed))) for seed in (1, 1, 2)
    )
    assert torch.equal(parts1, parts2)
    assert not torch.equal(parts1, others)


def test_a_stratified_split_is_random_within_the_classes():
    labels = torch.arange(100) % 2
    first, second = (stratified_split(labels, [50, 50], generator=seeded(s))[0] for s in (0, 1))
    assert set(first.tolist()) != set(second.tolist())
    assert first.tolist() != sorted(first.tolist())
    assert labels[first].tolist() != sorted(labels[first].tolist())  # the classes are mixed


def test_a_class_with_a_single_example_is_rejected():
    with pytest.raises(ValueError, match=r"at least 2 examples of each class.* got 1 of class 3"):
        stratified_split(torch.tensor([0, 0, 3, 0]), [0.5, 0.5])


def test_labels_that_are_no_classes_are_rejected():
    with pytest.raises(TypeError, match=r"labels must be a tensor of integers, got torch\.float32"):
        stratified_split(torch.rand(4), [0.5, 0.5])
    with pytest.raises(ValueError, match=r"labels must have shape \(N,\), got \(4, 1\)"):
        stratified_split(torch.zeros(4, 1, dtype=torch.int64), [0.5, 0.5])


@pytest.mark.parametrize("num_test", [100, 359, 600])
def test_stratified_class_counts_agree_with_scikit_learn(num_test):
    labels = load_digits().target
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=num_test, random_state=0)
    ((_, theirs),) = splitter.split(labels, labels)
    sizes = [len(labels) - num_test, num_test]
    _, ours = stratified_split(torch.tensor(labels), sizes, generator=seeded(0))
    expected = torch.tensor(labels[theirs]).bincount()
    # Shares that are no whole numbers may be rounded up for one class or for another.
    assert (torch.tensor(labels)[ours].bincount() - expected).abs().max() <= 1


def test_a_group_split_keeps_the_pages_of_a_writer_together():
    writers = torch.tensor([7, 8, 7, 9, 8, 7])
    for seed in range(5):
        train, test = group_split(writers, [2, 1], generator=seeded(seed))
        assert_partition([train, test], 6)
        assert len(writers[test].unique()) == 1
        assert train.tolist() == sorted(train.tolist())


@given(
    groups=st.lists(st.integers(-5, 60), min_size=1, max_size=80).filter(lambda g: len({*g}) > 7),
    weights=st.lists(st.integers(1, 3), min_size=2, max_size=3),
    seed=SEEDS,
)
def test_no_group_is_in_two_parts(groups, weights, seed):
    groups = torch.tensor(groups)
    parts = group_split(groups, fractions_of(weights), generator=seeded(seed))
    assert_partition(parts, len(groups))
    names = [set(groups[part].tolist()) for part in parts]
    assert sum(map(len, names)) == len(set().union(*names)) == len(groups.unique())


def test_groups_of_another_shape_are_rejected():
    with pytest.raises(ValueError, match=r"groups must have shape \(N,\), got \(4, 1\)"):
        group_split(torch.zeros(4, 1, dtype=torch.long), [2, 2])
    with pytest.raises(TypeError, match=r"groups must be a tensor of integers, got torch\.float32"):
        group_split(torch.zeros(4), [2, 2])


def test_fewer_groups_than_parts_are_rejected():
    with pytest.raises(ValueError, match=r"sizes must give each part an example, got \[1, 0\] of"):
        group_split(torch.tensor([4, 4, 4, 4]), [0.9, 0.1])


def test_numbers_of_test_groups_agree_with_scikit_learn():
    groups = torch.arange(200) // 7
    splitter = GroupShuffleSplit(n_splits=1, test_size=0.25, random_state=0)
    ((_, theirs),) = splitter.split(groups, groups=groups)
    num_groups = len(groups.unique())
    num_test = len(groups[torch.tensor(theirs)].unique())
    _, ours = group_split(groups, [num_groups - num_test, num_test])
    assert len(groups[ours].unique()) == num_test == 8  # a quarter of 29, rounded up


def test_folds_of_five_by_hand():
    (train1, val1), (train2, val2) = k_fold(5, 2)
    assert (train1.tolist(), val1.tolist()) == ([3, 4], [0, 1, 2])
    assert (train2.tolist(), val2.tolist()) == ([0, 1, 2], [3, 4])


@given(num_folds=st.integers(2, 12), extra=st.integers(0, 40), shuffle=st.booleans(), seed=SEEDS)
def test_each_example_is_held_out_exactly_once(num_folds, extra, shuffle, seed):
    num_examples = num_folds + extra
    folds = k_fold(num_examples, num_folds, shuffle=shuffle, generator=seeded(seed))
    assert len(folds) == num_folds
    assert_partition([held_out for _, held_out in folds], num_examples)
    for train, held_out in folds:
        assert_partition([train, held_out], num_examples)
    sizes = [len(held_out) for _, held_out in folds]
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_decides_the_shuffled_folds():
    def held_out(seed):
        folds = k_fold(20, 2, shuffle=True, generator=seeded(seed))
        return [fold.tolist() for _, fold in folds]

    assert held_out(1) == held_out(1)
    assert held_out(1) != held_out(2)


def test_shuffled_folds_are_no_runs_of_neighbors():
    _, held_out = k_fold(100, 2, shuffle=True, generator=seeded(0))[0]
    assert held_out.tolist() != list(range(50))
    assert held_out.tolist() == sorted(held_out.tolist())


@pytest.mark.parametrize(
    ("num_folds", "rule"), [(1, "at least 2"), (0, "at least 2"), (6, "at most num_examples, 5")]
)
def test_a_number_of_folds_without_sense_is_rejected(num_folds, rule):
    with pytest.raises(ValueError, match=f"num_folds must be {rule}, got {num_folds}"):
        k_fold(5, num_folds)


@pytest.mark.parametrize(("num_examples", "num_folds"), [(10, 5), (11, 4), (7, 7)])
def test_folds_agree_with_scikit_learn(num_examples, num_folds):
    theirs = KFold(num_folds).split(range(num_examples))
    for ours, expected in zip(k_fold(num_examples, num_folds), theirs, strict=True):
        assert [part.tolist() for part in ours] == [part.tolist() for part in expected]
