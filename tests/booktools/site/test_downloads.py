import json
import struct

import nbformat
import pytest

from booktools.site.downloads import (
    Site,
    expand_includes,
    find_references,
    is_chapter,
    page_cells,
    write_notebook,
    write_script,
)

URL = "https://example.org/book/"
OUTPUT = "<!--pytest-codeblocks:expected-output-->\n\n```text\n3\n```\n"
BLOCK = "```python\nprint(3)\n```\n"


@pytest.fixture
def site(tmp_path):
    """A small project: one figure, one source file, one page of the reference."""
    figure = tmp_path / "docs/networks/figures/loss.png"
    figure.parent.mkdir(parents=True)
    figure.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 6, 4))
    source = "# --8<-- [start:add]\ndef add():\n    ...\n\n\n# --8<-- [end:add]\n"
    (tmp_path / "add.py").write_text(source, encoding="utf-8")
    return Site(URL, tmp_path / "docs", tmp_path, {"notes.checks": "reference/checks.md"})


def cells(site, markdown):
    return [(cell.kind, cell.text) for cell in page_cells(site, "networks/lenet.md", markdown)]


def prose(site, markdown):
    (cell,) = page_cells(site, "networks/lenet.md", markdown)
    assert cell.kind == "markdown"
    return cell.text


def indent(text):
    return "".join(f"    {line}\n" if line else "\n" for line in text.split("\n"))


def test_page_becomes_prose_and_code_in_order(site):
    assert cells(site, f"# LeNet\n\nRun it:\n\n{BLOCK}\nDone.\n") == [
        ("markdown", "# LeNet\n\nRun it:"),
        ("code", "print(3)"),
        ("markdown", "Done."),
    ]


def test_output_hangs_on_its_cell_and_not_in_the_prose(site):
    found = page_cells(site, "networks/lenet.md", f"{BLOCK}\n{OUTPUT}\nDone.\n")
    assert [(cell.text, cell.output) for cell in found] == [("print(3)", "3\n"), ("Done.", "")]


def test_code_and_output_within_a_box_lose_nothing(site):
    inside = indent(f"They said 4.\n\n{BLOCK}\n{OUTPUT}\nIt is 3.\n")
    page = f'!!! failure "In the notes"\n\n{inside}\nAfter.\n'
    found = page_cells(site, "networks/lenet.md", page)
    assert [(cell.text, cell.output) for cell in found] == [
        ("> **In the notes**\n>\n> They said 4.", ""),
        ("print(3)", "3\n"),
        ("> It is 3.\n\nAfter.", ""),
    ]


def test_folded_solution_runs(site):
    page = f'??? success "Solution"\n\n{indent(BLOCK)}'
    assert cells(site, page) == [("markdown", "> **Solution**"), ("code", "print(3)")]


def test_tabs_become_bold_lines(site):
    page = '=== "By hand"\n\n    One.\n\n=== "With torch"\n\n    Two.\n'
    assert prose(site, page) == "**By hand**\n\nOne.\n\n**With torch**\n\nTwo."


def test_box_without_a_title_is_called_by_its_kind(site):
    assert prose(site, "!!! note\n\n    Mind it.\n") == "> **Note**\n>\n> Mind it."


def test_code_in_a_list_runs_and_the_text_after_it_stays_text(site):
    page = f"1. First:\n\n{indent(BLOCK)}\n    then this.\n\n2. Second.\n"
    assert cells(site, page) == [
        ("markdown", "1. First:"),
        ("code", "print(3)"),
        ("markdown", "then this.\n\n2. Second."),
    ]


def test_include_is_expanded_and_stays_prose(site):
    page = '```py title="add.py"\n--8<-- "add.py:add"\n```\n'
    assert prose(site, page) == "`add.py`\n\n```py\ndef add():\n    ...\n```"


def test_include_that_does_not_exist_is_refused(site):
    with pytest.raises(Exception, match=r"Snippet at path 'gone\.py' could not be found"):
        expand_includes('--8<-- "gone.py"\n', site.root)


def test_front_matter_and_comments_are_dropped(site):
    page = "---\ndescription: x\n---\n\nOne.\n\n<!-- a\ncomment -->\n\nTwo.<!-- another -->\n"
    assert prose(site, page) == "One.\n\nTwo."


