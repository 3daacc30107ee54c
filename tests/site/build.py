"""Build the site into a folder, with the sample page or without."""

import shutil
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"


def build_with_sample(folder: Path) -> Path:
    """Build the book with one page more, in strict mode; return the folder of the site."""
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs)
    shutil.copytree(PAGES, docs, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))
    settings = load_config(str(ROOT / "mkdocs.yml"))
    target = folder / "www" / "pytorch-notes"
    config = load_config(
        str(ROOT / "mkdocs.yml"),
        docs_dir=str(docs),
        site_dir=str(target),
        nav=[*settings.nav, {"Sample": "sample.md"}],
        strict=True,
    )
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    config.plugins.on_shutdown()
    return target
