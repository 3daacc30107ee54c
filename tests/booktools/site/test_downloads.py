import json
from pathlib import Path

import nbformat
import pytest

from booktools.pages.fences import scan
from booktools.site.downloads import (
    Site,
    expand_includes,
    find_references,
    is_chapter,
    write_notebook,
    write_script,
)

URL = "https://example.org/book/"
OUTPUT = "<!--pytest-codeblocks:expected-output-->\n\n```text\n3\n```\n"
BLOCK = "```python\nprint(3)\n```\n"
ROOT = Path(__file__).resolve().parents[3]
CHAPTERS = {
    path.relative_to(ROOT / "docs").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(ROOT.glob("docs/**/*.md"))
}


def test_include_that_does_not_exist_is_refused(site):
    with pytest.raises(Exception, match=r"Snippet at path 'gone\.py' could not be found"):
        expand_includes('--8<-- "gone.py"\n', site.root)


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
    assert "plt.show" in write_script(
        site,
        "networks/lenet.md",
        BLOCK.replace("print(3)", "from notes.figures.style import use_style"),
    )


def test_script_has_the_imports_from_the_future_at_its_top(site):
    one = '"""One."""\nfrom __future__ import annotations\n\na = """\nfrom __future__ x\n"""\n'
    two = "from __future__ import (\n    division,\n)\nfrom __future__ import annotations; b = 1\n"
    page = f"# LeNet\n\n```python\n{one}```\n\n```python\n{two}```\n"
    text = write_script(site, "networks/lenet.md", page)
    assert text.index("\nfrom __future__ import annotations\n") < text.index("# # LeNet")
    namespace = {}
    exec(compile(text, "lenet.py", "exec", dont_inherit=True), namespace)
    assert (namespace["a"], namespace["b"]) == ("\nfrom __future__ x\n", 1)


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_line_breaks_end_a_line_of_code(separator, site):
    page = f"# A{separator}B\n\n```python\na = 'x{separator}y'  # {separator}\n```\n"
    notebook = nbformat.reads(write_notebook(site, "networks/lenet.md", page), as_version=4)
    script = write_script(site, "networks/lenet.md", page)
    for code in (script, notebook.cells[2].source):
        namespace = {}
        exec(compile(code, "lenet.py", "exec"), namespace)
        assert namespace["a"] == f"x{separator}y"


@pytest.mark.parametrize("page", [page for page in CHAPTERS if is_chapter(page, CHAPTERS[page])])
def test_downloads_of_every_chapter_compile_and_hold_all_its_blocks(page):
    site = Site(URL, ROOT / "docs", ROOT, find_references(ROOT / "docs"))
    compile(write_script(site, page, CHAPTERS[page]), page, "exec", dont_inherit=True)
    notebook = nbformat.reads(write_notebook(site, page, CHAPTERS[page]), as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        compile(cell, page, "exec", dont_inherit=True)
    assert len(code) == 1 + sum(fence.runs for fence in scan(CHAPTERS[page]))


@pytest.mark.parametrize(
    ("page", "markdown", "expected"),
    [
        ("networks/lenet.md", BLOCK, True),
        ("networks/lenet.md", f"!!! note\n\n    {BLOCK}".replace("\n", "\n    "), True),
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
