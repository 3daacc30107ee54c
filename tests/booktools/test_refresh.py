import pytest

from booktools.refresh import refresh

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
    13: ('print("a", "b", sep="\\n\\n")\n', "a\n\nb \n"),
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
    assert not refresh(page, shifted(OUTPUTS))
    assert page.read_text(encoding="utf-8") == REFRESHED


def test_a_new_output_replaces_the_old_one_and_nothing_else(page):
    refresh(page, OUTPUTS)
    assert refresh(page, {5: ("print(1)\n", "one\n")})
    wanted = REFRESHED.replace("```text\n1\n", "```text\none\n")
    assert page.read_text(encoding="utf-8") == wanted


def test_the_output_of_a_block_that_is_silent_now_is_removed(page):
    refresh(page, OUTPUTS)
    silent = {line: (code, "") for line, (code, _) in shifted(OUTPUTS).items()}
    refresh(page, silent)
    assert page.read_text(encoding="utf-8") == PAGE


def test_line_ends_of_the_file_are_kept(page):
    page.write_bytes(PAGE.replace("\n", "\r\n").encode())
    refresh(page, OUTPUTS)
    assert page.read_bytes() == REFRESHED.replace("\n", "\r\n").encode()


def test_an_output_with_a_fence_gets_a_longer_marker(page):
    page.write_text("```python\nprint('```')\n```", encoding="utf-8")
    refresh(page, {1: ("print('```')\n", "```\n")})
    assert page.read_text(encoding="utf-8").endswith("\n````text\n```\n````\n")


def test_a_page_that_changed_meanwhile_is_left_alone(page):
    with pytest.raises(ValueError, match="must not change while its blocks run, got a new line 5"):
        refresh(page, {5: ("print(2)\n", "2\n")})
    assert page.read_text(encoding="utf-8") == PAGE
