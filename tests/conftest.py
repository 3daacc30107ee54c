import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair.
settings.register_profile("notes", deadline=None)
settings.load_profile("notes")


@pytest.fixture
def read_only_folder():
    """A folder that can be read but not written, also where the tests run as root."""
    is_root = os.geteuid() == 0
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        if is_root:
            os.seteuid(65534)  # the user called nobody
        yield Path(folder)
        if is_root:
            os.seteuid(0)
        os.chmod(folder, 0o700)
