"""Runs of pytest over a small tree of pages: good ones, and traps that a careless engine misses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "src"
EXPECTED = "<!--pytest-codeblocks:expected-output-->\n\n```text\n{}\n```\n"
INI = f"""\
[pytest]
testpaths = docs README.md CONTRIBUTING.md
addopts = -p no:cacheprovider -p no:randomly
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


def printing(code, output, before=""):
    return f"```python\n{code}\n```\n\n{before}{EXPECTED.format(output)}"


# One page each, and what its failure says.
TRAPS = {
    "titled": (
        '```python title="a.py"\nprint(1)\n```\n',
        "1: 'python title=\"a.py\"' neither runs nor is an include",
    ),
    "space": ("``` python\nprint(1)\n```\n", "1: 'python' neither runs nor is an include"),
    "tildes": ("~~~python\nprint(1)\n~~~\n", "1: 'python' neither runs nor is an include"),
    "quoted": ("> ```python\n> print(1)\n> ```\n", "1: 'python' neither runs nor is an include"),
    "main": (
        '```python\nif __name__ == "__main__":\n    1 / 0\n```\n',
        'File "docs/main.md", line 3, in <module>\n    1 / 0',
    ),
    "tab": ('=== "A"\n\n    ```python\n    1 / 0\n    ```\n', 'File "docs/tab.md", line 4'),
    "list": ("1. One\n\n    ```python\n    1 / 0\n    ```\n", 'File "docs/list.md", line 4'),
    "nested": (
        "````markdown\n```python\n1 / 0\n```\n````\n\n```python\nprint(1)\n```\n",
        "7: this block prints, but the page shows no output",
    ),
    "titled-output": (
        '```python\nx = 1\n```\n\n```py title="a"\n1\n```\n\n' + EXPECTED.format(1),
        "9: this comment belongs to no block",
    ),
    "no-output": (
        "```python\nprint(1)\n```\n",
        "1: this block prints, but the page shows no output",
    ),
    "silent": (
        printing("x = 1", 1),
        "1: the page shows an output, but this block is silent",
    ),
    "shell": ("```sh\ntouch ran\n```\n", "1: 'sh' neither runs nor is an include"),
    "unclosed": ("```python\nprint(1)\n", "1: fence of line 1 must be closed"),
    "skip": (
        "<!--pytest-codeblocks:skip-->\n\n```python\n1 / 0\n```\n",
        "1: this comment belongs to no block",
    ),
    "mark": (
        '<!--pytest.mark.xfail(reason="later")-->\n\n```python\n1 / 0\n```\n',
        'File "docs/mark.md", line 4',
    ),
    "seed": (
        printing("import torch\nprint(torch.rand(1))", "tensor([0.5])"),
        "1: what this block shows depends on something that the reader cannot see",
    ),
    "missing-figure": (
        "```python\nx = 1\n```\n\n![A rising line](figures/missing-figure-a.png)\n",
        "1: this block leaves 0 open figures, but the page links 1",
    ),
    "extra-figure": (
        "```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n```\n",
        "1: this block leaves 1 open figures, but the page links 0",
    ),
    "empty-alt": (
        "```python\nx = 1\n```\n\n![](figures/empty-alt-a.png)\n",
        "5: figures/empty-alt-a.png must have an alt text",
    ),
    "network": (
        "```python\nimport socket\nsocket.getaddrinfo('example.org', 80)\n```\n",
        "line 3: a page must run without network, but this block tried to reach",
    ),
    "warning": (
        "```python\nimport torch\nones = torch.ones(3, 1), torch.ones(3)\n"
        "torch.nn.functional.mse_loss(*ones)\n```\n",
        "UserWarning: Using a target size (torch.Size([3]))",
    ),
    "one-percent": (printing("print(1 / 3 + 0.001)", "0.3333"), "line 1 has 0.3343333333333333"),
    "version": (printing("print('Python 3.12')", "Python 3.11"), "line 1 differs in its words"),
    "clock": (
        printing("import time\nprint(time.time())", "1700000000.5"),
        "1: what this block shows depends on something that the reader cannot see",
    ),
    "thread": (
        "```python\nimport threading\nthreading.Thread(target=lambda: 1 / 0).start()\n```\n",
        "standard error must hold no warning and no traceback",
    ),
    "order": (
        printing("import subprocess\nprint('a')\nsubprocess.run(['echo', 'b'])", "b\na"),
        "the page shows\nb\na\nbut the block of line 1 printed\na\nb\n",
    ),
    "library": ("```python\nimport pytest\n```\n", "got pytest"),
    "bare": ("```python\nimport matplotlib\nmatplotlib.figure\n```\n", "got no import of"),
    "left": (
        "```python\nopen('/tmp/left-by-a-block', 'w')\n```\n",
        "a page must keep to its own files, but this block tried",
    ),
    "package": (
        "```python\nimport notes\nopen(notes.__path__[0] + '/left.py', 'w')\n```\n",
        "a page must keep to its own files, but this block tried",
    ),
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
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
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
    write(root, {f"docs/{name}.md": text for name, (text, _) in TRAPS.items()})
    write(root, {"CONTRIBUTING.md": "```python\n1 / 0\n```\n\n```python\nx = = 1\n```\n"})
    return root


@pytest.fixture(scope="session")
def refreshed(tree):
    """The tree after `--update-outputs` on two workers, for the pages that can be refreshed."""
    output = pytest_in(tree, "-n", "2", "--update-outputs", "docs/good.md", "docs/silent.md")
    write(tree, {"docs/silent.md": TRAPS["silent"][0]})  # refreshing has removed the stale output
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
    assert "docs/seed.md:1: what this block shows depends on something" in output
    assert contents(tree / "docs") == before


@pytest.mark.parametrize(("name", "message"), [(name, TRAPS[name][1]) for name in TRAPS])
def test_a_trap_fails_with_page_and_line(checked, name, message):
    page = f"docs/{name}.md:" if re.match(r"\d+: ", message) else ""
    assert page + message in checked
    assert f"FAILED docs/{name}.md::" in checked


def test_no_trap_passes_and_the_good_page_does(checked):
    failed = set(re.findall(r"FAILED docs/(.*)\.md::", checked))
    assert failed == set(TRAPS)
    assert "INTERNALERROR" not in checked


def test_shell_fences_do_not_run(checked, refreshed):
    assert not list(refreshed[0].rglob("ran"))


def test_contributing_is_guarded_but_does_not_run(checked):
    assert "CONTRIBUTING.md:6: not valid Python" in checked
    assert "CONTRIBUTING.md::line" not in checked


FORGETFUL = """\
pytest_plugins = ["booktools.doctests.plugin"]
def pytest_collection_finish(session):
    (session.config.rootpath / "docs" / "once.md").unlink()
"""


def test_a_page_is_read_once_and_no_folder_is_passed_over(tmp_path):
    write(tmp_path, {"conftest.py": FORGETFUL, "pytest.ini": INI, "README.md": "# Title\n"})
    write(tmp_path, {"docs/build/page.md": "```python\n1 / 0\n```\n"})
    write(tmp_path, {"docs/once.md": "```python\nx = 1\n```\n"})
    output = pytest_in(tmp_path, "-rA", "-k", "line")
    assert "FAILED docs/build/page.md::line 1" in output
    assert "PASSED docs/once.md::line 1" in output
