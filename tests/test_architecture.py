"""The architecture as a table: a module imports only from rows above its own.

A folder stands in its parent's table under its own name, so `detection` may use any file of
`layers`. Inside a folder that has no table of its own, no file imports another one.
"""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "notes": ROOT / "src" / "notes",
    "booktools": ROOT / "src" / "booktools",
    "snippets": ROOT / "snippets",
    "benchmarks": ROOT / "tests" / "benchmarks",
}
PROGRAMS = {"snippets", "benchmarks"}  # their files import one another by the bare name

TABLES = {
    "benchmarks": [
        {"anchors_loop", "timing"},
        {"tables"},
        {
            "accelerator",
            "allocator",
            "augmentation",
            "detection_boxes",
            "detection_nms",
            "detection_targets",
            "loader",
            "precision",
            "training_loop",
        },
        {"detection_detect"},
        {"detection_steps"},
        {"run"},
        {"test_run"},
    ],
    "booktools": [
        {"pages"},
        {"doctests", "site"},
        {"results"},
    ],
    "booktools.doctests": [
        {"aftermath", "border", "figures", "imports", "randomness", "refresh"},
        {"guard", "recorder", "worker"},
        {"sandbox"},
        {"verification"},
        {"plugin"},
    ],
    "booktools.pages": [
        {"comparison", "fences", "rewrite"},
        {"blocks", "headings"},
    ],
    "booktools.results": [
        {"checks", "markdown"},
        {"detectors", "networks", "speed", "ssd", "ssd_figures"},
        {"render"},
        {"__main__"},
    ],
    "booktools.site": [
        {
            "cells",
            "images",
            "markup",
            "mathml",
            "notebook_page",
            "outputs",
            "page_facts",
            "run_notebook",
            "search",
            "social",
        },
        {"book_map", "downloads"},
        {"preview"},
        {"hooks"},
    ],
    "notes": [
        {"checks"},
        {"data", "init", "inspect", "layers", "losses", "metrics"},
        {"augmentation", "figures", "models", "training"},
        {"detection"},
    ],
    "notes.augmentation": [
        {"_draws", "one_by_one"},
        {
            "affine",
            "color",
            "crop",
            "cutmix",
            "erasing",
            "flip",
            "mixup",
            "normalize",
            "resized_crop",
        },
    ],
    "notes.data": [
        {"csv_table", "diabetes", "image_folder", "labeled_images", "splits", "tensor_loader"},
        {"digits", "torchvision_sets"},
    ],
    "notes.detection": [
        {"_shapes", "_unchecked", "anchors", "hits", "image_files", "label_files", "labels"},
        {
            "_batch_matching",
            "augmentation",
            "boxes",
            "coco_labels",
            "detections",
            "evaluation",
            "matching",
            "nms",
            "offsets",
            "overlap",
            "proposals",
            "roi",
            "scenes",
            "ssd",
            "ssd_loss",
            "voc_labels",
            "yolo_grid",
        },
        {"shapes_on_photos", "targets", "yolo"},
    ],
    "notes.figures": [
        {"history", "images", "style"},
        {"boxes", "iou_table", "network", "number_grid"},
    ],
    "notes.init": [
        {"by_type", "fans", "simple", "variances"},
        {"kaiming", "structured", "xavier"},
    ],
    "notes.layers": [
        {"batch_norm", "centered", "dropout", "linear", "windows"},
        {"convolution", "pooling"},
    ],
    "notes.losses": [
        {"_reduction"},
        {"binary", "classification", "divergence", "regression"},
    ],
    "notes.models": [
        {"char_rnn", "classifier", "lenet", "mlp"},
        {"alexnet", "cifar", "googlenet", "mnist", "nin", "resnet", "vgg"},
    ],
    "notes.training": [
        {"_checks", "_states", "atomic_write", "device"},
        {"_generators", "checkpoint", "loop"},
        {"_keeper", "progress"},
        {"fit"},
    ],
}
# What each part may import beside itself and the standard library.
NEEDS = {
    "notes": {"PIL", "cycler", "matplotlib", "numpy", "sklearn", "torch", "torchvision", "tqdm"},
    "booktools.pages": {"markdown"},
    "booktools.doctests": {
        "PIL",
        "matplotlib",
        "numpy",
        "notes",
        "pytest",
        "pytest_codeblocks",
        "torch",
    },
    "booktools.results": {"PIL", "matplotlib", "notes", "torch"},
    "booktools.site": {
        "PIL",
        "jupytext",
        "markdown",
        "matplotlib",
        "mkdocs",
        "nbclient",
        "nbformat",
        "numpy",
        "pypandoc",
    },
    "snippets": {"matplotlib", "notes", "torch", "torchvision"},
    "benchmarks": {
        "PIL",
        "ignite",
        "lightning",
        "notes",
        "numpy",
        "pytest",
        "torch",
        "torchvision",
    },
}


