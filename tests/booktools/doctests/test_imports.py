import re
import tomllib
from pathlib import Path

import pytest

from booktools.doctests.imports import PACKAGES

ROOT = Path(__file__).resolve().parents[3]
MODULES = {"scikit-learn": "sklearn"}
FOREIGN = "docs/page.md:{}: a page must import the package and what it needs, got {}"
BARE = "docs/page.md:{}: a page must import what it uses, got no import of {}"


def test_the_packages_are_those_that_the_package_declares_and_pillow():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.match(r"[\w-]+", text)[0] for text in project["dependencies"]]
    assert {MODULES.get(name, name) for name in names} | {"PIL"} == set(PACKAGES)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("import pytest", FOREIGN.format(11, "pytest"), id="tests"),
        pytest.param("import math, mkdocs", FOREIGN.format(11, "mkdocs"), id="site"),
        pytest.param(
            "\nfrom booktools.pages import fences", FOREIGN.format(12, "booktools"), id="us"
        ),
        pytest.param("def f():\n    import pandas", FOREIGN.format(12, "pandas"), id="inside"),
        pytest.param(
            "import importlib\nimportlib.import_module('scipy.stats')",
            FOREIGN.format(12, "scipy"),
            id="by name",
        ),
        pytest.param(
            "import matplotlib\nprint(matplotlib.figure.Figure)",
            BARE.format(12, "matplotlib.figure"),
            id="matplotlib",
        ),
        pytest.param(
            "import importlib\nimportlib.util.find_spec('x')",
            BARE.format(12, "importlib.util"),
            id="importlib",
        ),
        pytest.param("import PIL as p\np.Image", BARE.format(12, "PIL.Image"), id="other name"),
        pytest.param(
            "import math, concurrent\nconcurrent.futures",
            BARE.format(12, "concurrent.futures"),
            id="concurrent",
        ),
        pytest.param(
            "import torch, matplotlib\nmatplotlib.pyplot",
            BARE.format(12, "matplotlib.pyplot"),
            id="pyplot",
        ),
    ],
)
def test_a_module_that_only_the_sandbox_has_is_noticed(run_code, code, message):
    assert message in run_code(code).failure


@pytest.mark.parametrize(
    "code",
    [
        "import torch\nprint(torch.nn.functional.relu, torch.utils.data.DataLoader, torch.onnx)",
        "import matplotlib\nimport matplotlib.pyplot as plt\nprint(matplotlib.figure.Figure)",
        "import sklearn, numpy, torchvision\nprint(sklearn.svm, numpy.random, torchvision.ops)",
        "import concurrent.futures, os\nprint(concurrent.futures.Future, os.path)",
        "import matplotlib\nimport notes.figures.style\nprint(matplotlib.figure)",
        "from tqdm import tqdm\nfrom PIL import Image\nprint(tqdm, Image)",
    ],
)
def test_what_a_reader_has_is_there(run_code, code):
    outcome = run_code(code)
    assert (outcome.failure, bool(outcome.printed)) == ("", True)
