"""Tables of numbers in CSV files, plain or compressed."""

import bz2
import csv
import gzip
import lzma
import os
import re
import zlib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from notes.checks import check_finite, check_not_empty, check_shape

OPEN: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
LARGEST_WHOLE = 2**53  # from here on, float64 has gaps between whole numbers
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


# --8<-- [start:load_csv]
def load_csv(path: str | Path, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """The numbers of a comma-separated file without a header line.

    Empty lines are passed over. Everything else that is no number is refused: a gap that silently
    became 0 or NaN would spoil the training much later. So is a whole number that would become
    another one: in float32 those above 16,777,216 have gaps between them.

    Args:
        path: The file, `~` for the home folder. A name that ends in `.gz`, `.bz2` or `.xz` is read
            through that compression.
        dtype: `torch.float32` or `torch.float64`.

    Returns:
        `(N, D)` in that dtype, one row for each line.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a cell is no finite number of this dtype, a row is shorter or longer than the
            first one, the file has no rows, it is not text, its compression is damaged, or the
            dtype is another one.

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
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f"path must be an existing file, got {str(path)!r}")
    try:
        with _open_text(path, "rt") as file:
            rows = _parse(path.name, file, np.float32 if dtype == torch.float32 else np.float64)
    except UnicodeDecodeError as error:
        raise ValueError(f"path must be a text file, got {path.name!r}: {error}") from error
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the disk, not of what is on it
            raise
        raise ValueError(
            f"path must be a whole {path.suffix} file, got {path.name!r}: {error}"
        ) from error
    if not rows:
        raise ValueError(f"path must be a file with at least one row, got {path.name!r}")
    return torch.tensor(rows, dtype=dtype)


# --8<-- [end:load_csv]


# --8<-- [start:save_csv]
def save_csv(path: str | Path, table: Tensor) -> None:
    """Write a table so that `load_csv` reads the same numbers, to the last bit.

    To read a table of float64, or whole numbers above 16,777,216, give `load_csv` the dtype
    `torch.float64`.

    Args:
        path: The file, which is replaced, `~` for the home folder. A name that ends in `.gz`,
            `.bz2` or `.xz` is written through that compression.
        table: `(N, D)` finite numbers.

    Raises:
        FileNotFoundError: If the folder does not exist.
        TypeError: If the table holds complex numbers.
        ValueError: If the table is not two-dimensional, is empty, or holds a NaN, an infinity or a
            whole number that float64 cannot hold.

    Explained in:
        [Data][data]
    """
    check_shape("table", table, "N", "D")
    check_not_empty("table", table)
    if table.is_complex():
        raise TypeError(f"table must hold real numbers, got {table.dtype}")
    check_finite("table", table)
    table = table.detach().cpu()
    if not table.is_floating_point():
        too_large = table[(table.long() > LARGEST_WHOLE) | (table.long() < -LARGEST_WHOLE)]
        if len(too_large):
            raise ValueError(
                f"table must hold whole numbers of at most {LARGEST_WHOLE}, "
                f"got {too_large[0].item()}"
            )
    path = Path(os.path.expanduser(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must be in an existing folder, got {str(path)!r}")
    # Nine significant digits tell any two float32 numbers apart, 17 any two of float64.
    digits = "%.9g" if table.is_floating_point() and table.itemsize < 8 else "%.17g"
    with _open_text(path, "wt") as file:
        np.savetxt(file, table.double().numpy(), fmt=digits, delimiter=",")


# --8<-- [end:save_csv]


def _open_text(path: Path, mode: str) -> Any:
    # Spreadsheet programs put an invisible mark before the first number.
    encoding = "utf-8-sig" if mode == "rt" else "utf-8"
    return OPEN.get(path.suffix.lower(), open)(path, mode, encoding=encoding, newline="")


def _parse(name: str, lines: Iterable[str], number: Any) -> list[list[float]]:
    rows: list[list[float]] = []
    reader = csv.reader(lines, strict=True)
    place = f"in line 1 of {name!r}"
    try:
        for cells in reader:
            if cells and rows and len(cells) != len(rows[0]):
                raise ValueError(f"path must have {len(rows[0])} columns, got {len(cells)} {place}")
            if cells:
                rows.append([_number(cell.strip(), number, place) for cell in cells])
            place = f"in line {reader.line_num + 1} of {name!r}"
    except csv.Error as error:
        raise ValueError(f"path must hold cells between commas, got {error} {place}") from error
    return rows


def _number(cell: str, number: Any, place: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise ValueError(f"path must hold finite numbers only, got {cell!r} {place}")
    with np.errstate(over="ignore"):
        held = float(number(float(cell)))
    is_whole = cell.lstrip("+-").isdigit()
    if not np.isfinite(held) or (is_whole and Decimal(cell) != Decimal(held)):
        raise ValueError(
            f"path must hold numbers that {number.__name__} can hold, got {cell!r} {place}"
        )
    return held
