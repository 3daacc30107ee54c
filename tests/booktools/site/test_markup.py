from pathlib import Path

import pytest
from markdown import Markdown
from mkdocs.config import load_config

from booktools.site.markup import Markup, broken_links, broken_sources, ragged_tables

ROOT = Path(__file__).resolve().parents[3]
BASE = "https://pytorch-notes.github.io/pytorch-notes/"
REPOSITORY = "https://github.com/pytorch-notes/pytorch-notes"


@pytest.fixture(scope="module")
def render():
    """Turns Markdown into a page, by the settings of the site."""
    config = load_config(str(ROOT / "mkdocs.yml"))
    extensions = [name for name in config.markdown_extensions if name != "pymdownx.snippets"]

    def render(text):
        return Markup(
            Markdown(extensions=extensions, extension_configs=config.mdx_configs).convert(text)
        )

    return render


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("A | B\n--|--\n1 | `a|b`\n\n[^1] and $5 \\$6$.\n\n[^1]: Note.", id="table"),
        pytest.param('!!! note "Mind"\n\n    ```python\n    a[1](2)["`"]\n    ```', id="box"),
        pytest.param('- One\n\n    ```text title="Two"\n    **two\n    ```', id="fence in a list"),
        pytest.param("It costs 5 or 6 dollars: `$5`. `[^2]` and `a ][ b`", id="quoted"),
    ],
)  # fmt: skip
def test_a_good_page_is_whole(render, text):
    assert render(f"# Title\n\n{text}\n").problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<div>\n\nText.", "<div> is never closed"),
        ("Some <b>bold.", "</p> closes <b>"),
        ("Some bold</b>.", "</b> closes <p>"),
        ("## One { #a }\n\n## Two { #a }", 'id="a" stands there twice'),
        ("# Two", "a page must have one h1, got 2"),
        ("A claim.[^nope]", "this is no Markdown: [^nope]"),
        ("A [link](page.md.", "this is no Markdown: ]("),
        ("$$\nx = 1\n\nText.", "this is no Markdown: $$"),
        ("| a | b |\n| 1 | 2 |", "this is no Markdown: | a | b |"),
        ("**Bold", "this is no Markdown: **B"),
        ("A `code span", "this is no Markdown: `"),
        ("=== Tab without quotes", "this is no Markdown: === "),
        ("Text.\n\n    x = 1\n    y = x + 1", "code must stand in a fence"),
        ("Text.\n\n    ```python\n    x = 1\n    ```", "code must stand in a fence"),
        ('<pre><code class="language-python">x = 1</code></pre>', "code must stand in a fence"),
    ],
)
def test_a_page_that_is_not_whole_is_noticed(render, text, problem):
    assert any(problem in one for one in render(f"# Title\n\n{text}\n").problems)


def test_links_to_nothing_are_noticed(render):
    links = ["../lenet/", "../lenet/#sizes", f"{BASE}lenet/", f"{BASE}lenet/#sizes", "a.png", ""]
    links += [f"{BASE}lenet", f"http://{BASE.removeprefix('https://')}lenet/"]
    wrong = [
        "gone/",
        "../lenet/#gone",
        f"{BASE}lenet/gone/",
        f"{BASE}lenet/#gone",
        "b.png",
        "#gone",
    ]
    other = ["https://pytorch.org/gone", f"{REPOSITORY}/issues", "mailto:a@b.c"]
    html = "".join(f'<a href="{link}"></a>' for link in [*links, *wrong, *other])
    pages = {"vgg/": Markup(html), "lenet/": render("# Title\n\n## Sizes")}
    found = broken_links(pages, {"vgg/a.png"}, BASE)
    assert [line.split(" ")[1] for line in found] == wrong


def test_links_to_files_that_the_repository_does_not_have_are_noticed():
    html = "".join(
        f'<a href="{REPOSITORY}/{path}"></a>'
        for path in (
            "blob/main/README.md#two-commands",
            "tree/main/src",
            "blob/main/gone.py",
            "issues",
        )
    )
    assert broken_sources({"vgg/": Markup(html)}, ROOT, REPOSITORY) == [
        f"vgg/:1: {REPOSITORY}/blob/main/gone.py leads to nothing"
    ]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (["| a | b |", "|---|--:|", "| 1 | `x|y` |", r"| \| | $|x|$ |", "", "no | table | x"], []),
        (["a | b", "--|--", "1 | 2"], []),
        (["| a | b |", "|---|---|", "| 1 | 2 | 3 |"], [3]),
        (["| a | b |", "|---|---|", "| 1 |", "| 1 | 2 |"], [3]),
        (["| a |", "|---|---|", "| 1 | 2 |"], [1]),
    ],
)  # fmt: skip
def test_a_row_with_another_number_of_cells_is_noticed(rows, lines):
    assert ragged_tables("\n".join(rows) + "\n") == lines
