import json
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "docs" / "results"


@pytest.fixture(scope="session")
def stored():
    """Gives a stored result by its name."""
    return lambda name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
