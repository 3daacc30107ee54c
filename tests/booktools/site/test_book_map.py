import pytest

from booktools.site.book_map import Chapter, chapter, draw_map, list_chapters
from booktools.site.page_facts import Checked

PARTS = [
    {"title": "Later", "picture": "line", "about": "Not yet."},
    {"title": "Now & here", "picture": "line", "about": "Three pages.", "page": "now/index.md"},
]
CHAPTERS = [
    Chapter("First", "One & two.", "now/", 50, 20.0),
    Chapter("Second", "More.", "now/second/", 60, 100.0),
]


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "line.svg").write_text("<svg></svg>\n")
    return tmp_path


def test_parts_that_are_there_come_first_and_lead_to_their_overview(pictures):
    drawn = draw_map(PARTS, {"now/index.md": CHAPTERS}.__getitem__, pictures)
    assert drawn.index("Now &amp; here") < drawn.index("Later")
    assert '<a href="now/">Now &amp; here</a>' in drawn
    assert drawn.count("<svg></svg>") == 2


def test_a_part_says_how_long_it_takes_and_one_to_come_says_so(pictures):
    drawn = draw_map(PARTS, {"now/index.md": CHAPTERS}.__getitem__, pictures)
    assert "2 pages, 1¾ hours to read, 2 minutes to run" in drawn
    assert "to come</p>" in drawn
    assert drawn.count("<a ") == 1


def test_a_list_names_each_chapter_with_its_minutes_and_description():
    listed = list_chapters(CHAPTERS)
    assert listed.count("<li>") == 2
    assert '<a href="now/second/">Second</a> <span class="size">60 min</span><br>More.' in listed
    assert "One &amp; two." in listed


def test_a_chapter_knows_its_times():
    one = chapter("a.md", "A", "About.", "a/", "word " * 360, Checked(seconds={"a.md": 3.0}))
    assert one == Chapter("A", "About.", "a/", 2, 3.0)
