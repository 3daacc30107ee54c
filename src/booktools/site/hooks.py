"""The hooks of the site: they connect MkDocs (or ProperDocs) with modules that need neither."""

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

# MkDocs loads this file by its path, and restores sys.path afterwards.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.utils import get_relative_url
from mkdocs.utils.meta import get_data

from booktools.site.book_map import CHAPTERS, MAP, Chapter, chapter, draw_map, list_chapters
from booktools.site.downloads import Site, find_references, is_chapter, write_notebook, write_script
from booktools.site.images import dress_images
from booktools.site.mathml import MathCache, find_formulas, insert_mathml
from booktools.site.notebook_page import read_facts, tidy_notebook_page
from booktools.site.outputs import label_outputs
from booktools.site.page_facts import facts, first_title, read_checked, report_link
from booktools.site.preview import find_anchors, is_outdated
from booktools.site.search import boost_of, without_listings

ROOT = Path(__file__).resolve().parents[3]
MATH = MathCache(ROOT / ".cache" / "mathml.json")
CHECKED = read_checked(ROOT / "docs" / "results" / "checked.json")
DOWNLOADS = '<p class="downloads" data-search-exclude>Download: {links}</p>'
DOWNLOAD = '<a href="{name}" download>{label}</a>'
LABELS = {".ipynb": "notebook", ".py": "Python file"}


def on_files(files: Any, config: Any) -> Any:
    """See changes of what a page includes or documents, not only of its own source."""
    for file in files.documentation_pages():
        if file.src_uri.endswith(".md") and is_outdated(
            Path(file.abs_src_path), Path(file.abs_dest_path), ROOT
        ):
            file.is_modified = lambda: True
    return files


def on_nav(nav: Any, config: Any, files: Any) -> Any:
    """Read the titles of the pages that a preview does not render again."""
    for page in nav.pages:
        if not page.file.is_modified():
            page.read_source(config)
    return nav


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Remember the source of a chapter for its downloads, then label the outputs."""
    if page.file.src_uri.endswith(".ipynb"):
        page.notebook_facts = read_facts(markdown)
        page.meta["description"] = page.notebook_facts.description
        return markdown
    if is_chapter(page.file.src_uri, markdown):
        page.chapter = markdown
    if MAP in markdown:
        drawn = draw_map(
            page.meta["parts"],
            lambda overview: _chapters(overview, page, files),
            Path(config.docs_dir) / "assets" / "parts",
        )
        markdown = markdown.replace(MAP, drawn)
    if CHAPTERS in markdown:
        listed = list_chapters(_chapters(page.file.src_uri, page, files)[1:])
        markdown = markdown.replace(CHAPTERS, listed)
    return label_outputs(markdown)


def _chapters(overview: str, seen_from: Any, files: Any) -> list[Chapter]:
    """The pages of a part in reading order, its overview first."""
    part = files.get_file_from_path(overview).page.parent
    return [
        chapter(
            page.file.src_uri,
            _title(page),
            _source(page)[1].get("description", ""),
            get_relative_url(page.url, seen_from.url),
            _source(page)[0],
            CHECKED,
        )
        for page in part.children
    ]


def _source(page: Any) -> tuple[str, dict[str, Any]]:
    """Text and front matter of a page, whether it has its turn already or not."""
    text, meta = get_data(Path(page.file.abs_src_path).read_text(encoding="utf-8"))
    return text, dict(meta)


def _title(page: Any) -> str:
    return str(page.meta.get("title") or first_title(_source(page)[0]) or page.title)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Dress the figures; offer the downloads under the title."""
    if page.file.src_uri.endswith(".ipynb"):
        return _offer(tidy_notebook_page(html, page.notebook_facts), page, ".ipynb")
    if hasattr(page, "chapter"):
        html = _offer(html, page, ".ipynb", ".py")
        needs = [
            (_title(one.page), get_relative_url(one.page.url, page.url))
            for one in map(files.get_file_from_path, page.meta.get("needs", []))
        ]
        line = facts(page.file.src_uri, page.chapter, CHECKED, needs)
        html = html.replace("</h1>", "</h1>\n" + line, 1)
        html += report_link(page.file.src_uri, page.title)

    def find(source: str) -> Path | None:
        path = posixpath.normpath(posixpath.join(page.url, source))
        file = files.get_file_from_path(path) if source.endswith(".png") else None
        return Path(file.abs_src_path) if file else None

    return dress_images(html, find)


def on_env(env: Any, config: Any, files: Any) -> Any:
    """Translate the formulas of all pages at once: they are all rendered now."""
    published = [file.page for file in files.documentation_pages() if file.page]
    pages = [page for page in published if page.content]
    for page in published:
        if page.content is None:
            html = Path(page.file.abs_dest_path).read_text(encoding="utf-8")
            for anchor in find_anchors(html):
                config.plugins["autorefs"].register_anchor(page, anchor)
    formulas = [find_formulas(page.content) for page in pages]
    try:
        MATH.translate(formula for found in formulas for formula in found)
    except ValueError:
        for page, found in zip(pages, formulas, strict=True):
            try:
                MATH.translate(found)
            except ValueError as error:
                raise PluginError(f"{page.file.src_uri}: {error}") from None
        raise
    return env


@event_priority(100)
def _hide_listings(context: Any, page: Any, config: Any, nav: Any) -> Any:
    """Show the search a page without its listings."""
    page.whole, page.content = page.content, without_listings(page.content)
    if boost := boost_of(page.file.src_uri):
        page.meta.setdefault("search", {"boost": boost})
    return context


@event_priority(-100)
def _show_listings(context: Any, page: Any, config: Any, nav: Any) -> Any:
    page.content = re.sub(r"\s?data-search-\w+=\"[^\"]+\"", "", page.whole)
    return context


on_page_context = CombinedEvent(_hide_listings, _show_listings)


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Put the formulas in, now that the search has read their TeX; write a chapter's downloads."""
    if hasattr(page, "chapter"):
        docs = Path(config.docs_dir)
        site = Site(config.site_url, docs, ROOT, find_references(docs))
        folder, stem = Path(page.file.abs_dest_path).parent, Path(page.file.src_uri).stem
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, write in ((".ipynb", write_notebook), (".py", write_script)):
            text = write(site, page.file.src_uri, page.chapter)
            (folder / (stem + suffix)).write_text(text, encoding="utf-8")
    return insert_mathml(output, MATH.translate(find_formulas(output)))


def _offer(html: str, page: Any, *suffixes: str) -> str:
    """Put links to the downloads under the title."""
    stem = Path(page.file.src_uri).stem
    links = " ".join(
        DOWNLOAD.format(name=stem + suffix, label=LABELS[suffix]) for suffix in suffixes
    )
    return html.replace("</h1>", "</h1>\n" + DOWNLOADS.format(links=links), 1)
