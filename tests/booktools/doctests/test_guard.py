import pytest

from booktools.doctests.guard import problems

CODE = "```python\nx = 1\n```\n"
EXPECTED = "<!--pytest-codeblocks:expected-output-->"


@pytest.fixture
def find(tmp_path):
    """Write a page and return what the guard says about it."""
    source = "a = 1\n# --8<-- [start:whole]\nb = 2\n# --8<-- [end:whole]\n# --8<-- [start:open]\n"
    source += "# --8<-- [start:twice]\n# --8<-- [start:twice]\n# --8<-- [end:twice]\n"
    (tmp_path / "source.py").write_text(source)

    def find(text, **options):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        return [f"{line}: {message}" for line, message in problems(path, tmp_path, **options)]

    return find


def test_a_good_page_has_no_problems(find):
    output = f"{EXPECTED}\n\n```text\n1\n```\n"
    include = '```py title="source.py"\n--8<-- "source.py:whole"\n```\n'
    mark = '<!--pytest.mark.skipif(True, reason="needs two GPUs")-->\n'
    nested = '````markdown\n```python title="x"\n```\n<!--pytest.mark.skip-->\n````\n'
    quoted = "Write `<!--pytest.mark.skip-->` or `figures/a.png`.\n"
    console = "```console\n$ ls\n```\n"
    titled = '```text title="what python says"\n1\n```\n'
    page = f"{CODE}\n{output}\n![Two lines](figures/page-a.png)\n\n{include}{mark}{CODE}"
    assert find(page + nested + quoted + console + titled) == []


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param('```python title="x.py"', id="title"),
        pytest.param("``` python", id="space"),
        pytest.param("```Python", id="capital letter"),
        pytest.param("~~~python", id="tildes"),
        pytest.param("> ```python", id="quoted"),
        pytest.param("- ```python", id="bullet"),
        pytest.param("```py", id="py"),
        pytest.param("```python3", id="python3"),
        pytest.param("```py3", id="py3"),
        pytest.param("```pyi", id="pyi"),
        pytest.param("```pytb", id="pytb"),
        pytest.param("```pycon", id="pycon"),
        pytest.param("```ipython", id="ipython"),
        pytest.param("```{ .python }", id="braces"),
        pytest.param("``` { .python .annotate }", id="braces and a class"),
        pytest.param('```{ .text lexer="python" }', id="lexer"),
    ],
)
def test_a_fence_that_looks_like_python_and_does_not_run_is_refused(find, opening):
    closing = "~~~" if "~" in opening else "> ```" if ">" in opening else "  ```"
    assert any(
        "neither runs nor is an include" in one for one in find(f"{opening}\n1\n{closing}\n")
    )


@pytest.mark.parametrize("language", ["sh", "bash", "zsh", "{ .bash }"])
def test_a_shell_fence_is_refused(find, language):
    (problem,) = find(f"```{language}\nls\n```\n")
    assert "would be run by pytest, write console" in problem


def test_a_fence_without_a_language_is_refused(find):
    assert find("```\nx = 1\n```\n") == ["1: fence must name its language, got none (text is one)"]


@pytest.mark.parametrize("language", ["python", "bash"])
def test_code_in_a_comment_is_refused(find, language):
    (problem,) = find(f"<!--\n```{language}\n1\n```\n-->\n")
    assert problem == f"2: {language} runs, but is not visible on the page"


def test_a_fence_that_pytest_codeblocks_reads_otherwise_is_refused(find):
    text = '```python\na = """\n```text\n```text\n"""\n```\n'
    assert any("does not see this fence as it is" in one for one in find(text))


def test_a_fence_that_pytest_codeblocks_passes_over_is_refused(find):
    text = "```text\n```x\n```\n"  # to pytest-codeblocks, the second line ends the first fence
    assert find(f"{text}{CODE}{text}") == ["4: pytest-codeblocks does not see this fence as it is"]


def test_problems_come_in_the_order_of_lines(find):
    found = find(f"{CODE}\n![](figures/page-a.png)\n\n```\n1\n```\n")
    assert [problem[:2] for problem in found] == ["5:", "7:"]


def test_empty_lines_of_an_indented_block_are_no_problem(find):
    assert find("!!! note\n\n    ```python\n    x = 1\n\n    y = 2\n    ```\n") == []


