"""Runs of pytest over a small tree of pages: good ones, and traps that a careless engine misses."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "src"
EXPECTED = "<!--pytest-codeblocks:expected-output-->\n\n```text\n{}\n```\n"
INI = f"""\
[pytest]
testpaths = docs README.md CONTRIBUTING.md
addopts = --codeblocks -p no:cacheprovider -p no:randomly
pythonpath = {SOURCE}
filterwarnings = error
"""
GOOD = """\
# Good

```python
import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
print(torch.rand(2))
```

!!! note

    ```python
    import matplotlib.pyplot as plt
    import torch

    plt.plot([1, 2, 4])
    plt.show()
    print(torch.get_default_dtype(), torch.get_num_threads())
    ```

    ![A rising line](figures/good-line.png)
"""
TRAPS = {
    "titled": '```python title="a.py"\nprint(1)\n```\n',
    "space": "``` python\nprint(1)\n```\n",
    "tildes": "~~~python\nprint(1)\n~~~\n",
    "quoted": "> ```python\n> print(1)\n> ```\n",
    "hidden": "<!--\n```python\nx = 1\n```\n-->\n",
    "main": '```python\nif __name__ == "__main__":\n    1 / 0\n```\n',
    "tab": '=== "A"\n\n    ```python\n    1 / 0\n    ```\n',
    "list": "1. One\n\n    ```python\n    1 / 0\n    ```\n",
    "nested": "````markdown\n```python\n1 / 0\n```\n````\n\n```python\nprint(1)\n```\n",
    "titled-output": '```python\nx = 1\n```\n\n```py title="a"\n1\n```\n\n' + EXPECTED.format(1),
    "no-output": "```python\nprint(1)\n```\n",
    "silent": "```python\nx = 1\n```\n\n" + EXPECTED.format(1),
    "shell": "```sh\ntouch ran\n```\n",
    "unclosed": "```python\nprint(1)\n",
    "skip": "<!--pytest-codeblocks:skip-->\n\n```python\n1 / 0\n```\n",
    "skipfile": "<!--pytest-codeblocks:skipfile-->\n\n```python\n1 / 0\n```\n",
    "seed": "```python\nimport torch\nprint(torch.rand(1))\n```\n\n"
    + EXPECTED.format("tensor([0.5])"),
    "missing-figure": "```python\nx = 1\n```\n\n![A line](figures/missing-figure-a.png)\n",
    "extra-figure": "```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n```\n",
    "empty-alt": "```python\nx = 1\n```\n\n![](figures/empty-alt-a.png)\n",
    "network": "```python\nimport socket\nsocket.getaddrinfo('example.org', 80)\n```\n",
    "warning": "```python\nimport warnings\nwarnings.warn('old', DeprecationWarning)\n```\n",
}


def write(root, pages):
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def contents(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def pytest_in(root, *options):
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    write(
        root, {"conftest.py": 'pytest_plugins = ["booktools.doctests.plugin"]\n', "pytest.ini": INI}
    )
    write(root, {"docs/good.md": GOOD})
    write(root, {f"docs/{name}.md": text for name, text in TRAPS.items()})
    write(root, {"CONTRIBUTING.md": "```python\n1 / 0\n```\n\n```python\nx = = 1\n```\n"})
    return root


@pytest.fixture(scope="session")
def refreshed(tree):
    """The tree after `--update-outputs` on two workers, for the pages that can be refreshed."""
    output = pytest_in(tree, "-n", "2", "--update-outputs", "docs/good.md", "docs/silent.md")
    write(tree, {"docs/silent.md": TRAPS["silent"]})  # refreshing has removed the stale output
    return tree, output


@pytest.fixture(scope="session")
def checked(refreshed):
    """What a run over everything says."""
    return pytest_in(refreshed[0], "-q")


def test_refreshing_on_two_workers_writes_outputs_and_figures(refreshed):
    tree, output = refreshed
    page = (tree / "docs" / "good.md").read_text(encoding="utf-8")
    assert "refreshed docs/good.md" in output
    assert "```text\ntensor([" in page
    assert "    ```text\n    torch.float32 1\n    ```\n" in page
    output_of_page = r"\n *<!--pytest-codeblocks:expected-output-->\n\n *```text\n.*?```\n"
    assert re.sub(output_of_page, "", page, flags=re.DOTALL) == GOOD
    assert (tree / "docs" / "figures" / "good-line.dark.png").exists()
    assert "refreshed docs/silent.md" in output


def test_refreshing_again_in_one_process_changes_nothing(refreshed):
    tree, _ = refreshed
    before = contents(tree / "docs")
    output = pytest_in(tree, "--update-outputs", "docs/good.md", "docs/seed.md")
    assert "refreshed" not in output
    assert "docs/seed.md:1: what this block shows depends on a seed" in output
    assert contents(tree / "docs") == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("titled", "1: 'python title=\"a.py\"' neither runs nor is an include"),
        ("space", "1: 'python' neither runs nor is an include"),
        ("tildes", "1: 'python' neither runs nor is an include"),
        ("quoted", "1: 'python' neither runs nor is an include"),
        ("hidden", "2: python runs, but is not visible on the page"),
        ("titled-output", "9: this comment belongs to no block"),
        ("no-output", "1: this block prints, but the page shows no output"),
        ("nested", "7: this block prints, but the page shows no output"),
        ("silent", "1: the page shows an output, but this block is silent"),
        ("shell", "1: 'sh' neither runs nor is an include"),
        ("unclosed", "1: fence of line 1 must be closed"),
        ("skip", "1: this comment belongs to no block"),
        ("skipfile", "1: this comment belongs to no block"),
        ("seed", "1: what this block shows depends on a seed"),
        ("missing-figure", "1: this block leaves 0 open figures, but the page links 1"),
        ("extra-figure", "1: this block leaves 1 open figures, but the page links 0"),
        ("empty-alt", "5: figures/empty-alt-a.png must have an alt text"),
    ],
)
def test_a_trap_fails_with_page_and_line(checked, name, message):
    assert f"docs/{name}.md:{message}" in checked


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("main", 'File "docs/main.md", line 3, in <module>\n    1 / 0'),
        ("tab", 'File "docs/tab.md", line 4, in <module>\n    1 / 0'),
        ("list", 'File "docs/list.md", line 4, in <module>\n    1 / 0'),
        ("network", "line 3: a page must run without network, but this block tried to reach"),
        ("warning", "DeprecationWarning: old"),
    ],
)
def test_a_block_that_fails_shows_the_lines_of_its_page(checked, name, message):
    assert message in checked
    assert f"FAILED docs/{name}.md::line" in checked


def test_no_trap_passes_and_the_good_page_does(checked):
    failed = set(re.findall(r"FAILED docs/(.*)\.md::", checked))
    assert failed == set(TRAPS)
    assert "INTERNALERROR" not in checked


def test_shell_fences_do_not_run(checked, refreshed):
    assert not list(refreshed[0].rglob("ran"))


def test_contributing_is_guarded_but_does_not_run(checked):
    assert "CONTRIBUTING.md:6: not valid Python" in checked
    assert "CONTRIBUTING.md::line" not in checked


def test_the_end_of_a_run_counts_blocks_and_names_the_slowest(checked):
    match = re.search(r"(\d+) blocks ran on (\d+) pages in \d+\.\d s; the slowest:", checked)
    assert match
    blocks = sum(text.count("```python\n") for text in TRAPS.values()) + GOOD.count("```python")
    not_running = 1 + 1 + 1 + 1 + 1 + 1  # quoted, hidden, nested, unclosed, skip and skipfile
    assert int(match[1]) == blocks - not_running
    assert len(re.findall(r"^ +\d+\.\d s  docs/", checked, re.MULTILINE)) == 5


@pytest.mark.parametrize("options", [(), ("-k", "nothing"), ("docs", "-n", "1")])
def test_a_page_that_pytest_does_not_collect_fails_the_run(tmp_path, tree, options):
    for name in ("conftest.py", "pytest.ini"):
        shutil.copyfile(tree / name, tmp_path / name)
    write(tmp_path, {"docs/build/page.md": "```python\n1 / 0\n```\n", "README.md": "# Title\n"})
    output = pytest_in(tmp_path, *options)
    assert "docs/build/page.md is on disk, but pytest did not collect it" in output
    assert "1 failed" in output
