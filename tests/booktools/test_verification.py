import re

import pytest

from booktools.blocks import read_blocks
from booktools.verification import BlockError, Page, verify

DRAW = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
LINK = "![Two points](figures/page-a.png)\n"


def with_output(code, output="1\n", before=""):
    expected = "<!--pytest-codeblocks:expected-output-->"
    return f"```python\n{code}\n```\n\n{before}{expected}\n\n```text\n{output}```\n"


@pytest.fixture
def check(sandbox, tmp_path):
    """Write a page and verify its first block."""
    runs = iter("abcdef")

    def check(text, update=False):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        folder = tmp_path / next(runs)
        folder.mkdir()
        page = Page(path, "docs/page.md")
        return verify(read_blocks(text)[0], page, sandbox, folder, update)

    return check


def test_a_block_whose_output_is_on_the_page_passes(check):
    assert check(with_output("print(1)")) == "1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nprint(1)\n```\n", "docs/page.md:1: this block prints, but the page shows no"),
        (with_output("1"), "docs/page.md:1: the page shows an output, but this block is silent"),
        (with_output("1", ""), "docs/page.md:1: the page shows an output, but this block is"),
        (with_output("print(2)"), "docs/page.md:7: line 1 differs in its words or integers"),
        (with_output("1 / 0"), 'File "docs/page.md", line 2'),
        (f"```python\n{DRAW}```\n", "this block leaves 1 open figures, but the page links 0"),
        (f"```python\n1\n```\n{LINK}", "this block leaves 0 open figures, but the page links 1"),
        (f"```python\n{DRAW}```\n{LINK}", "docs/page.md:5: page-a.png is missing, run pytest"),
        (
            "```python\nimport socket\ntry:\n    socket.getaddrinfo('example.org', 80)\n"
            "except OSError:\n    pass\n```\n",
            "line 4: a page must run without network, but this block tried to reach example.org",
        ),
    ],
)
def test_a_block_that_the_page_does_not_show_fails(check, text, message):
    with pytest.raises(BlockError, match=re.escape(message)):
        check(text)


def test_a_block_states_its_own_tolerance(check):
    code, before = "print(0.55)", "<!-- tolerance: absolute 0.05 -->\n"
    assert check(with_output(code, "0.50\n", before))
    with pytest.raises(BlockError, match=r"line 1 has 0.55 instead of 0.50"):
        check(with_output(code, "0.50\n"))


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import torch\nprint(torch.rand(1))", id="number"),
        pytest.param("import torch\nprint(torch.randint(2, (1,)).item())", id="coin"),
        pytest.param("import random\nprint(random.randint(0, 1))", id="coin of python"),
        pytest.param("import numpy as np\nprint(np.random.randint(2))", id="coin of numpy"),
        pytest.param("import torch\nprint(torch.rand(1)); torch.manual_seed(0)", id="too late"),
        pytest.param(
            "import torch, matplotlib.pyplot as plt\nplt.plot(torch.rand(3))", id="figure"
        ),
    ],
)
def test_what_depends_on_a_hidden_seed_fails_always(check, code, update):
    with pytest.raises(BlockError, match="depends on a seed that the reader cannot see"):
        check(with_output(code), update)


def test_a_block_may_draw_numbers_of_which_it_shows_only_the_shape(check):
    assert check(with_output("import torch\nprint(len(torch.rand(1)))")) == "1\n"


def test_the_order_of_a_set_differs_between_refreshing_and_checking(tmp_path):
    from booktools.sandbox import Job
    from booktools.verification import start_sandbox

    assert start_sandbox(update=True).hash_seed != start_sandbox(update=False).hash_seed
    assert Job.__dataclass_params__.frozen


def test_figures_are_written_and_then_agree(check, tmp_path):
    text = f"```python\n{DRAW}```\n{LINK}"
    check(text, update=True)
    files = sorted((tmp_path / "figures").iterdir())
    assert [path.name for path in files] == ["page-a.dark.png", "page-a.png"]
    written = [path.stat().st_mtime_ns for path in files]
    check(text, update=True)
    assert [path.stat().st_mtime_ns for path in files] == written
    check(text)
    with pytest.raises(BlockError, match=r"page-a.png differs by \d+\.\d levels"):
        check(text.replace("[1, 2]", "[2, 1]"))
    check(text.replace("[1, 2]", "[2, 1]").replace("![", "<!-- figure-tolerance: 99 -->\n!["))
