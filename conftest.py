"""The root conftest: pytest takes command-line options from plugins named here."""

import os
import random
import sys

import pytest

pytest_plugins = ["booktools.doctests.plugin"]
os.environ.setdefault("OMP_NUM_THREADS", "1")  # for tests and doctests, as for blocks


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Seed the generators for a doctest: it starts from `torch.manual_seed(0)`."""
    if isinstance(item, pytest.DoctestItem):
        random.seed(0)
        if torch := sys.modules.get("torch"):
            torch.manual_seed(0)
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed(0)
