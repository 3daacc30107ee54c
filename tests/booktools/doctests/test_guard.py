import pytest

from booktools.doctests.figures import MAX_FIGURE_TOLERANCE
from booktools.doctests.guard import MAX_ABSOLUTE_TOLERANCE, problems

CODE = "```python\nx = 1\n```\n"
EXPECTED = "<!--pytest-codeblocks:expected-output-->"
OUTPUT = f"{EXPECTED}\n\n```text\n1\n```\n"
SOURCE = "src/notes/source.py"
INCLUDE = f'```py title="{SOURCE}"\n--8<-- "{SOURCE}:whole"\n```\n'


@pytest.fixture
def find(tmp_path):
    """Write a page and return what the guard says about it."""
    source = "a = 1\n# --8<-- [start:whole]\nb = 2\n# --8<-- [end:whole]\n# --8<-- [start:open]\n"
    source += "# --8<-- [start:twice]\n# --8<-- [start:twice]\n# --8<-- [end:twice]\n"
    for name in (SOURCE, "docs/code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    (tmp_path / "docs" / "code.py").rename(tmp_path / "code.py")

    def find(text, **options):
        path = tmp_path / "docs" / "page.md"
        path.write_text(text, encoding="utf-8")
        return [f"{line}: {message}" for line, message in problems(path, tmp_path, **options)]

    return find


@pytest.fixture
def only(find):
    """The one problem of a page."""

    def only(text, **options):
        (problem,) = find(text, **options)
        return problem

    return only


def test_a_good_page_has_no_problems(find):
    page = f"""---
description: A page.
---

# Title {{ #own-anchor }}

{CODE}
<!-- tolerance: absolute 0.05 -->
{EXPECTED}

```text
print(1) 0.5
```

<!-- figure-tolerance: 12 -->
![Two rising lines](figures/page-a.png)

{INCLUDE}
!!! note "What is `<b>`?"

    Write `<!--pytest.mark.skip-->`, `--8<-- "x.py"`, `figures/a.png` or $a<b$ as code.
    A line of a list, 3 < 4, {{1, 2}}, and <https://example.org>.

    class 0 is the background, and so is
    import of goods, in a from import line:
    for all (or nearly all).

    $$
    \\sum_{{i=1}}^n x_i <y
    $$ and $$a <b$$

    - One[^1]

        More of it.

    ```console
    $ pip install "notes"
    ```

<div class="hero" markdown>

[Start](page.md){{ .md-button .first }}<br>

</div>

These are its files:

```text title="A folder"
```python  a fence within
nothing    <b>here</b>
```

[^1]: A note,

    of two paragraphs.
"""
    page = page.replace("```python  a", "'''python  a")
    assert find(page) == []


@pytest.mark.parametrize(
    "info",
    [
        *('python title="x.py"', " python", "Python", "python3", "pyi", "pytb", "pycon", "ipython"),
        *(
            "{ .python }",
            " { .python .annotate }",
            '{ .text lexer="python" }',
            "py",
            "py hl_lines=1",
        ),
        *("numpy", "cython", "output", "none", "yaml", "sh", "bash", "{ .bash }", "pytorch", ""),
        *("text hl_lines=1", " text", "console title='x'", 'py title=""', "markdown"),
        *('text title="Output"', "p\N{CYRILLIC SMALL LETTER U}thon", "text "),
    ],
)
def test_a_fence_of_another_kind_is_refused(only, info):
    assert f"1: '{info.strip()}' neither runs nor is an include" in only(f"```{info}\n1\n```\n")


@pytest.mark.parametrize(
    "opening", ["~~~python", "> ```python", "- ```python", "> ```text", "```python "]
)
def test_a_fence_that_does_not_stand_alone_is_refused(find, opening):
    closing = "~~~" if "~" in opening else "> ```" if ">" in opening else "  ```"
    assert "' neither runs nor is an include" in find(f"{opening}\n1\n{closing}\n")[0]


@pytest.mark.parametrize(
    "code",
    [
        "import torch",
        "from torch import nn, optim",
        ">>> 1 + 1",
        "def f(x):",
        "class Net(nn.Module):",
        "print(1)",
        "x = torch.ones(3)",
        "In [1]: x",
    ],
)
@pytest.mark.parametrize(
    "place",
    ["Text.\n\n    {}\n", "- A list\n\n        {}\n", "```console\n{}\n```\n",
     '```text title="Say"\n{}\n```\n', "> {}\n"],
)  # fmt: skip
def test_code_that_looks_run_and_is_not_is_refused(only, place, code):
    problem = only(place.format(code))
    assert "code must stand in a fence" in problem or "looks like Python that has run" in problem


@pytest.mark.parametrize(
    "html",
    [
        '<pre><code class="language-python">1</code></pre>',
        '<code class="python">1</code>',
        "<pre>",
        '<a href="gone/">gone</a>',
        "<b>bold",
        '<div style="display:none" markdown>',
        "<div hidden markdown>",
        "<div>",
        "<div",
        "</p>",
        "<h1>Two</h1>",
        '<a id="x"></a>',
        "<script>",
        "<?php",
        "<!DOCTYPE html>",
        '<img alt="Two rising lines" src="x.png">',
    ],
)
def test_html_is_refused(find, html):
    assert any("1: write Markdown instead of HTML" in one for one in find(f"Text {html}\n"))


def test_a_formula_ends_with_its_paragraph(find):
    assert find("Text $$x <y\n\nText <b>.\n")[0].startswith("3: write Markdown instead of HTML")
    assert find("$$x <y\n$$ and <b>.\n")[0].startswith("2: write Markdown instead of HTML")


@pytest.mark.parametrize("attributes", ['{ style="opacity: 0" }', "{: hidden }", "{ .a id=b }"])
def test_an_attribute_that_changes_what_is_seen_is_refused(only, attributes):
    assert only(f"Text.\n{attributes}\n") == "2: attributes must be classes or ids"


def test_what_describes_a_page_stands_between_its_lines(only):
    assert "1: what describes a page must stand between" in only("note: x\n    more\n\n# Title\n")


def test_an_unclosed_fence_is_refused(find):
    assert find("```python\n1\n") == ["1: fence of line 1 must be closed, got the end of the file"]


def test_problems_come_in_the_order_of_lines(find):
    found = find(f"{CODE}\n![](figures/page-a.png)\n\n```\n1\n```\n")
    assert [problem[:2] for problem in found] == ["5:", "7:"]


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("src/notes/none.py", "2: src/notes/none.py does not exist"),
        ("src/notes/.", "2: src/notes/. does not exist"),
        (f"{SOURCE}:other", f"2: {SOURCE} must have '# --8<-- [start:other]' once, got 0 times"),
        (f"{SOURCE}:open", f"2: {SOURCE} must have '# --8<-- [end:open]' once, got 0 times"),
        (f"{SOURCE}:twice", f"2: {SOURCE} must have '# --8<-- [start:twice]' once, got 2 times"),
        (f"{SOURCE}:1:2", f"2: name a section of {SOURCE}, got lines 1:2: they move"),
        ("code.py", "2: code.py must lie in src/notes or snippets, whose code is tested"),
        ("src/notes/../../code.py:whole", "must lie in src/notes or snippets, whose code is"),
    ],
)
def test_an_include_names_what_exists_and_is_tested(find, include, message):
    title = include.split(":")[0]
    found = find(f'```py title="{title}"\n--8<-- "{include}"\n```\n')
    assert any(message in problem for problem in found)


