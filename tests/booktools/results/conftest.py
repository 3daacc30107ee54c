import copy
import json
from functools import cache
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"


@cache
def read(name):
    return json.loads((DOCS / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def stored():
    """Gives a stored result by its name; it may be altered."""
    return lambda name: copy.deepcopy(read(name))


@pytest.fixture
def altered():
    """Gives a stored result in which one value, named by its path, is another one."""

    def alter(name, path, value):
        result = copy.deepcopy(read(name))
        *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
        place = result
        for key in way:
            place = place[key]
        assert place[last] != value
        place[last] = value
        return result

    return alter
