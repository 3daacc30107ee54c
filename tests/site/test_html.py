"""The HTML of every page is whole, and every link leads somewhere."""

import re
from pathlib import Path

import pytest
from markdown import Markdown

from booktools.pages.headings import find_anchors
from booktools.site.markup import Markup, broken_links, broken_sources, ragged_tables

ROOT = Path(__file__).resolve().parents[2]
BASE = "https://pytorch-notes.github.io/pytorch-notes/"
REPOSITORY = "https://github.com/pytorch-notes/pytorch-notes"
SOURCES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the book, by its path within the site."""
    paths = [*sorted(site.rglob("index.html")), site / "404.html"]
    names = [f"{path.parent.relative_to(site).as_posix()}/" for path in paths[:-1]] + ["404.html"]
    return {name: Markup(path.read_text("utf-8")) for name, path in zip(names, paths, strict=True)}


def test_every_page_is_whole(pages):
    assert {path: page.problems for path, page in pages.items() if page.problems} == {}


def test_every_link_leads_somewhere(pages, site):
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert broken_links(pages, files, BASE) == []
    book = {path: page for path, page in pages.items() if path != "sample/"}
    assert broken_sources(book, ROOT, REPOSITORY) == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_for_contributors_leads_somewhere(pages, name):
    text = (ROOT / name).read_text(encoding="utf-8")
    page = Markup(Markdown(extensions=["fenced_code", "tables"]).convert(text))
    local = [link for _, link in page.links if not re.match(r"https?:|#", link)]
    assert [link for link in local if not (ROOT / link).exists()] == []
    assert broken_sources({name: page}, ROOT, REPOSITORY) == []
    page.links = [(line, link) for line, link in page.links if link.startswith(BASE)]
    assert broken_links({name: page, **pages}, set(), BASE)[: len(page.links)] == []


def test_headings_are_called_as_the_scanner_says(pages):
    for source in (ROOT / "docs").rglob("*.md"):
        text = source.read_text(encoding="utf-8")
        path = source.relative_to(ROOT / "docs").with_suffix("").as_posix()
        built = pages[f"{path}/".removesuffix("index/") or "./"].headings
        own = find_anchors(text)
        documented = "\n::: " in text  # then the names of the package stand between
        assert [name for name in built if name in own or not documented] == own, path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_table_is_ragged(path):
    assert ragged_tables(path.read_text(encoding="utf-8")) == []
