"""What `mkdocs serve --dirty` forgets: it renders only pages whose own source has changed.

A page also depends on the files it includes or documents, and on the settings and templates of
the site. And the pages that are not rendered again still need their titles and anchors.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from booktools.site.downloads import IDENTIFIER

INCLUDE = re.compile(r'--8<-- "(?P<path>[^":]+)')
ANCHOR = re.compile(r'<(?:a|h[1-6])\b[^>]*? id="(?P<name>[^"]+)"')


def is_outdated(page: Path, published: Path, root: Path) -> bool:
    """Whether a published page is older than anything it was made from.

    Args:
        page: The Markdown source.
        published: The HTML file; it may not exist yet.
        root: The folder of the project.
    """
    if not published.exists():
        return True
    made = published.stat().st_mtime
    return any(path.stat().st_mtime > made for path in dependencies(page, root))


def dependencies(page: Path, root: Path) -> Iterator[Path]:
    """Yield the files that a page is made from and that exist."""
    yield page
    yield root / "mkdocs.yml"
    yield from (root / "theme").rglob("*.html")
    text = page.read_text(encoding="utf-8")
    for include in INCLUDE.finditer(text):
        yield from _existing(root / include["path"])
    for documented in IDENTIFIER.finditer(text):
        module = root / "src" / Path(*documented["name"].split("."))
        # The name may be a function: then its module is one level up.
        for path in (module, module.parent, module.parent.parent):
            yield from _existing(path.with_suffix(".py"))
        yield from _existing(module / "__init__.py")


def find_anchors(page: str) -> list[str]:
    """List what links may lead to within a page's HTML.

    Examples:
        >>> find_anchors('<h2 id="shapes">Shapes</h2><a href="#shapes">up</a>')
        ['shapes']
    """
    return [match["name"] for match in ANCHOR.finditer(page)]


def _existing(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
