import pytest

from booktools.pages.rewrite import replace_between


def test_only_the_text_between_the_marks_is_exchanged():
    page = "before\n<!-- a -->old<!-- b -->\nafter\n"
    expected = "before\n<!-- a -->new<!-- b -->\nafter\n"
    assert replace_between(page, "<!-- a -->", "<!-- b -->", "new") == expected


def test_the_first_begin_and_the_first_end_after_it_count():
    assert replace_between("} { 1 } { 2 }", "{", "}", "") == "} {} { 2 }"


def test_what_was_replaced_once_can_be_replaced_again():
    once = replace_between("{}", "{", "}", "old")
    assert replace_between(once, "{", "}", "new") == "{new}"


@pytest.mark.parametrize("page", ["", "{", "}", "} {"])
def test_a_page_without_the_two_marks_is_refused(page):
    with pytest.raises(ValueError, match=r"page must hold '\{' and then '\}', got neither"):
        replace_between(page, "{", "}", "new")
