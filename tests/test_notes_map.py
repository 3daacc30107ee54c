"""The map of the original notes: every item stands once, and leads to a heading that exists."""

import csv
import re
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify, unique

DOCS = Path(__file__).parents[1] / "docs"
COLUMNS = ["id", "page", "anchor", "verdict", "correction"]
VERDICTS = {"right", "outdated", "wrong", "left blank"}
FORM = re.compile(r"00[0-4]-(?:[A-Z]\d\d|P\d)")  # note, kind of item, its number


def rows():
    with (DOCS / "notes-map.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def anchors(text):
    """The anchors of a page, as the site makes them from its headings."""
    used = set()
    outside = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", outside, re.M)
    return {unique(slugify(title.replace("`", ""), "-"), used) for title in titles}


def test_the_file_has_its_columns_and_every_row_has_them_all():
    header, *items = rows()
    assert header == COLUMNS
    assert [row for row in items if len(row) != len(COLUMNS)] == []


def test_every_item_is_named_in_the_same_form_and_only_once():
    ids = [row[0] for row in rows()[1:]]
    assert [name for name in ids if not FORM.fullmatch(name)] == []
    assert sorted(set(ids)) == ids


def test_every_verdict_is_one_of_four():
    assert {row[3] for row in rows()[1:]} <= VERDICTS


def test_what_was_not_right_is_corrected():
    assert [row[0] for row in rows()[1:] if row[3] != "right" and not row[4]] == []


@pytest.mark.parametrize("page", sorted({row[1] for row in rows()[1:]}))
def test_every_item_leads_to_a_heading_of_its_page(page):
    known = anchors((DOCS / page).read_text(encoding="utf-8"))
    missing = {row[2] for row in rows()[1:] if row[1] == page} - known
    assert missing == set()


def test_anchors_are_made_as_on_the_site():
    text = "# A `name`: 3×3, GoogLeNet\n```python\n# no heading\n```\n## Twice\n## Twice\n"  # noqa: RUF001
    assert anchors(text) == {"a-name-33-googlenet", "twice", "twice_1"}
