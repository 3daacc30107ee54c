"""In the sandbox, because watching replaces functions of torch, numpy and Python."""

import pytest

TORCH = "import torch\n"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(f"{TORCH}print(torch.rand(1))", id="torch"),
        pytest.param(f"{TORCH}torch.rand(1); torch.manual_seed(0)", id="a seed too late"),
        pytest.param(f"{TORCH}torch.manual_seed(0)\nimport random; random.random()", id="python"),
        pytest.param("import numpy as np\nnp.random.rand()", id="numpy"),
        pytest.param("import numpy as np\nnp.random.default_rng()", id="generator from nowhere"),
        pytest.param("import numpy as np\nnp.random.default_rng(None)", id="no seed by name"),
        pytest.param("import numpy as np\nnp.random.seed(None)", id="global seed from nowhere"),
        pytest.param("import numpy as np\nnp.random.RandomState()", id="old generator"),
        pytest.param("import numpy as np\nnp.random.Generator(np.random.PCG64())", id="bits"),
        pytest.param(f"{TORCH}with torch.random.fork_rng(): torch.rand(1)", id="fork_rng"),
        pytest.param(f"{TORCH}torch.nn.Linear(2, 2)", id="weights"),
    ],
)
def test_a_draw_without_a_visible_seed_is_noticed(run_code, code):
    assert run_code(code).hidden


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("print(1)", id="no draw"),
        pytest.param(f"{TORCH}torch.manual_seed(0)\ntorch.rand(1)", id="torch"),
        pytest.param("import random\nrandom.seed(1)\nrandom.random()", id="python"),
        pytest.param("import numpy as np\nnp.random.seed(1)\nnp.random.rand()", id="numpy"),
        pytest.param("import numpy as np\nnp.random.default_rng(0).random()", id="generator"),
        pytest.param(
            f"{TORCH}g = torch.Generator().manual_seed(0)\ntorch.rand(1, generator=g)",
            id="own generator",
        ),
        pytest.param(
            f"{TORCH}with torch.random.fork_rng():\n    torch.manual_seed(0)\n    torch.rand(1)",
            id="fork_rng",
        ),
    ],
)
def test_a_block_with_a_visible_seed_is_not_suspected(run_code, code):
    outcome = run_code(code)
    assert not outcome.failure
    assert not outcome.hidden