def file_of_each_module():
    files = {}
    for part, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            inner = path.relative_to(folder).with_suffix("").parts
            files[".".join((part, *inner)).removesuffix(".__init__")] = path
    return files


FILES = file_of_each_module()
MODULES = [name for name, path in FILES.items() if path.name != "__init__.py"]


def imported_names(module):
    """Everything that a module imports, as dotted names."""
    part = module.partition(".")[0]
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} must write imports in full, got a relative one"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            sibling = f"{part}.{name.partition('.')[0]}"
            yield f"{part}.{name}" if part in PROGRAMS and sibling in FILES else name


def module_of(name):
    """The module of the repository that holds a name, or None."""
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in FILES), None)


def row_of(folder, child, tables):
    rows = [number for number, row in enumerate(tables.get(folder, [])) if child in row]
    return rows[0] if rows else None


def broken_arrow(importer, imported, tables):
    """What is wrong with an import between two modules of one part, or None."""
    one, other = importer.split("."), imported.split(".")
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    if shared in (len(one), len(other)):  # a folder of its own that only groups
        return None
    folder = ".".join(one[:shared])
    below, above = (row_of(folder, name[shared], tables) for name in (one, other))
    if below is None or above is None:
        return f"the table of {folder} must have rows for {one[shared]} and {other[shared]}"
    if above >= below:
        return f"{importer} must import from rows above it, got {imported}"
    return None


def foreign_import(module, name, needs):
    """What is wrong with an import from outside the own part, or None."""
    room = next(room for room in needs if f"{module}.".startswith(f"{room}."))
    part, package = room.partition(".")[0], name.partition(".")[0]
    if package in {part, *sys.stdlib_module_names, *needs[room]}:
        return None
    return f"{module} must need no packages but {sorted(needs[room])}, got {package}"


def closed_door(importer, imported):
    """What is wrong with an import from a room for one folder alone, or None."""
    *folder, last = imported.split(".")
    if last.startswith("_") and importer.split(".")[: len(folder)] != folder:
        return f"{imported} must be imported inside {'.'.join(folder)} only, got {importer}"
    return None


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module):
    found = []
    for name in imported_names(module):
        target = module_of(name)
        if target and target != module:
            found.append(closed_door(module, target))
            if target.partition(".")[0] == module.partition(".")[0]:
                found.append(broken_arrow(module, target, TABLES))
    assert [problem for problem in found if problem] == []


@pytest.mark.parametrize("module", MODULES)
def test_each_part_needs_only_the_packages_it_says(module):
    found = [foreign_import(module, name, NEEDS) for name in imported_names(module)]
    assert [problem for problem in found if problem] == []


@pytest.mark.parametrize("folder", TABLES)
def test_every_room_has_one_place_in_its_table_and_every_place_a_room(folder):
    depth = folder.count(".") + 1
    rooms = {m.split(".")[depth] for m in MODULES if m.startswith(folder + ".")}
    placed = [room for row in TABLES[folder] for room in row]
    assert sorted(placed) == sorted(rooms)


SMALL = {"notes": [{"checks"}, {"models"}, {"training"}], "notes.models": [{"a"}, {"b"}]}


@pytest.mark.parametrize(
    ("importer", "imported", "problem"),
    [
        ("notes.models.b", "notes.checks", None),
        ("notes.models.b", "notes.models.a", None),
        ("notes.models.a", "notes.models.b", "must import from rows above it"),
        ("notes.models.a", "notes.training.loop", "must import from rows above it"),
        ("notes.training.fit", "notes.training.loop", "table of notes.training must have rows"),
        ("notes.new.file", "notes.models.a", "must have rows for new and models"),
    ],
)
def test_the_check_notices_an_arrow_that_points_the_wrong_way(importer, imported, problem):
    found = broken_arrow(importer, imported, SMALL)
    assert (problem in found) if problem else found is None


def test_the_check_notices_a_package_that_a_part_must_not_need():
    needs = {"notes": {"torch"}}
    assert foreign_import("notes.checks", "torch.nn", needs) is None
    assert foreign_import("notes.checks", "os.path", needs) is None
    assert "got booktools" in foreign_import("notes.checks", "booktools.pages", needs)


def test_the_check_notices_who_enters_a_room_that_is_for_one_folder_alone():
    assert closed_door("notes.data.csv", "notes.data._rows") is None
    assert "inside notes.data only" in closed_door("notes.models.b", "notes.data._rows")
