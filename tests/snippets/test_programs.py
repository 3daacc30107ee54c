"""A program is for readers: it runs alone, in an empty folder, and needs the package only."""

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(path.stem for path in (ROOT / "snippets").glob("*.py"))
NEEDS = {"notes", "torch", "torchvision", "matplotlib"}
WRITES = {
    "compare_detectors": ("detectors", {"detectors.json"}),
    "compare_networks": ("networks", {"networks.json"}),
    "train_ssd": ("ssd", {"ssd.json", "ssd-paper-0.pt", "ssd-paper-0.png"}),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def quick(request, tmp_path_factory):
    """A program, what its quick run has printed, and the folder in which it ran alone."""
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    shutil.copy(ROOT / "snippets" / f"{name}.py", folder)
    around = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    warnings = request.config.getoption("pythonwarnings") or ["error"]
    done = subprocess.run(
        [sys.executable, "-W", warnings[-1], f"{name}.py", "--quick"],
        cwd=folder,
        env=around | {"PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "Agg"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / f"{name}.py").unlink()
    return name, done.stdout, folder


def form(value):
    """The names in a result, without numbers and words."""
    if isinstance(value, dict):
        nested = any(isinstance(one, dict | list) for one in value.values())
        return {name: form(one) for name, one in value.items()} if nested else "values"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [form(value[0])]
    return "value"


def test_it_writes_its_result_into_the_folder_and_nothing_else(quick):
    name, printed, folder = quick
    if name in WRITES:
        result, files = WRITES[name]
        assert {path.name for path in folder.iterdir()} == files
        assert printed.splitlines()[-1] == f"written: {folder / f'{result}.json'}"
    else:
        assert list(folder.iterdir()) == []


def test_it_prints_no_table_for_a_page(quick):
    assert "|" not in quick[1]


def test_the_stored_result_has_the_form_that_the_program_writes(quick, stored):
    name, _, folder = quick
    if name in WRITES:
        result, _ = WRITES[name]
        written = json.loads((folder / f"{result}.json").read_text(encoding="utf-8"))
        kept = stored(result)
        for added in ("float32", "other_losses"):  # of trainings that a quick run leaves out
            kept.pop(added, None)
            written.pop(added, None)
        assert form(kept) == form(written)
        assert written["command"] == f"python {name}.py --quick"


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_needs_the_package_its_libraries_and_nothing_else(name):
    tree = ast.parse((ROOT / "snippets" / f"{name}.py").read_text(encoding="utf-8"))
    imported = {
        module.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else [x.name for x in node.names]
        )
    }
    assert imported - set(sys.stdlib_module_names) <= NEEDS


@pytest.mark.parametrize("name", WRITES)
def test_its_help_says_how_long_it_takes_and_where_the_result_goes(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(name).main()
    shown = capsys.readouterr().out
    assert f"python {name}.py --quick seconds" in " ".join(shown.split())
    assert "--folder FOLDER" in shown
    assert f"It writes {WRITES[name][0]}.json" in shown
