import pytest

from booktools.pages.fences import Line, read_parts, scan


def test_a_fence_knows_its_lines_its_info_and_its_body():
    (fence,) = scan("text\n\n```python\nprint(1)\n\nprint(2)\n```\nmore\n")
    assert (fence.line, fence.end, fence.info, fence.runs) == (3, 7, "python", True)
    assert fence.code == "print(1)\n\nprint(2)\n"


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param('```python title="x.py"', id="title"),
        pytest.param("``` python", id="space"),
        pytest.param("~~~python", id="tildes"),
        pytest.param("> ```python", id="quoted"),
        pytest.param("- ```python", id="list bullet"),
        pytest.param("1. ```python", id="list number"),
        pytest.param("```py", id="py"),
    ],
)
def test_only_plain_python_fences_run(opening):
    closing = "~~~" if "~" in opening else "> ```" if ">" in opening else "  ```"
    (fence,) = scan(f"{opening}\nprint(1)\n{closing}\n")
    assert not fence.runs


def test_a_fence_in_an_admonition_loses_its_indentation_only():
    (fence,) = scan("!!! note\n\n    ```python\n    if True:\n        print(1)\n\n    ```\n")
    assert fence.runs
    assert fence.code == "if True:\n    print(1)\n\n"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        pytest.param("> ```text\n> x\n> ```\n", "x", id="mark of a quote"),
        pytest.param("  ```text\nx\n  ```\n", "x", id="less indented than the fence"),
        pytest.param("  ```text\n> x\n  ```\n", "> x", id="mark that is text"),
    ],
)
def test_the_body_loses_what_stands_before_the_fence_and_no_text(text, body):
    (fence,) = scan(text)
    assert fence.body == (body,)


def test_three_backticks_within_a_line_are_no_fence():
    assert not list(scan("```python``` is code in a line.\n"))


def test_a_fence_in_a_longer_fence_is_its_text():
    (fence,) = scan("````markdown\n```python\nprint(1)\n```\n````\n")
    assert fence.info == "markdown"
    assert fence.body == ("```python", "print(1)", "```")


def test_a_fence_in_a_comment_is_not_on_the_page():
    assert not list(scan("<!--\n```python\nprint(1)\n```\n-->\n"))


def test_a_comment_that_is_only_quoted_hides_nothing():
    assert len(list(scan("Write `<!--` here.\n\n```text\n<!--\n```\n\n```text\n```\n"))) == 2


def test_a_comment_ends_also_where_it_quotes_its_end():
    assert len(list(scan("<!--\n`-->`\n```text\n```\n"))) == 1


def test_lines_are_counted_by_line_breaks_alone():
    (fence,) = scan("a\x0cb\u2028c\r\n```text\r\nx\r\n```\r\n")
    assert (fence.line, fence.body) == (2, ("x",))


def test_lines_are_shown_without_comments_and_without_the_front_matter():
    text = (
        "---\na: 1\n---\none\n```text\ntwo\n```\n`<!--` three<!-- a -->\n<!--\nb\n--> four <!-- c"
    )
    lines = [part for part in read_parts(f"{text}\nd --> five") if isinstance(part, Line)]
    assert [line.number for line in lines] == [1, 2, 3, 4, 8, 9, 10, 11, 12]
    assert [line.shown.strip() for line in lines if line.shown] == [
        "one",
        "`<!--` three",
        "four",
        "five",
    ]
    assert lines[1].text == "a: 1"


def test_a_fence_in_the_front_matter_is_not_on_the_page():
    fence = "```python\nprint(1)\n```\n"
    assert scan(f"---\ntitle: |\n{fence}---\n") == scan(f"\ufeff---\n---- \n{fence}...\n") == []
    assert [found.line for found in scan(f"---\n{fence}")] == [2]  # a rule, never closed
    assert [found.line for found in scan(f"\n---\n{fence}---\n")] == [3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n```python\nprint(1)\n", "fence of line 2 must be closed"),
        ("a\n<!-- b\n", "comment of line 2 must be closed"),
    ],
)
def test_what_is_never_closed_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        list(scan(text))
