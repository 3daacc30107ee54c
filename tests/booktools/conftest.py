"""Shared by the tests of the doc-test engine, because importing torch takes seconds."""

import contextlib
import itertools
import textwrap

import pytest

from booktools.doctests.sandbox import Sandbox
from booktools.doctests.worker import Job


@pytest.fixture(scope="session")
def sandbox():
    with contextlib.closing(Sandbox(hash_seed=1)) as running:
        yield running


@pytest.fixture(scope="session")
def run_code(sandbox, tmp_path_factory):
    """Run some code as the block of line 10 of docs/page.md."""
    seeds = itertools.count(11)

    def run(code, **options):
        options = {"seed": next(seeds)} | options
        folder = str(tmp_path_factory.mktemp("job"))
        return sandbox.run(Job(textwrap.dedent(code), 10, "docs/page.md", folder, **options))

    return run
