import struct

import pytest

from booktools.site.downloads import Site


@pytest.fixture
def site(tmp_path):
    """A small project: one figure, one source file, one page of the reference."""
    figure = tmp_path / "docs/networks/figures/loss.png"
    figure.parent.mkdir(parents=True)
    figure.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 6, 4))
    source = "# --8<-- [start:add]\ndef add():\n    ...\n\n\n# --8<-- [end:add]\n"
    (tmp_path / "add.py").write_text(source, encoding="utf-8")
    return Site(
        "https://example.org/book/",
        tmp_path / "docs",
        tmp_path,
        {"notes.checks": "reference/checks.md"},
    )
