"""The map of the original notes: every item that is treated leads to a heading that exists."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from booktools.pages.headings import find_anchors

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
COLUMNS = ["id", "page", "anchor", "verdict", "correction"]
# How many rows say what, and how many items have no row yet (0 in the end). A row that is added,
# lost or turned round shows here: read the diff of the map, then write the new numbers.
VERDICTS = {
    "right": 74,
    "right but incomplete": 0,
    "outdated": 11,
    "wrong": 73,
    "left blank": 19,
}
MISSING = 522


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def all_ids():
    """The 699 items of the notes: 568 headings, blocks and remarks, and 131 lost pictures."""
    for first, last in read(TESTS / "notes_ids.csv")[1:]:
        kind, digits = first[:5], len(first) - 5
        for number in range(int(first[5:]), int(last[5:]) + 1):
            yield f"{kind}{number:0{digits}}"


def problems(header, *rows):
    """Say what is wrong with a map, without its headings and numbers."""
    if header != COLUMNS:
        yield f"columns must be {COLUMNS}, got {header}"
    known = set(all_ids())
    yield from (f"row must have {len(COLUMNS)} cells, got {row}" for row in rows if len(row) != 5)
    rows = [row for row in rows if len(row) == 5]
    yield from (f"{row[0]} is no item of the notes" for row in rows if row[0] not in known)
    yield from (f"{row[0]}: {row[3]} is no verdict" for row in rows if row[3] not in VERDICTS)
    yield from (
        f"{row[0]} must say what is right"
        for row in rows
        if row[3] != "right" and not row[4].strip()
    )
    places = [(row[0], row[1]) for row in rows]
    if places != sorted(set(places)):
        yield "rows must be sorted by item and page, each pair once"


@pytest.fixture(scope="module")
def rows():
    return read(DOCS / "notes-map.csv")


def test_the_notes_have_699_items():
    ids = list(all_ids())
    assert len(ids) == len(set(ids)) == 699


def test_the_map_is_in_order(rows):
    assert list(problems(*rows)) == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("003-D83,networks/lenet.md,lenet,right,", "003-D83 is no item of the notes"),
        ("003-D8,networks/lenet.md,lenet,right,", "003-D8 is no item of the notes"),
        ("000-C01,networks/lenet.md,lenet,perfect,", "000-C01: perfect is no verdict"),
        ("000-C01,networks/lenet.md,lenet,wrong, ", "000-C01 must say what is right"),
        ("000-C01,networks/lenet.md,lenet,right", "row must have 5 cells"),
        ("000-C02,networks/lenet.md,lenet,right,", "rows must be sorted"),
        ("999-C02,networks/lenet.md,lenet,right,", "rows must be sorted"),
    ],
)
def test_a_wrong_row_is_noticed(row, problem):
    good = ["000-C02", "networks/lenet.md", "lenet", "right but incomplete", "It is longer."]
    assert list(problems(COLUMNS, good)) == []
    pages = [row.split(","), good] if "999" not in row else [good, row.split(","), good]
    assert any(problem in one for one in problems(COLUMNS, *pages))


def test_an_item_may_belong_to_two_pages():
    pages = [["000-C02", page, "lenet", "right", ""] for page in ("networks/lenet.md", "x.md")]
    assert list(problems(COLUMNS, *pages)) == []


def test_no_row_is_lost_and_no_verdict_turned_round_unseen(rows):
    verdicts = Counter(row[3] for row in rows[1:])
    missing = set(all_ids()) - {row[0] for row in rows}
    print(f"{len(missing)} of 699 items have no row yet: {' '.join(sorted(missing))}")
    assert {name: verdicts[name] for name in VERDICTS} == VERDICTS
    assert len(missing) == MISSING


@pytest.mark.parametrize("page", sorted({row[1] for row in read(DOCS / "notes-map.csv")[1:]}))
def test_every_item_leads_to_a_heading_of_its_page(page, rows):
    known = find_anchors((DOCS / page).read_text(encoding="utf-8"))
    assert {row[2] for row in rows[1:] if row[1] == page} - set(known) == set()
