import re
from pathlib import Path

import nbformat
import pytest

from booktools.site.run_notebook import execute

ROOT = Path(__file__).resolve().parents[3]
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.fixture(scope="module")
def pair():
    """The committed notebook, and the same one executed now."""
    script = (ROOT / "snippets/first_notebook.py").read_text(encoding="utf-8")
    committed = nbformat.read(ROOT / "docs/examples/first-notebook.ipynb", as_version=4)
    return committed, execute(script, ROOT / "snippets")


def printed(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def test_committed_notebook_is_the_script_of_today(pair):
    committed, fresh = pair
    assert [(cell.id, cell.source) for cell in committed.cells] == [
        (cell.id, cell.source) for cell in fresh.cells
    ]
    assert committed.metadata == fresh.metadata


def test_notebook_prints_the_same_numbers_again(pair):
    committed, fresh = map(printed, pair)
    assert NUMBER.sub("#", fresh) == NUMBER.sub("#", committed)
    old, new = ([float(number) for number in NUMBER.findall(text)] for text in (committed, fresh))
    assert new == pytest.approx(old, abs=0.011)
    assert len(new) == 12


def test_notebook_draws_its_figure_again(pair):
    kinds = [
        [
            sorted(output.get("data", {}))
            for cell in notebook.cells
            for output in cell.get("outputs", [])
        ]
        for notebook in pair
    ]
    assert kinds[0] == kinds[1] == [[], ["image/png"]]


def test_figure_without_alt_text_is_refused(tmp_path):
    script = "# %%\nimport matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.gcf();\n"
    with pytest.raises(ValueError, match=r'code cell 1 must have alt="\.\.\." in its head'):
        execute(script, tmp_path)
