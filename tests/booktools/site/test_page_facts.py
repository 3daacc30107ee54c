import json
from datetime import date

import pytest

from booktools.site.page_facts import (
    Checked,
    facts,
    first_title,
    minutes_to_read,
    read_checked,
    report_link,
    seconds_in_words,
)

CHECKED = Checked("2.14.1", date(2026, 11, 26), {"networks/lenet.md": 17.2})


def test_code_that_runs_takes_time_and_its_output_takes_none():
    code = "```python\n" + "print(1)\n" * 100 + "```\n"
    assert minutes_to_read(code) == 4
    assert minutes_to_read(code + "\n```text\n" + "1\n" * 100 + "```\n") == 4


def test_what_no_reader_sees_takes_no_time():
    hidden = "---\ndescription: " + "word " * 900 + "\n---\n\n<!-- " + "word " * 900 + "-->\n"
    assert minutes_to_read(hidden) == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.01, "1 second"), (4.2, "5 seconds"), (5.1, "10 seconds"), (91, "2 minutes")],
)
def test_times_are_rounded_up_to_what_a_reader_waits(seconds, words):
    assert seconds_in_words(seconds) == words


def test_facts_name_pages_to_read_first_and_what_the_page_was_checked_with():
    line = facts("networks/lenet.md", "word", CHECKED, [("Boxes & more", "../boxes/")])
    assert 'Read first: <a href="../boxes/">Boxes &amp; more</a>' in line
    assert "20 seconds to run" in line
    assert "checked with torch 2.14.1, 26 November 2026" in line


def test_a_page_that_never_ran_claims_nothing():
    line = facts("networks/new.md", "word", CHECKED)
    assert line == '<p class="facts"><span>1 minute to read</span></p>'


def test_what_the_doc_tests_wrote_is_read_and_a_missing_file_is_no_error(tmp_path):
    path = tmp_path / "checked.json"
    assert read_checked(path) == Checked()
    path.write_text(json.dumps({"torch": "2.14.1", "day": "2026-11-26", "seconds": {"a.md": 1.5}}))
    assert read_checked(path) == Checked("2.14.1", date(2026, 11, 26), {"a.md": 1.5})


def test_the_title_is_the_first_heading_without_its_marks():
    assert first_title("Text\n\n# `nms` { #own }\n\n## Second") == "nms"
    assert first_title("no heading") == ""


def test_a_report_names_the_page():
    link = report_link("networks/lenet.md", "LeNet & more")
    assert "title=LeNet%20%26%20more%3A%20" in link
    assert "docs/networks/lenet.md" in link
