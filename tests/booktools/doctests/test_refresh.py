import pytest

from booktools.doctests.refresh import refresh
from booktools.pages.blocks import EXPECTED

PAGE = """\
---
title: Café
---

```python
print(1)
```

After the first.

!!! note

    ```python
    print("a", "b", sep="\\n\\n")
    ```

    <!-- tolerance: relative 0.5 -->

- a list
"""
OUTPUTS = {
    5: ("print(1)\n", "1\n"),
    13: ('print("a", "b", sep="\\n\\n")\n', "a\n\nb \n\n"),
}
REFRESHED = """\
---
title: Café
---

```python
print(1)
```

<!--pytest-codeblocks:expected-output-->

```text
1
```

After the first.

!!! note

    ```python
    print("a", "b", sep="\\n\\n")
    ```

    <!-- tolerance: relative 0.5 -->

    <!--pytest-codeblocks:expected-output-->

    ```text
    a

    b
    ```

- a list
"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def shifted(outputs):
    (_, first), (_, second) = outputs.items()
    return {5: first, 19: second}


def test_outputs_are_inserted_with_the_indentation_of_their_block(page):
    assert refresh(page, OUTPUTS)
    assert page.read_text(encoding="utf-8") == REFRESHED


def test_refreshing_twice_changes_nothing(page):
    refresh(page, OUTPUTS)
    written = page.stat().st_mtime_ns
    assert not refresh(page, shifted(OUTPUTS))
    assert page.stat().st_mtime_ns == written
    assert page.read_text(encoding="utf-8") == REFRESHED


def test_a_new_output_replaces_the_old_one_and_nothing_else(page):
    refresh(page, OUTPUTS)
    (first, _), (second, _) = OUTPUTS.values()
    assert refresh(page, {5: (first, "one\n"), 19: (second, "two\n")})
    wanted = REFRESHED.replace("text\n1\n", "text\none\n")
    wanted = wanted.replace("    a\n\n    b\n", "    two\n")
    assert page.read_text(encoding="utf-8") == wanted


def test_the_output_of_a_block_that_is_silent_now_is_removed(page):
    refresh(page, OUTPUTS)
    silent = {line: (code, "") for line, (code, _) in shifted(OUTPUTS).items()}
    refresh(page, silent)
    assert page.read_text(encoding="utf-8") == PAGE


def test_the_line_before_an_output_that_is_removed_stays(page):
    code = "```python\n1\n```\n"
    page.write_text(f"{code}{EXPECTED}\n```text\n1\n```\n", encoding="utf-8")
    refresh(page, {1: ("1\n", "")})
    assert page.read_text(encoding="utf-8") == code


def test_a_silent_block_gets_no_output(page):
    assert not refresh(page, {5: ("print(1)\n", "")})


def test_what_stands_after_an_output_that_is_removed_stays(page):
    code, output = "```python\n1\n```\n", f"\n{EXPECTED}\n\n```text\n1\n```\n"
    figure = "\n<!-- figure-tolerance: 10 -->\n![A line](figures/page-a.png)\n"
    page.write_text(code + output + figure, encoding="utf-8")
    refresh(page, {1: ("1\n", "")})
    assert page.read_text(encoding="utf-8") == code + figure


def test_only_line_breaks_count_as_lines(page):
    page.write_text("a\x0cb\u2028c\n```python\nprint(1)\n```\n", encoding="utf-8")
    refresh(page, {2: ("print(1)\n", "1\n")})
    after = f"\n{EXPECTED}\n\n```text\n1\n```\n"
    wanted = "a\x0cb\u2028c\n```python\nprint(1)\n```\n" + after
    assert page.read_text(encoding="utf-8") == wanted


def test_an_output_that_is_still_right_is_left_as_it_is_written(page):
    page.write_text(f"```python\n1\n```\n{EXPECTED}\n````text\n1\n````\n", encoding="utf-8")
    assert not refresh(page, {1: ("1\n", "1\n")})


def test_line_ends_of_the_file_are_kept(page):
    page.write_bytes(PAGE.replace("\n", "\r\n").encode())
    refresh(page, OUTPUTS)
    assert page.read_bytes() == REFRESHED.replace("\n", "\r\n").encode()


def test_an_output_with_a_fence_gets_a_longer_marker(page):
    page.write_text("```python\nprint('```')\n```", encoding="utf-8")
    refresh(page, {1: ("print('```')\n", "```\n")})
    after = f"\n\n{EXPECTED}\n\n````text\n```\n````\n"
    assert page.read_text(encoding="utf-8") == "```python\nprint('```')\n```" + after


@pytest.mark.parametrize("outputs", [{5: ("print(2)\n", "2\n")}, {6: ("print(1)\n", "1\n")}])
def test_a_page_that_changed_meanwhile_is_left_alone(page, outputs):
    with pytest.raises(ValueError, match="must not change while its blocks run, got a new line"):
        refresh(page, outputs)
    assert page.read_text(encoding="utf-8") == PAGE
