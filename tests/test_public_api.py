"""Every public name has a docstring, an entry in the reference and a page that explains it."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from booktools.pages.headings import find_anchors

ROOT = Path(__file__).parents[1]
MODULES = [p for p in sorted(ROOT.glob("src/notes/**/*.py")) if p.name != "__init__.py"]
TOOLS = [p for p in sorted(ROOT.glob("src/booktools/**/*.py")) if not p.name.startswith("__")]
PUBLIC = [p for p in MODULES if not p.name.startswith("_")]  # the others are for their folder alone


def module_name(path):
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)


def public_definitions(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


NAMES = [
    pytest.param(node, id=f"{module_name(path)}.{node.name}")
    for path in PUBLIC
    for node in public_definitions(path)
]


@pytest.fixture(scope="module")
def headings():
    """On how many pages the anchor of a heading stands."""
    pages = (path.read_text(encoding="utf-8") for path in ROOT.glob("docs/**/*.md"))
    return Counter(anchor for page in pages for anchor in set(find_anchors(page)))


@pytest.mark.parametrize("node", NAMES)
def test_every_public_name_is_explained(node, headings):
    docstring = ast.get_docstring(node) or ""
    assert docstring, "has no docstring"
    link = re.search(r"Explained in:\s+\[[^]]+\]\[([\w-]+)\]", docstring)
    assert link, "has no line `Explained in: [Page][anchor]`"
    assert headings[link[1]] == 1, f"{headings[link[1]]} pages have the heading {link[1]}"


@pytest.mark.parametrize("path", PUBLIC, ids=module_name)
def test_every_public_module_has_its_entry_in_the_reference(path):
    pages = [p.read_text(encoding="utf-8") for p in ROOT.glob("docs/reference/*.md")]
    entry = re.compile(rf"^::: {re.escape(module_name(path))}$", re.M)
    assert sum(len(entry.findall(page)) for page in pages) == 1


@pytest.mark.parametrize("path", [*MODULES, *TOOLS], ids=module_name)
def test_every_module_has_its_test_file(path):
    package = ROOT / "src" / "notes" if path in MODULES else ROOT / "src"
    place = path.relative_to(package)
    assert (ROOT / "tests" / place.parent / f"test_{place.stem.lstrip('_')}.py").exists()


@pytest.mark.parametrize("path", [*MODULES, *TOOLS], ids=module_name)
def test_every_example_runs_and_nothing_that_looks_like_one_does_not(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    texts = [ast.get_docstring(n) or "" for n in ast.walk(tree) if isinstance(n, documented)]
    for text in texts:
        assert "doctest:" not in text, "no example is skipped or compared in another way"
        fences = [line for line in text.split("\n") if line.lstrip().startswith(("```", "~~~"))]
        assert not fences, "an example is written with >>>, so that it runs"
    assert "__test__" not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_name_has_a_second_address(path):
    source = ast.parse(path.read_text(encoding="utf-8"))
    assert not [
        n for n in ast.walk(source) if isinstance(n, ast.Assign) and "__all__" in ast.dump(n)
    ]
    package = path.parent / "__init__.py"
    body = ast.parse(package.read_text(encoding="utf-8")).body
    assert not [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
