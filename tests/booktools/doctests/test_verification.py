import random
import re

import numpy as np
import pytest
import torch

from booktools.doctests.verification import (
    CHECK_SEED,
    NUM_OTHER_SEEDS,
    UPDATE_SEED,
    PageError,
    is_unruled,
    start_sandbox,
    verify,
)
from booktools.doctests.worker import Outcome
from booktools.pages.blocks import read_blocks

DRAW = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
LINK = "![Two points](figures/page-a.png)\n"


def with_output(code, output="1\n", before=""):
    expected = "<!--pytest-codeblocks:expected-output-->"
    return f"```python\n{code}\n```\n\n{before}{expected}\n\n```text\n{output}```\n"


@pytest.fixture
def check(sandbox, tmp_path):
    """Write a page and verify its first block."""
    runs = iter("abcdefgh")

    def check(text, update=False):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        folder = tmp_path / next(runs)
        folder.mkdir()
        return verify(read_blocks(text)[0], path, "docs/page.md", sandbox, folder, update)

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
        (with_output("print('so far')\n1 / 0"), "printed:\nso far\n"),
        (with_output("import sys\nsys.exit('stop')"), "SystemExit: stop"),
        (with_output("import sys\nprint('odd', file=sys.stderr)\n1 / 0"), "on stderr:\nodd\n"),
        (f"```python\n{DRAW}```\n", "this block leaves 1 open figures, but the page links 0"),
        (f"```python\n1\n```\n{LINK}", "this block leaves 0 open figures, but the page links 1"),
        (f"```python\n{DRAW}```\n{LINK}", "docs/page.md:5: page-a.png is missing or differs"),
        (
            "```python\nimport socket\ntry:\n    socket.getaddrinfo('example.org', 80)\n"
            "except OSError:\n    pass\n```\n",
            "line 4: a page must run without network, but this block tried to reach example.org",
        ),
    ],
)
def test_a_block_that_the_page_does_not_show_fails(check, text, message):
    with pytest.raises(PageError, match=re.escape(message)):
        check(text)


def test_a_block_states_its_own_tolerance(check):
    code, before = "print(0.55)", "<!-- tolerance: absolute 0.05 -->\n"
    assert check(with_output(code, "0.50\n", before))
    with pytest.raises(PageError, match=r"line 1 has 0.55 instead of 0.50"):
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
    with pytest.raises(PageError, match="depends on something that the reader cannot see"):
        check(with_output(code), update)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\nprint(torch.Generator().seed())",
        "import torch\ntorch.manual_seed(torch.initial_seed() + 1)",
        "import random\nprint(random.Random().random())",
        "import random\nprint(random.Random(None).random())",
        "import random\nrandom.seed()",
        "from random import SystemRandom",
        "import math, time",
        "from datetime import date",
        "import uuid",
        "import secrets",
        "import os\nos.urandom(3)",
        "print(hash('a'))",
        "print(id(print))",
        "print({'a', 'b'})",
        "print({word for word in 'ab'})",
        "print(set('ab'))",
        "print(frozenset('ab'))",
        "print({'a': 1}.keys() & {'b': 2})",
    ],
)
def test_code_that_asks_for_what_no_seed_rules_is_suspected(code):
    assert is_unruled(code)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ntorch.manual_seed(0)",
        "import random\nprint(random.Random(0).random())",
        "ax.set(title='once at a time')  # the first time",
        "print({'a': 1}.keys(), {})",
        "from timeit import main",
    ],
)
def test_other_code_is_not_suspected(code):
    assert not is_unruled(code)


def test_the_order_of_a_set_and_a_generator_without_a_seed_are_noticed(check):
    with pytest.raises(PageError, match="the order of a set"):
        check(with_output("print({'a', 'b', 'c', 'd'})"))
    with pytest.raises(PageError, match="depends on something that the reader cannot see"):
        check(with_output("import numpy as np\nprint(np.random.RandomState().randint(2))"))


def test_a_block_may_draw_numbers_of_which_it_shows_only_the_shape(check):
    assert check(with_output("import torch\nprint(len(torch.rand(1)))")) == "1\n"