def test_comment_within_code_stays(site):
    assert prose(site, "```html\n<!-- kept -->\n```\n") == "```html\n<!-- kept -->\n```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](../data/digits.md#size)", f"[a]({URL}data/digits/#size)"),
        ("[a](#pitfalls)", f"[a]({URL}networks/lenet/#pitfalls)"),
        ("[a](../index.md)", f"[a]({URL})"),
        ("[a](https://pytorch.org/docs)", "[a](https://pytorch.org/docs)"),
        (
            "[`c`][notes.checks.check_shape]",
            f"[`c`]({URL}reference/checks/#notes.checks.check_shape)",
        ),
        ("[notes.gone][]", f"[notes.gone]({URL}reference/)"),
        ("`blocks[0](x)` and $f[0](x)$", "`blocks[0](x)` and $f[0](x)$"),
        ("[a](https://x.org){ .md-button }", "[a](https://x.org)"),
        ("$\\frac{a}{b}$ and `{ .x }`", "$\\frac{a}{b}$ and `{ .x }`"),
    ],
)
def test_links_lead_to_the_site_and_code_stays_as_it_is(text, expected, site):
    assert prose(site, text) == expected


def test_annotation_keeps_its_number(site):
    page = "```python\nx = 1  # (1)!\n```\n\n1. The first.\n"
    assert cells(site, page) == [("code", "x = 1  # (1)"), ("markdown", "1. The first.")]


def test_default_dtype_of_a_block_ends_with_it(site):
    page = "```python\nimport torch\n\ntorch.set_default_dtype(torch.float64)\n```\n"
    ((_, code),) = cells(site, page)
    assert code.split("\n")[-1].startswith("torch.set_default_dtype(torch.float32)  #")


def test_figure_below_a_block_becomes_what_the_cell_displays(site):
    page = f"{BLOCK}\n{OUTPUT}\n![A falling\ncurve](figures/loss.png)\n\nDone.\n"
    notebook = json.loads(write_notebook(site, "networks/lenet.md", page))
    code, after = notebook["cells"][1:]
    assert [output["output_type"] for output in code["outputs"]] == ["stream", "display_data"]
    assert code["outputs"][1]["data"]["image/png"].startswith("iVBOR")
    assert code["outputs"][1]["data"]["text/plain"] == ["A falling curve"]
    assert after["source"] == ["Done."]


def test_figure_within_prose_is_attached(site):
    page = "Look: ![A falling curve](figures/loss.png)\n"
    cell = json.loads(write_notebook(site, "networks/lenet.md", page))["cells"][1]
    assert cell["source"] == ["Look: ![A falling curve](attachment:loss.png)"]
    assert list(cell["attachments"]) == ["loss.png"]


def test_notebook_is_valid_and_the_same_at_every_build(site):
    page = f"# LeNet\n\n{BLOCK}\n{OUTPUT}\n![A curve](figures/loss.png)\n"
    text = write_notebook(site, "networks/lenet.md", page)
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert write_notebook(site, "networks/lenet.md", page) == text
    assert [cell["id"] for cell in json.loads(text)["cells"]] == ["cell-0", "cell-1", "cell-2"]


def test_first_cell_says_how_to_install_the_package_and_runs_without_a_network(site):
    first = json.loads(write_notebook(site, "networks/lenet.md", BLOCK))["cells"][0]
    source = "".join(first["source"])
    assert f"{URL}networks/lenet/" in source
    assert '%pip install "pytorch-notes @ git+https://' in source
    assert all(line.startswith("#") for line in source.split("\n"))


def test_script_holds_prose_as_comments_and_the_code_as_it_is(site):
    text = write_script(site, "networks/lenet.md", f"# LeNet\n\nRun it.\n\n{BLOCK}\n{OUTPUT}")
    assert "# %% [markdown]\n# # LeNet\n#\n# Run it.\n\n# %%\nprint(3)\n" in text
    compile(text, "lenet.py", "exec")


def test_script_that_draws_shows_its_figures_at_the_end(site):
    page = "```python\nimport matplotlib.pyplot as plt\n\nplt.plot([1, 2])\n```\n"
    assert write_script(site, "networks/lenet.md", page).endswith("\nplt.show()\n")
    assert "plt.show" not in write_script(site, "networks/lenet.md", BLOCK)


@pytest.mark.parametrize(
    ("page", "markdown", "expected"),
    [
        ("networks/lenet.md", BLOCK, True),
        ("networks/lenet.md", indent(BLOCK), True),
        ("networks/lenet.md", "```py\nprint(3)\n```\n", False),
        ("reference/checks.md", BLOCK, False),
        ("index.md", BLOCK, False),
    ],
)
def test_chapter_is_a_page_with_code_to_run(page, markdown, expected):
    assert is_chapter(page, markdown) is expected


def test_references_are_found_in_the_pages_of_the_reference(tmp_path):
    (tmp_path / "reference").mkdir()
    page = "# Checks\n\n::: notes.checks\n    options:\n      members: []\n"
    (tmp_path / "reference/checks.md").write_text(page, encoding="utf-8")
    assert find_references(tmp_path) == {"notes.checks": "reference/checks.md"}
