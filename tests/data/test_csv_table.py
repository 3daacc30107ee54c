import gzip

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from notes.data.csv_table import load_csv, save_csv


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


def test_a_file_of_two_rows_by_hand(write):
    table = load_csv(write(b"0.5,-1,1\n0.25,1e-3,0\n"))
    assert table.dtype == torch.float32
    assert torch.equal(table, torch.tensor([[0.5, -1.0, 1.0], [0.25, 0.001, 0.0]]))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"1,2\r\n3,4\r\n", id="line ends of Windows"),
        pytest.param(b"1,2\n\n3,4\n\n", id="empty lines"),
        pytest.param(b" 1, 2\n3 ,4", id="spaces and no last line end"),
        pytest.param(b"\xef\xbb\xbf1,2\n3,4\n", id="invisible mark of a spreadsheet"),
        pytest.param(b'"1","2"\n"3","4"\n', id="quotes"),
    ],
)
def test_files_that_differ_only_in_form_give_the_same_table(write, content):
    assert load_csv(write(content)).tolist() == [[1, 2], [3, 4]]


def test_a_compressed_file_gives_the_same_table(write):
    assert load_csv(write(gzip.compress(b"1,2\n3,4\n"), "t.csv.gz")).tolist() == [[1, 2], [3, 4]]


@given(
    st.integers(1, 4).flatmap(
        lambda num_columns: st.lists(
            st.lists(
                st.floats(width=32, allow_nan=False, allow_infinity=False),
                min_size=num_columns,
                max_size=num_columns,
            ),
            min_size=1,
            max_size=5,
        )
    ),
    st.sampled_from(["table.csv", "table.csv.gz"]),
)
def test_a_saved_table_comes_back_to_the_last_bit(tmp_path_factory, rows, name):
    path = tmp_path_factory.getbasetemp() / name
    table = torch.tensor(rows, dtype=torch.float32)
    save_csv(path, table)
    assert torch.equal(load_csv(path), table)


def test_a_thousand_random_numbers_come_back_to_the_last_bit(tmp_path):
    table = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
    save_csv(tmp_path / "table.csv", table)
    assert torch.equal(load_csv(tmp_path / "table.csv"), table)


def test_a_single_column_stays_two_dimensional(write):
    assert load_csv(write(b"1\n2\n3\n")).shape == (3, 1)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_rows_is_rejected(write, content):
    with pytest.raises(ValueError, match=r"file with at least one row, got 'table\.csv'"):
        load_csv(write(content))


def test_a_missing_file_is_rejected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path must be an existing file, got '.*none\.csv"):
        load_csv(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match="path must be an existing file"):
        load_csv(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"1,2\n3\n", r"path must have 2 columns, got 1 in line 2 of", id="short row"),
        pytest.param(
            b"1,2\n\n3,4,\n", r"have 2 columns, got 3 in line 3 of", id="comma at the end"
        ),
        pytest.param(b"age,sex\n1,2\n", r"finite numbers only, got 'age' in line 1", id="header"),
        pytest.param(b"1,2\n3,\n", r"finite numbers only, got '' in line 2", id="gap"),
        pytest.param(b"1,NaN\n", r"finite numbers only, got 'NaN' in line 1", id="not a number"),
        pytest.param(b"-inf,1\n", r"finite numbers only, got '-inf' in line 1", id="infinity"),
        pytest.param(b"1e39,1\n", r"only, got '1e39' in line 1", id="too large for float32"),
        pytest.param(b"1;2\n", r"finite numbers only, got '1;2' in line 1", id="semicolons"),
        pytest.param(b"\xff\xfe1", r"path must be a text file, got 'table\.csv'", id="no text"),
    ],
)
def test_a_file_that_is_no_table_of_numbers_is_rejected(write, content, message):
    with pytest.raises(ValueError, match=message):
        load_csv(write(content))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"1,2\n", id="not compressed"),
        pytest.param(gzip.compress(b"1,2\n" * 99)[:-9], id="cut off"),
    ],
)
def test_a_damaged_gzip_file_is_rejected(write, content):
    with pytest.raises(ValueError, match=r"path must be a whole gzip file, got 'table\.csv\.gz'"):
        load_csv(write(content, "table.csv.gz"))


def test_a_table_that_would_not_come_back_is_not_saved(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(ValueError, match=r"table must be finite, got nan at index \(0, 1\)"):
        save_csv(path, torch.tensor([[0.0, float("nan")]]))
    with pytest.raises(ValueError, match=r"table must have shape \(N, D\), got \(2,\)"):
        save_csv(path, torch.zeros(2))
    assert not path.exists()


def test_saving_into_a_missing_folder_is_rejected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path must be in an existing folder, got '.*nofo"):
        save_csv(tmp_path / "nofolder" / "table.csv", torch.zeros(1, 1))


def test_reading_agrees_with_numpy(write):
    numbers = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    path = write(b"")
    np.savetxt(path, numbers, delimiter=",")
    expected = np.loadtxt(path, delimiter=",", dtype=np.float32)
    assert np.array_equal(load_csv(path).numpy(), expected)