def test_the_title_of_an_include_is_its_file(only):
    page = INCLUDE.replace(f'title="{SOURCE}"', 'title="src/notes/other.py"')
    assert only(page) == f"2: title must be the included file {SOURCE}, got src/notes/other.py"


@pytest.mark.parametrize(
    "page",
    [
        f'Text.\n\n--8<-- "{SOURCE}"\n',
        f"  ;--8<-- '{SOURCE}'\n",
        f"-8<-\n{SOURCE}\n-8<-\n",
        f'```python\na = """\n--8<-- "{SOURCE}:whole"\n"""\n```\n',
        f'```python\n--8<-- "{SOURCE}:whole"\n```\n',
        f'```python\n# --8<-- "{SOURCE}:whole"\n```\n',
        f'{CODE}\n{OUTPUT}'.replace("\n1\n", f'\n--8<-- "{SOURCE}"\n'),
        f'```console\n---8<--- "{SOURCE}"\n```\n',
        f'<!--\n--8<-- "{SOURCE}"\n-->\n',
    ],
)  # fmt: skip
def test_an_include_elsewhere_is_refused(find, page):
    assert any("an include must stand alone in a fence" in problem for problem in find(page))


@pytest.mark.parametrize("body", ["", f'--8<-- "{SOURCE}:whole"\nb = 3\n', "b = 2\n",
                                  f'# --8<-- "{SOURCE}:whole"\n'])  # fmt: skip
