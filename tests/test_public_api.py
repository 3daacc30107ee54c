"""Every public name has a docstring, an entry in the reference and a page that explains it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [p for p in sorted(ROOT.glob("src/notes/**/*.py")) if p.name != "__init__.py"]
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
    """Anchors of all pages, as Material makes them from the headings."""
    texts = [p.read_text(encoding="utf-8") for p in ROOT.glob("docs/**/*.md")]
    titles = [title for text in texts for title in re.findall(r"^#+ (.*)$", text, re.M)]
    return {re.sub(r"[^\w]+", "-", title.lower()).strip("-") for title in titles}


@pytest.mark.parametrize("node", NAMES)
def test_every_public_name_is_explained(node, headings):
    docstring = ast.get_docstring(node) or ""
    assert docstring, "has no docstring"
    link = re.search(r"Explained in:\s+\[[^]]+\]\[([\w-]+)\]", docstring)
    assert link, "has no line `Explained in: [Page][anchor]`"
    assert link[1] in headings, f"no page has the heading {link[1]}"


@pytest.mark.parametrize("path", PUBLIC, ids=module_name)
def test_every_public_module_has_its_entry_in_the_reference(path):
    pages = [p.read_text(encoding="utf-8") for p in ROOT.glob("docs/reference/*.md")]
    entry = re.compile(rf"^::: {re.escape(module_name(path))}$", re.M)
    assert sum(len(entry.findall(page)) for page in pages) == 1


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_every_module_has_its_test_file(path):
    parts = path.relative_to(ROOT / "src" / "notes").with_suffix("").parts
    assert (ROOT / "tests" / Path(*parts[:-1]) / f"test_{parts[-1].lstrip('_')}.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_name_has_a_second_address(path):
    source = ast.parse(path.read_text(encoding="utf-8"))
    assert not [
        n for n in ast.walk(source) if isinstance(n, ast.Assign) and "__all__" in ast.dump(n)
    ]
    package = path.parent / "__init__.py"
    body = ast.parse(package.read_text(encoding="utf-8")).body
    assert not [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
