import bz2
import gzip
import lzma

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from notes.data.csv_table import OPEN, load_csv, save_csv


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


@pytest.mark.parametrize(("suffix", "module"), [("gz", gzip), ("bz2", bz2), ("XZ", lzma)])
def test_a_compressed_file_gives_the_same_table(write, suffix, module):
    path = write(module.compress(b"1,2\n3,4\n"), f"t.csv.{suffix}")
    assert load_csv(path).tolist() == [[1, 2], [3, 4]]


def tables(number):
    rows = st.integers(1, 4).flatmap(lambda size: st.lists(number, min_size=size, max_size=size))
    return rows.flatmap(
        lambda row: st.lists(
            st.lists(number, min_size=len(row), max_size=len(row)), min_size=1, max_size=5
        )
    )


NAMES = st.sampled_from(["t.csv", "t.csv.gz", "t.csv.bz2", "t.csv.xz"])


@given(tables(st.floats(width=32, allow_nan=False, allow_infinity=False)), NAMES)
def test_a_saved_table_comes_back_to_the_last_bit(tmp_path_factory, rows, name):
    path = tmp_path_factory.getbasetemp() / name
    table = torch.tensor(rows, dtype=torch.float32)
    save_csv(path, table)
    assert torch.equal(load_csv(path).view(torch.int32), table.view(torch.int32))  # -0 too


@given(tables(st.floats(allow_nan=False, allow_infinity=False)))
def test_so_does_one_of_double_precision(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "double.csv"
    table = torch.tensor(rows, dtype=torch.float64)
    save_csv(path, table)
    assert torch.equal(
        load_csv(path, dtype=torch.float64).view(torch.int64), table.view(torch.int64)
    )


@given(tables(st.integers(-(2**53), 2**53)))
def test_whole_numbers_come_back_or_are_rejected(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "whole.csv"
    table = torch.tensor(rows)
    save_csv(path, table)
    assert torch.equal(load_csv(path, dtype=torch.float64).long(), table)
    if torch.equal(table.float().long(), table):
        assert torch.equal(load_csv(path).long(), table)
    else:
        with pytest.raises(ValueError, match="path must hold numbers that float32 can hold, got"):
            load_csv(path)


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float16,
        torch.bfloat16,
        torch.bool,
        torch.uint8,
        torch.int16,
        torch.uint16,
        torch.uint64,
    ],
)
def test_tables_of_any_dtype_come_back(tmp_path, dtype):
    table = torch.tensor([[0.1, 100.7], [1.0, 0.0]]).to(dtype)
    save_csv(tmp_path / "table.csv", table)
    assert torch.equal(load_csv(tmp_path / "table.csv"), table.float())


def test_numbers_that_only_double_precision_holds_need_it(tmp_path):
    save_csv(tmp_path / "t.csv", torch.tensor([[1e300, 0.1]], dtype=torch.float64))
    with pytest.raises(ValueError, match=r"numbers that float32 can hold, got '1\.0+1e\+300"):
        load_csv(tmp_path / "t.csv")
    assert load_csv(tmp_path / "t.csv", dtype=torch.float64).tolist() == [[1e300, 0.1]]
    with pytest.raises(ValueError, match=r"dtype must be torch.float32 or .*, got torch.int64"):
        load_csv(tmp_path / "t.csv", dtype=torch.int64)


def test_a_wave_stands_for_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_csv("~/table.csv", torch.ones(1, 2))
    assert load_csv("~/table.csv").tolist() == [[1, 1]]
    assert (tmp_path / "table.csv").is_file()


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
        pytest.param(b"1e39,1\n", r"float32 can hold, got '1e39' in line 1", id="too large"),
        pytest.param(b"1\n20210315\n", r"float32 can hold, got '20210315' in line 2", id="a date"),
        pytest.param(b"1\n-16777217\n", r"can hold, got '-16777217' in line 2", id="a gap"),
        pytest.param(b"1\n2021_03_15\n", r"only, got '2021_03_15' in line 2", id="underscores"),
        pytest.param(
            "\u0661\n".encode(), "numbers only, got '\u0661' in line 1", id="a digit of Arabic"
        ),
        pytest.param(b"0x10\n", r"numbers only, got '0x10' in line 1", id="hexadecimal"),
        pytest.param(b'1\n\n2,"3\n4,5\n', r"cells .*, got .* in line 3 of", id="an open quote"),
        pytest.param(b'1,"2"3\n', r"cells between commas, got .* in line 1", id="a stray quote"),
        pytest.param(
            b'1\n"' + b"7" * 200_000, r"cells .*, got field larger .* in line 2", id="long"
        ),
        pytest.param(b"1" * 400 + b"\n", r"that float32 can hold, got '1111", id="400 digits"),
        pytest.param(b"1;2\n", r"finite numbers only, got '1;2' in line 1", id="semicolons"),
        pytest.param(b"\xff\xfe1", r"path must be a text file, got 'table\.csv'", id="no text"),
    ],
)
def test_a_file_that_is_no_table_of_numbers_is_rejected(write, content, message):
    with pytest.raises(ValueError, match=message):
        load_csv(write(content))


@pytest.mark.parametrize(("suffix", "module"), [("gz", gzip), ("bz2", bz2), ("xz", lzma)])
def test_a_damaged_compressed_file_is_rejected(write, suffix, module):
    whole = module.compress(b"1,2\n" * 99)
    for content in (b"1,2\n", whole[:-9], whole[:20] + b"?" + whole[21:]):
        path = write(content, f"table.csv.{suffix}")
        with pytest.raises(ValueError, match=rf"path must be a whole \.{suffix} file, got 'table"):
            load_csv(path)


def test_a_file_that_may_not_be_read_is_no_damaged_one(write, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setitem(OPEN, ".gz", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        load_csv(write(b"", "table.csv.gz"))


def test_a_table_that_would_not_come_back_is_not_saved(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(ValueError, match=r"table must be finite, got nan at index \(0, 1\)"):
        save_csv(path, torch.tensor([[0.0, float("nan")]]))
    with pytest.raises(ValueError, match=r"table must have shape \(N, D\), got \(2,\)"):
        save_csv(path, torch.zeros(2))
    with pytest.raises(ValueError, match=r"table must not be empty, got shape \(0, 3\)"):
        save_csv(path, torch.zeros(0, 3))
    with pytest.raises(TypeError, match=r"table must hold real numbers, got torch\.complex64"):
        save_csv(path, torch.ones(1, 1, dtype=torch.complex64))
    for whole in (2**53 + 1, -(2**63), 2**63 - 1):
        with pytest.raises(ValueError, match=f"at most 9007199254740992, got {whole}"):
            save_csv(path, torch.tensor([[0, whole]]))
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
