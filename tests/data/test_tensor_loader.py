import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from notes.data.tensor_loader import TensorLoader

ROWS = torch.arange(10).reshape(5, 2)
LABELS = torch.arange(5)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_batches_come_in_order_and_the_last_one_is_short():
    batches = list(TensorLoader(ROWS, LABELS, batch_size=2))
    assert [labels.tolist() for _, labels in batches] == [[0, 1], [2, 3], [4]]
    assert batches[1][0].tolist() == [[4, 5], [6, 7]]


def test_drop_last_leaves_out_the_short_batch():
    loader = TensorLoader(LABELS, batch_size=2, drop_last=True)
    assert [batch.tolist() for (batch,) in loader] == [[0, 1], [2, 3]]
    assert len(loader) == 2
    assert loader.num_examples == 4


def test_a_batch_larger_than_the_data_holds_everything():
    loader = TensorLoader(LABELS, batch_size=100)
    assert [batch.tolist() for (batch,) in loader] == [[0, 1, 2, 3, 4]]


def test_batches_in_order_share_the_memory_of_the_data():
    data = LABELS.clone()
    for (batch,) in TensorLoader(data, batch_size=2):
        batch.zero_()
    assert data.tolist() == [0, 0, 0, 0, 0]


def test_shuffled_batches_are_copies():
    data = LABELS.clone()
    for (batch,) in TensorLoader(data, batch_size=2, shuffle=True):
        batch.zero_()
    assert data.tolist() == [0, 1, 2, 3, 4]


@given(
    num_rows=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_an_epoch_shows_every_row_once_and_keeps_rows_together(num_rows, batch_size, shuffle, seed):
    labels = torch.arange(num_rows)
    loader = TensorLoader(
        labels * 10, labels, batch_size=batch_size, shuffle=shuffle, generator=seeded(seed)
    )
    batches = list(loader)
    assert len(batches) == len(loader)
    assert all(len(labels) == batch_size for _, labels in batches[:-1])
    assert all(torch.equal(tens, labels * 10) for tens, labels in batches)
    seen = torch.cat([labels for _, labels in batches])
    assert seen.sort().values.tolist() == list(range(num_rows))
    assert loader.num_examples == num_rows


@given(num_rows=st.integers(1, 40), batch_size=st.integers(1, 40), shuffle=st.booleans())
def test_with_drop_last_all_batches_are_full(num_rows, batch_size, shuffle):
    if batch_size > num_rows:
        batch_size = num_rows
    loader = TensorLoader(
        torch.arange(num_rows), batch_size=batch_size, shuffle=shuffle, drop_last=True
    )
    seen = [batch for (batch,) in loader]
    assert [len(batch) for batch in seen] == [batch_size] * len(loader)
    assert len(torch.cat(seen).unique()) == loader.num_examples > num_rows - batch_size


def test_the_seed_decides_the_orders_and_epochs_differ():
    data = torch.arange(100)
    first, second = (
        TensorLoader(data, batch_size=100, shuffle=True, generator=seeded(7)) for _ in range(2)
    )
    epochs1 = [next(iter(first))[0] for _ in range(2)]
    epochs2 = [next(iter(second))[0] for _ in range(2)]
    assert torch.equal(torch.stack(epochs1), torch.stack(epochs2))
    assert not torch.equal(epochs1[0], epochs1[1])


def test_without_a_generator_the_global_seed_decides():
    loader = TensorLoader(torch.arange(100), batch_size=100, shuffle=True)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first = next(iter(loader))[0]
        torch.manual_seed(3)
        assert torch.equal(next(iter(loader))[0], first)


def test_the_order_is_drawn_on_the_cpu_whatever_the_default_device_is():
    def order(default_device):
        loader = TensorLoader(torch.arange(100), batch_size=100, shuffle=True, generator=seeded(7))
        with torch.device(default_device):
            return next(iter(loader))[0]

    assert torch.equal(order("meta"), order("cpu"))


def test_the_data_is_moved_to_the_device_once():
    loader = TensorLoader(ROWS, LABELS, batch_size=2, shuffle=True, device="meta")
    assert [tensor.device.type for tensor in loader.tensors] == ["meta", "meta"]
    assert all(labels.device.type == "meta" for _, labels in loader)


def test_a_tensor_already_on_the_device_is_not_copied():
    assert TensorLoader(ROWS, batch_size=2, device="cpu").tensors[0] is ROWS


def test_no_tensors_are_rejected():
    with pytest.raises(ValueError, match="tensors must hold at least one tensor, got none"):
        TensorLoader(batch_size=2)


def test_something_else_than_a_tensor_is_rejected():
    with pytest.raises(TypeError, match=r"tensors\[1\] must be a tensor, got list"):
        TensorLoader(ROWS, [0, 1, 2, 3, 4], batch_size=2)


def test_a_tensor_without_rows_is_rejected():
    with pytest.raises(ValueError, match=r"tensors\[0\] must have at least one dimension, got sh"):
        TensorLoader(torch.tensor(1.0), batch_size=2)


def test_different_numbers_of_rows_are_rejected():
    with pytest.raises(ValueError, match=r"tensors must have the same number of rows, got \[5, 4"):
        TensorLoader(ROWS, LABELS[:4], batch_size=2)


def test_empty_tensors_are_rejected():
    with pytest.raises(ValueError, match="tensors must have at least one row, got 0"):
        TensorLoader(ROWS[:0], LABELS[:0], batch_size=2)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_1_is_rejected(batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {batch_size}"):
        TensorLoader(ROWS, batch_size=batch_size)


@pytest.mark.parametrize("batch_size", [np.int64(2), np.uint8(2), torch.tensor(2)])
def test_a_batch_size_may_come_from_numpy_or_a_tensor(batch_size):
    loader = TensorLoader(ROWS, batch_size=batch_size, shuffle=True)
    assert [len(batch) for (batch,) in loader] == [2, 2, 1]
    assert (len(loader), loader.batch_size, loader.num_examples) == (3, 2, 5)


def test_a_batch_size_that_is_no_integer_is_rejected():
    with pytest.raises(TypeError, match=r"batch_size must be an integer, got 2\.0"):
        TensorLoader(ROWS, batch_size=2.0)


def test_dropping_the_only_batch_is_rejected():
    with pytest.raises(ValueError, match=r"batch_size must be at most 5, .* drop_last .* got 6"):
        TensorLoader(ROWS, batch_size=6, drop_last=True)


def test_tensors_on_two_devices_are_rejected_unless_a_device_is_given():
    there = LABELS.to("meta")
    with pytest.raises(ValueError, match=r"tensors must be on one device .* got \['cpu', 'meta'\]"):
        TensorLoader(ROWS, there, batch_size=2)
    assert len(TensorLoader(ROWS, there, batch_size=2, device="meta")) == 3


@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_agree_with_the_data_loader_of_pytorch(drop_last):
    data = torch.randn(23, 3, generator=seeded(0))
    ours = TensorLoader(data, batch_size=5, drop_last=drop_last)
    theirs = DataLoader(TensorDataset(data), batch_size=5, drop_last=drop_last)
    assert len(ours) == len(theirs)
    for (batch,), (expected,) in zip(ours, theirs, strict=True):
        assert torch.equal(batch, expected)
