"""Build the book with the sample page in it, in strict mode.

Usage: `python tests/site/build_site.py FOLDER [--properdocs]`.
The site is then in `FOLDER/www/pytorch-notes`.
A process of its own: the builders warn and log in ways that a test run would not stand.
"""

import logging
import shutil
import sys
from pathlib import Path

if "--properdocs" in sys.argv:
    import properdocs.replacement  # noqa: F401  (from here on, `mkdocs` is ProperDocs)

from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"


def main(folder: Path) -> None:
    logging.basicConfig(level=logging.WARNING)
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs)
    shutil.copytree(PAGES, docs, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))
    book = str(ROOT / "mkdocs.yml")
    config = load_config(
        book,
        docs_dir=str(docs),
        site_dir=str(folder / "www" / "pytorch-notes"),
        nav=[*load_config(book).nav, {"Sample": "sample.md"}],
        strict=True,
    )
    # Its cache removes what other builds of the same checkout have put there.
    config.plugins["mkdocs-jupyter"].config["cache_dir"] = str(folder / "cache")
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"].append(str(PAGES))
    config.plugins.on_startup(command="build", dirty=False)
    build(config)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