def test_an_unclosed_fence_is_refused(find):
    assert find("```python\n1\n") == ["1: fence of line 1 must be closed, got the end of the file"]


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("none.py", "2: none.py does not exist"),
        (".", "2: . does not exist"),
        ("source.py:other", r"2: source.py must have '# --8<-- [start:other]' once, got 0 times"),
        ("source.py:open", r"2: source.py must have '# --8<-- [end:open]' once, got 0 times"),
        ("source.py:twice", r"2: source.py must have '# --8<-- [start:twice]' once, got 2 times"),
        ("source.py:1:2", "2: name a section of source.py, got lines 1:2: they move"),
    ],
)
def test_an_include_names_what_exists(find, include, message):
    assert message in find(f'```py title="source.py"\n--8<-- "{include}"\n```\n')


def test_an_include_cannot_run(find):
    assert find('```python\n--8<-- "source.py:whole"\n```\n')[0].startswith("1: an include cannot")


def test_an_empty_fence_is_no_include(find):
    (problem,) = find("```py\n```\n")
    assert "neither runs nor is an include" in problem


def test_code_beside_an_include_is_refused(find):
    (problem,) = find('```py title="source.py"\n--8<-- "source.py:whole"\nprint(1)\n```\n')
    assert "neither runs nor is an include" in problem


@pytest.mark.parametrize(
    "comment",
    [
        "<!--pytest-codeblocks:skipfile-->",
        "<!--pytest-codeblocks:skip-->",
        "<!--pytest-codeblocks:cont-->",
        "<!--pytest-codeblocks:importorskip(torch)-->",
        "<!--pytest-codeblocks:expected-output-ignore-whitespace-->",
        "<!--pytest-codeblocks:nonsense-->",
        "<!-- pytest-codeblocks skip -->",
        "<!--pytest.mark.skip-->",
        "<!-- pytest.mark.skip -->",
        '<!--pytest.mark.skip(reason="")-->',
        "<!-- tolerance: relative 0.5 -->",
        "<!-- figure-tolerance: 0.5 -->",
    ],
)
def test_a_comment_that_weakens_the_tests_is_refused(find, comment):
    assert find(f"{comment}\n{CODE}{CODE}")
    assert find(f"{CODE}\n{comment}\n{CODE}")


def test_an_expected_output_must_follow_a_block_that_runs(find):
    include = '```py title="source.py"\n--8<-- "source.py:whole"\n```\n'
    (problem,) = find(f"{CODE}\n{include}\n{EXPECTED}\n\n```text\n1\n```\n")
    assert problem.startswith("9: this comment belongs to no block")


def test_a_misspelt_tolerance_is_refused(find):
    text = f"{CODE}\n<!-- tolerance: 5% -->\n{EXPECTED}\n\n```text\n1\n```\n"
    assert any("5: this comment belongs to no block" in one for one in find(text))


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("![](figures/page-a.png)", "must have an alt text, got ''"),
        ("![.](figures/page-a.png)", "must have an alt text, got '.'"),
        ("![A](figures/page-a.png)", "must have an alt text, got 'A'"),
        ("![A line](figures/other-a.png)", "must start with figures/page-"),
        ("![A line](figures/pages-a.png)", "must start with figures/page-"),
        ('<img alt="A line" src="figures/page-a.png">', "must be linked as an image"),
        ("![A line](figures/page-a.png)\n<img src='figures/page-a.png'>", "linked as an image"),
        ("<!-- ![A line](figures/page-a.png) -->", "must be linked as an image"),
        ("![A](figures/page-a.png)\n![A](figures/page-a.png)", "linked once, got a second link"),
    ],
)
def test_an_image_link_is_complete(find, link, message):
    assert any(message in one for one in find(f"{CODE}\n{link}\n"))


def test_a_figure_before_all_blocks_is_refused(find):
    (problem,) = find(f"![A line](figures/page-a.png)\n\n{CODE}")
    assert "must be linked as an image after its block" in problem


def test_a_figure_that_no_page_links_is_refused(find, tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("page-a.png", "page-a.dark.png", "page-old.png", "page-old.dark.png"):
        (tmp_path / "figures" / name).touch()
    assert find(f"{CODE}\n![A line](figures/page-a.png)\n") == [
        "1: figures/page-old.dark.png is linked by no page",
        "1: figures/page-old.png is linked by no page",
    ]


def test_blocks_that_do_not_run_must_be_valid_python(find):
    assert find(CODE, runs=False) == []
    assert find("text\n\n```python\nx = 1\nx = = 1\n```\n", runs=False) == [
        "5: not valid Python: invalid syntax"
    ]
    assert find('```py title="x"\nx = 1\n```\n', runs=False) == []


def test_blocks_that_run_speak_for_themselves(find):
    assert find("```python\nx = = 1\n```\n") == []
