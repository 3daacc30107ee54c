"""Tables of numbers in CSV files, plain or compressed with gzip."""

import csv
import gzip
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor

from notes.checks import check_finite, check_shape

OVERFLOW = 2.0**128 - 2.0**103  # from here on, float32 rounds to infinity


# --8<-- [start:load_csv]
def load_csv(path: str | Path) -> Tensor:
    """The numbers of a comma-separated file without a header line.

    Empty lines are passed over. Everything else that is no number is refused: a gap that silently
    became 0 or NaN would spoil the training much later.

    Args:
        path: The file. A name that ends in `.gz` is read through gzip.

    Returns:
        `(N, D)` float32, one row for each line.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a cell is no finite number, a row is shorter or longer than the first one,
            the file has no rows, or it is not text.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     save_csv(f"{folder}/table.csv", torch.tensor([[0.25, 1.0], [-0.5, 0.0]]))
        ...     load_csv(f"{folder}/table.csv")
        tensor([[ 0.2500,  1.0000],
                [-0.5000,  0.0000]])

    Explained in:
        [Data][data]
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must be an existing file, got {str(path)!r}")
    try:
        with _open_text(path) as file:
            rows = _parse(path.name, file)
    except UnicodeDecodeError as error:
        raise ValueError(f"path must be a text file, got {path.name!r}: {error}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"path must be a whole gzip file, got {path.name!r}: {error}") from error
    if not rows:
        raise ValueError(f"path must be a file with at least one row, got {path.name!r}")
    return torch.tensor(rows, dtype=torch.float32)


# --8<-- [end:load_csv]


# --8<-- [start:save_csv]
def save_csv(path: str | Path, table: Tensor) -> None:
    """Write a table so that `load_csv` reads the same numbers, to the last bit.

    Args:
        path: The file, which is replaced. A name that ends in `.gz` is written through gzip.
        table: `(N, D)` finite numbers.

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If the table is not two-dimensional or holds a NaN or an infinity.

    Explained in:
        [Data][data]
    """
    check_shape("table", table, "N", "D")
    check_finite("table", table)
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must be in an existing folder, got {str(path)!r}")
    # Nine significant digits tell any two float32 numbers apart.
    np.savetxt(path, table.detach().cpu().to(torch.float32).numpy(), fmt="%.9g", delimiter=",")


# --8<-- [end:save_csv]


def _open_text(path: Path) -> TextIO:
    encoding = "utf-8-sig"  # spreadsheet programs put an invisible mark before the first number
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _parse(name: str, lines: Iterable[str]) -> list[list[float]]:
    rows: list[list[float]] = []
    reader = csv.reader(lines)
    for cells in reader:
        if not cells:
            continue
        place = f"in line {reader.line_num} of {name!r}"
        if rows and len(cells) != len(rows[0]):
            raise ValueError(f"path must have {len(rows[0])} columns, got {len(cells)} {place}")
        rows.append([_number(cell, place) for cell in cells])
    return rows


def _number(cell: str, place: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not abs(value) < OVERFLOW:  # also true for NaN
        raise ValueError(f"path must hold finite numbers only, got {cell!r} {place}")
    return value
