import pytest

from booktools.site.downloads import page_cells

URL = "https://example.org/book/"
OUTPUT = "<!--pytest-codeblocks:expected-output-->\n\n```text\n3\n```\n"
BLOCK = "```python\nprint(3)\n```\n"


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
