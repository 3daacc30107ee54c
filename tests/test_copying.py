"""A copied file of the package needs at most two others, of which `checks.py` may be one."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
MOST = 2  # other files

# What needs more, and why.
NEEDS_MORE = {
    "notes.detection.targets": "both forms of the targets: matching and offsets, readable and fast",
    "notes.detection.yolo": "a whole detector: its network, its loss and its detections",
    "notes.detection.shapes_on_photos": "a whole data set: scenes, shapes, their boxes and labels",
    "notes.detection.augmentation": "moves boxes with their images, which needs the augmentation",
    "notes.training.progress": "to be moved",
    "notes.training.fit": "the whole training: the loop, its checks, its progress and checkpoints",
}


def module_name(path):
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


PATHS = {module_name(path): path for path in sorted(SOURCE.glob("notes/**/*.py"))}
PUBLIC = [name for name, path in PATHS.items() if not path.name.startswith("_")]


def imports(source):
    """The modules of the package that a source imports from."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name in PATHS and PATHS[name].name != "__init__.py"}


def others(module):
    """All files of the package that a copy of this one needs, those of its imports included."""
    found, left = set(), [module]
    while left:
        new = imports(PATHS[left.pop()].read_text(encoding="utf-8")) - found
        found |= new
        left += new
    return sorted(found - {module})


@pytest.mark.parametrize("module", PUBLIC)
def test_a_copied_file_needs_at_most_two_others(module):
    needed = others(module)
    if module in NEEDS_MORE:
        assert len(needed) > MOST, "needs no exception any more"
    else:
        assert len(needed) <= MOST, f"needs {', '.join(needed)}"


def test_every_exception_is_a_file():
    assert set(NEEDS_MORE) <= set(PUBLIC)


@pytest.mark.parametrize(
    "line",
    [
        "import notes.checks",
        "from notes.checks import check_shape",
        "from notes import checks",
        "def f():\n    from notes.checks import check_shape",
    ],
)
def test_every_kind_of_import_is_seen(line):
    assert imports(f"import torch\nimport notes.detection\n{line}\n") == {"notes.checks"}


def test_what_an_import_imports_is_counted_too():
    assert others("notes.detection.nms") == ["notes.checks", "notes.detection._unchecked"]