def test_code_in_the_place_of_an_include_is_refused(find, body):
    problem = find(f'```py title="{SOURCE}"\n{body}```\n')[0]
    assert "1: 'py title=" in problem
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
        '<!--pytest.mark.skip(reason="later")-->',
        '<!--pytest.mark.skipif(True, reason="needs two GPUs")-->',
        '<!--- pytest.mark.xfail(reason="known", strict=False) -->',
        "<!--\npytest.mark.xfail\n-->",
        "<!-- tolerance: relative 0.05 -->",
        "<!-- figure-tolerance: 0.5 -->",
        "<!--tolerance: 5%-->",
        "<!-- image-tolerance: 5 -->",
    ],
)
def test_a_comment_that_weakens_the_tests_is_refused(find, comment):
    for page in (f"{comment}\n{CODE}{CODE}", f"{CODE}\n{comment}\n{CODE}"):
        assert find(page)


def test_an_expected_output_must_follow_a_block_that_runs(find):
    found = find(f"{CODE}\n{INCLUDE}\n{OUTPUT}")
    assert found[0].startswith("9: this comment belongs to no block")
    assert found[1].startswith("11: this looks like an output and is not compared")


def test_a_misspelled_tolerance_is_refused(find):
    text = f"{CODE}\n<!-- tolerance: 5% -->\n{OUTPUT}"
    assert any("5: this comment belongs to no block" in one for one in find(text))


@pytest.mark.parametrize(
    "page",
    [
        f"{CODE}\n```text\n1\n```\n",
        f"{CODE}\nIt prints:\n\n```text\n1\n```\n",
        f'{CODE}\n```text title="It prints"\n1\n```\n',
        f"{CODE}\n<!-- no -->\n\n```console\n1\n```\n",
        f'{CODE}\n{OUTPUT}\n```text title="And"\n2\n```\n',
        f'{CODE}\n{EXPECTED}\n\n```text title="It prints"\n1\n```\n',
    ],
)
def test_what_looks_like_an_output_is_compared(find, page):
    assert any("this looks like an output and is not compared" in problem for problem in find(page))


@pytest.mark.parametrize(
    ("stated", "printed", "rule"),
    [
        ("absolute 1000", "0.5", "relative 0.1 or absolute 0.2"),
        ("absolute 1000", "5000.5", "relative 0.1 or absolute 0.2"),
        ("absolute 0.21", "0.5", "relative 0.1 or absolute 0.2"),
        ("relative 0.11", "0.5", "relative 0.1 or absolute 0.2"),
        ("absolute 0.1", "0.05 0.09", "absolute 0.09"),
        ("absolute 0.1", "7", "absolute 0.0"),
    ],
)
def test_a_tolerance_leaves_something_to_compare(only, stated, printed, rule):
    page = f"{CODE}\n<!-- tolerance: {stated} -->\n{OUTPUT}".replace("\n1\n", f"\n{printed}\n")
    assert only(page).startswith("5: a tolerance must be at most")
    assert rule in only(page)


def test_the_widest_tolerances_are_accepted(find):
    tolerances = (
        f"<!-- tolerance: relative 0.1 -->\n<!-- tolerance: absolute {MAX_ABSOLUTE_TOLERANCE} -->"
    )
    output = OUTPUT.replace("\n1\n", "\n0.5\n")
    assert find(f"{CODE}\n{tolerances}\n{output}") == []


