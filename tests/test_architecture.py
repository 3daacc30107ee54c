"""The layers of the package as a table: a module imports only from rows above its own."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

LAYERS = [
    {"notes.checks"},
    {"notes.data", "notes.init", "notes.inspect", "notes.layers", "notes.losses", "notes.metrics"},
    {"notes.augmentation", "notes.figures", "notes.models", "notes.training"},
    {"notes.detection"},
]
ROW = {room: row for row, rooms in enumerate(LAYERS) for room in rooms}


def room(module):
    return ".".join(module.split(".")[:2])


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full, not relative"
            yield node.module


def module_name(path):
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def problems(path):
    importer = room(module_name(path))
    for imported in imports(path):
        target = room(imported)
        if target.split(".")[0] == "booktools":
            yield f"{importer} must not need the site's tools, got {imported}"
        elif target.startswith("notes.") and target != importer and ROW[target] >= ROW[importer]:
            yield f"{importer} must import from rooms above it, got {imported}"


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(SOURCE.glob("notes/**/*.py")) if module_name(p) != "notes"],
    ids=module_name,
)
def test_imports_point_one_way(path):
    assert list(problems(path)) == []


def test_every_room_has_its_place_in_the_table_and_every_place_a_room():
    rooms = {room(module_name(p)) for p in SOURCE.glob("notes/**/*.py")} - {"notes"}
    assert rooms <= set(ROW)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("from notes.training.loop import fit", "must import from rooms above"),
        ("import notes.models.lenet", "must import from rooms above"),
        ("from booktools import fences", "must not need the site's tools"),
    ],
)
def test_the_check_notices_an_import_that_points_the_wrong_way(
    tmp_path, monkeypatch, line, problem
):
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    path = tmp_path / "notes" / "models" / "new.py"
    path.parent.mkdir(parents=True)
    path.write_text(line.replace("notes.models", "notes.figures.style"), encoding="utf-8")
    assert problem in next(problems(path))
