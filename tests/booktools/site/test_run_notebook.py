"""Every notebook of the site is what its script gives today: text, numbers, pictures."""

import base64
import copy
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from booktools.doctests.figures import distance
from booktools.pages.blocks import DEFAULT_FIGURE_TOLERANCE
from booktools.pages.comparison import Tolerance, difference
from booktools.site.run_notebook import execute

ROOT = Path(__file__).resolve().parents[3]
EXACT = Tolerance()  # but for one unit of the last digit
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))


def script_of(notebook):
    return ROOT / "snippets" / f"{notebook.stem.replace('-', '_')}.py"


def outline(notebook):
    """Everything but the printed texts and the pictures."""
    rest = copy.deepcopy(notebook)
    for _, output in outputs(rest):
        output.pop("text", None)
        for kind in {"text/plain", "image/png"} & set(output.get("data", {})):
            output.data[kind] = ""
    return rest


def outputs(notebook):
    return [(cell.id, one) for cell in notebook.cells for one in cell.get("outputs", [])]


def problems(committed, fresh, folder):
    """Say how a notebook differs from the one its script gives."""
    if outline(committed) != outline(fresh):
        return ["cells, alt texts or kinds of output differ"]
    found = []
    for (name, old), (_, new) in zip(outputs(committed), outputs(fresh), strict=True):
        texts = [one.get("text", one.get("data", {}).get("text/plain", "")) for one in (old, new)]
        found += [f"{name}: {reason}" for reason in [difference(*texts, EXACT)] if reason]
        if "image/png" in old.get("data", {}):
            paths = [folder / "old.png", folder / "new.png"]
            for path, one in zip(paths, (old, new), strict=True):
                path.write_bytes(base64.b64decode(one.data["image/png"]))
            if distance(*paths) > DEFAULT_FIGURE_TOLERANCE:
                found.append(f"{name}: the picture differs")
    return found


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def pair(request):
    """A committed notebook, and the same one executed now."""
    script = script_of(request.param)
    fresh = execute(script.read_text(encoding="utf-8"), script.parent)
    return nbformat.read(request.param, as_version=4), fresh


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_has_its_script(notebook):
    assert script_of(notebook).is_file(), f"{notebook.name} must come from {script_of(notebook)}"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_alt_text_says_what_to_see(notebook):
    pictures = [one for _, one in outputs(nbformat.read(notebook, 4)) if "data" in one]
    assert all(len(one.metadata["image/png"]["alt"].split()) > 3 for one in pictures)


def test_every_notebook_is_what_its_script_gives(pair, tmp_path):
    assert problems(*pair, tmp_path) == []


def off_by_a_hundredth(notebook):
    output = next(one for _, one in outputs(notebook) if "text" in one)
    output.text = output.text.replace("4.700", "4.710")


def another_word(notebook):
    output = next(one for _, one in outputs(notebook) if "text" in one)
    output.text = output.text.replace("loss", "error")


def another_alt(notebook):
    picture(notebook).metadata["image/png"]["alt"] = "A cat"


def another_picture(notebook):
    path = ROOT / "docs" / "assets" / "readme.png"
    picture(notebook).data["image/png"] = base64.b64encode(path.read_bytes()).decode()


def another_mark_in_the_picture(notebook, folder):
    path = folder / "drawn.png"
    path.write_bytes(base64.b64decode(picture(notebook).data["image/png"]))
    pixels = np.array(Image.open(path).convert("RGBA"))
    pixels[100:180, 200:280] = (255, 0, 0, 255)
    Image.fromarray(pixels).save(path)
    picture(notebook).data["image/png"] = base64.b64encode(path.read_bytes()).decode()


def another_cell(notebook):
    notebook.cells[1].source += "\nprint(1)"


def one_cell_more(notebook):
    notebook.cells.append(nbformat.v4.new_markdown_cell("More.", id="cell-9"))


def no_output(notebook):
    next(cell for cell in notebook.cells if cell.get("outputs")).outputs.clear()


def an_error_beside(notebook):
    notebook.cells[1].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="x"))


def another_description(notebook):
    notebook.metadata["description"] = "A cat, and nothing else."


def picture(notebook):
    return next(one for _, one in outputs(notebook) if "image/png" in one.get("data", {}))


@pytest.mark.parametrize(
    "change",
    [
        off_by_a_hundredth,
        another_word,
        another_alt,
        another_picture,
        another_mark_in_the_picture,
        another_cell,
        one_cell_more,
        no_output,
        an_error_beside,
        another_description,
    ],
)
def test_a_change_by_hand_is_noticed(change, tmp_path):
    right = nbformat.read(ROOT / "docs/examples/first-notebook.ipynb", as_version=4)
    wrong = copy.deepcopy(right)
    change(*[wrong, tmp_path][: change.__code__.co_argcount])
    assert wrong != right
    assert problems(right, right, tmp_path) == []
    assert problems(wrong, right, tmp_path) != []


def test_figure_without_alt_text_is_refused(tmp_path):
    script = "# %%\nimport matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.gcf();\n"
    with pytest.raises(ValueError, match=r'code cell 1 must have alt="\.\.\." in its head'):
        execute(script, tmp_path)