def test_a_figure_tolerance_has_a_limit(find):
    page = f"{CODE}\n<!-- figure-tolerance: {{:g}} -->\n![Two rising lines](figures/page-a.png)\n"
    assert find(page.format(MAX_FIGURE_TOLERANCE)) == []
    assert find(page.format(MAX_FIGURE_TOLERANCE + 0.5)) == [
        f"6: the figure-tolerance of figures/page-a.png must be at most {MAX_FIGURE_TOLERANCE:g}, "
        f"got {MAX_FIGURE_TOLERANCE + 0.5:g}"
    ]


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("![](figures/page-a.png)", "must have an alt text that says what to see, got ''"),
        ("![.](figures/page-a.png)", "must have an alt text that says what to see, got '.'"),
        ("![image](figures/page-a.png)", "must have an alt text"),
        ("![A cat](figures/page-a.png)", "must have an alt text"),
        ("![Figure 1 of 2](figures/page-a.png)", "must have an alt text"),
        ("![The file page-a.png](figures/page-a.png)", "must have an alt text"),
        ("![A rising line](figures/other-a.png)", "must start with figures/page-"),
        ("![A rising line](figures/pages-a.png)", "must start with figures/page-"),
        ("![A rising line](figures/page-a/../../img/b.png)", "must start with figures/page-"),
        ('<img alt="A line" src="figures/page-a.png">', "must be linked as an image"),
        ("![A rising line](figures/page-a.png)\n<img src='figures/page-a.png'>", "as an image"),
        ("![A\nline](figures/page-a.png)", "must be written on one line"),
        ("![A rising line][line]\n\n[line]: page-a.png", "must be written on one line"),
        ("![A rising line](page-a.png)", "must be written on one line"),
        ("![A rising line](img/page-a.svg)", "must be shown as an image"),
        ("![A rising line](https://example.org/a.jpg)", "must be shown as an image"),
        ("![A rising line](data:image/png;base64,iVBOR)", "must be shown as an image"),
        ("[A rising line](page-a.avif)", "must be shown as an image"),
        ("![A rising line](figures/page-a.png)\n![A rising line](figures/page-a.png)",
         "must be linked once, got several links"),
    ],
)  # fmt: skip
def test_an_image_link_is_complete(find, link, message):
    assert any(message in one for one in find(f"{CODE}\n{link}\n"))


def test_a_picture_of_a_stored_result_needs_no_block(find, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "ssd.json").touch()
    picture = "![Three falling curves](../results/{})\n"
    assert find(picture.format("ssd-curves.png")) == []
    for name in ("fake.png", "ssd.png", "yolo-curves.png", "ssd-a.svg", "ssd-a/fake.png"):
        assert "a picture must be" in find(picture.format(name))[0]


def test_a_figure_before_all_blocks_is_refused(find):
    found = find(f"![A rising line](figures/page-a.png)\n\n{CODE}")
    assert "1: a figure must be linked as an image after its block" in found


def test_a_picture_that_no_page_shows_is_refused(find, tmp_path):
    for name in ("page-a.png", "page-a.dark.png", "page-old.png", "page-old.dark.png", "a.svg"):
        (tmp_path / "docs" / "figures").mkdir(exist_ok=True)
        (tmp_path / "docs" / "figures" / name).touch()
    for name in ("photo.jpg", "other.md", "data.json", "robots.txt", "old.markdown", "a.html"):
        (tmp_path / "docs" / name).touch()
    assert find(f"{CODE}\n![A rising line](figures/page-a.png)\n") == [
        "1: a.html is linked by no page",
        "1: figures/a.svg is linked by no page",
        "1: figures/page-old.dark.png is linked by no page",
        "1: figures/page-old.png is linked by no page",
        "1: old.markdown is linked by no page",
        "1: photo.jpg is linked by no page",
    ]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from torchvision.models.detection._utils import BoxCoder", "_utils"),
        ("from notes.detection.nms import _FEW", "_FEW"),
        ("import torch._dynamo", "_dynamo"),
        ("module._BLOCK = 64", "_BLOCK"),
        ("print(self.net._modules)", "_modules"),
        ("getattr(module, '_FEW')", "_FEW"),
        ("importlib.import_module('torch._dynamo')", "_dynamo"),
        ("import torch\nfrom torch import _C as C", "_C"),
    ],
)
def test_a_private_name_is_refused(only, code, name):
    rule = f"a page must not need what is private, got {name}"
    assert only(f"Text.\n\n```python\n{code}\n```\n") == f"3: {rule}"


def test_names_that_only_look_private_are_not(find):
    code = (
        "batch._asdict()\nself._own = x.__dict__\n_, _x = 1, 2\nfrom __future__ import annotations"
    )
    assert find(f"```python\n{code}\ngetattr(*x)\n```\n") == []


def test_blocks_that_do_not_run_must_be_valid_python(find):
    assert find(CODE, runs=False) == []
    assert find("text\n\n```python\nx = 1\nx = = 1\n```\n", runs=False) == [
        "5: not valid Python: invalid syntax"
    ]


def test_blocks_that_run_speak_for_themselves(find):
    assert find("```python\nx = = 1\n```\n") == []
