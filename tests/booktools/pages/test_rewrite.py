import pytest

from booktools.pages.rewrite import fill

PARTS = {"race": {"time": "4", "table": "\n\n| a |\n\n", "plot": '    "hare": [1, 2],\n'}}


def test_only_the_text_between_the_marks_is_exchanged():
    page = "It took <!-- result: race time -->3<!-- end --> s, <!-- no mark -->3.\n"
    expected = "It took <!-- result: race time -->4<!-- end --> s, <!-- no mark -->3.\n"
    assert fill(page, PARTS) == expected


def test_a_part_may_have_several_lines_and_stand_in_several_places():
    page = "<!-- result: race table -->\nold\n\nolder\n<!-- end -->\n" * 2
    assert fill(page, PARTS) == "<!-- result: race table -->\n\n| a |\n\n<!-- end -->\n" * 2


def test_the_data_of_a_plot_is_exchanged_in_its_block_and_nowhere_else():
    block = (
        'results = {  # docs/results/race.json\n    "dog": [\n        3,\n    ],\n}\nother = {\n}\n'
    )
    expected = 'results = {  # docs/results/race.json\n    "hare": [1, 2],\n}\nother = {\n}\n'
    assert fill(block, PARTS) == expected


def test_what_was_written_once_can_be_written_again():
    page = "<!-- result: race table --><!-- end --> results = {  # docs/results/race.json\n}\n"
    once = fill(page, PARTS)
    assert fill(once, PARTS) == once


@pytest.mark.parametrize(
    "page",
    [
        "<!-- result: race time -->3",
        "3<!-- end -->",
        "<!-- end --><!-- result: race time -->",
        "<!-- result: race time -->3 <!-- result: race time -->3<!-- end -->",
        "<!-- result: race -->3<!-- end -->",
        "<!-- result:race time -->3<!-- end -->",
    ],
)
def test_a_mark_that_is_not_closed_or_misspelled_is_refused(page):
    with pytest.raises(ValueError, match="page must close each '<!-- result: … -->' with"):
        fill(page, PARTS)


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("<!-- result: race place -->1<!-- end -->", "race place"),
        ("<!-- result: dance time -->1<!-- end -->", "dance time"),
        ("results = {  # docs/results/dance.json\n}\n", "dance plot"),
    ],
)
def test_a_part_that_does_not_exist_is_refused(page, asked):
    with pytest.raises(ValueError, match=f"page must ask for a part of a result, got '{asked}'"):
        fill(page, PARTS)