TOSSES = {
    "torch": lambda: torch.randint(2, (1,)).item(),
    "torch, all at once": lambda: torch.randint(2, (64,)),
    "torch, uniform": lambda: torch.rand(64) > 0.5,
    "torch, normal": lambda: torch.randn(64) > 0,
    "python": lambda: random.randint(0, 1),
    "python, uniform": lambda: random.random() > 0.5,
    "numpy": lambda: np.random.randint(2),
    "numpy, uniform": lambda: np.random.rand() > 0.5,
}


def toss(seed, coin):
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    return np.concatenate([np.atleast_1d(coin()) for _ in range(64)])[:64].astype(int)


@pytest.mark.parametrize("coin", TOSSES.values(), ids=TOSSES)
@pytest.mark.parametrize("start", [CHECK_SEED, UPDATE_SEED])
def test_every_coin_shows_both_faces_among_the_seeds(start, coin):
    heads = sum(toss(start + k, coin) for k in range(1 + NUM_OTHER_SEEDS))
    assert heads.min() > 0
    assert heads.max() < 1 + NUM_OTHER_SEEDS


def test_refreshing_and_checking_have_different_seeds_and_orders_of_sets():
    assert abs(CHECK_SEED - UPDATE_SEED) > NUM_OTHER_SEEDS
    assert start_sandbox(update=True).hash_seed != start_sandbox(update=False).hash_seed


def test_figures_are_written_and_then_agree(check, tmp_path):
    text = f"```python\n{DRAW}```\n{LINK}"
    check(text, update=True)
    files = sorted((tmp_path / "figures").iterdir())
    assert [path.name for path in files] == ["page-a.dark.png", "page-a.png"]
    written = [path.stat().st_mtime_ns for path in files]
    check(text, update=True)
    assert [path.stat().st_mtime_ns for path in files] == written
    check(text)
    with pytest.raises(PageError, match=r"page-a.png is missing or differs by \d+\.\d levels"):
        check(text.replace("[1, 2]", "[2, 1]"))
    check(text.replace("[1, 2]", "[2, 1]").replace("![", "<!-- figure-tolerance: 199 -->\n!["))
    check(text.replace("[1, 2]", "[2, 1]"), update=True)
    check(text.replace("[1, 2]", "[2, 1]"))


class Replay:
    """Stands in for a sandbox: gives the outcomes it was told, the last one again and again."""

    def __init__(self, *outcomes):
        self.outcomes = outcomes
        self.seeds = []

    def run(self, job):
        self.seeds.append(job.seed)
        return self.outcomes[min(len(self.seeds), len(self.outcomes)) - 1]


def replay(folder, *outcomes, update=False):
    """The seeds with which a block is run that has these outcomes."""
    sandbox = Replay(*outcomes)
    text = with_output("1") if outcomes[0].printed else "```python\n1\n```\n"
    verify(read_blocks(text)[0], folder / "page.md", "page", sandbox, folder, update)
    return sandbox.seeds


@pytest.mark.parametrize(
    ("outcome", "num_runs"),
    [
        pytest.param(Outcome(printed="1\n", hidden=True), 1 + NUM_OTHER_SEEDS, id="shown"),
        pytest.param(Outcome(hidden=True), 1, id="not shown"),
        pytest.param(Outcome(printed="1\n"), 1, id="visible seed"),
    ],
)
def test_only_a_block_that_may_show_a_hidden_seed_runs_again(tmp_path, outcome, num_runs):
    assert len(replay(tmp_path, outcome)) == num_runs


def test_refreshing_starts_from_its_own_seed(tmp_path):
    assert replay(tmp_path, Outcome()) == [CHECK_SEED]
    assert replay(tmp_path, Outcome(), update=True) == [UPDATE_SEED]


def test_what_another_seed_shows_is_told(tmp_path):
    with pytest.raises(PageError, match="1\nor\n2\n"):
        replay(tmp_path, Outcome(printed="1\n", hidden=True), Outcome(printed="2\n"))
