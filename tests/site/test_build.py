"""What the built site consists of."""

import gzip
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
BASE = "https://pytorch-notes.github.io/pytorch-notes/"
DOCS = ROOT / "docs"
# The chapters whose Python file is executed here; the blocks of all run in the doc tests.
EXECUTED = ["sample", *(["networks/lenet"] if (DOCS / "networks" / "lenet.md").exists() else [])]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, str]:
    """The HTML of every page of the book, by its path within the site."""
    paths = sorted(site.rglob("index.html"))
    return {
        f"{path.parent.relative_to(site).as_posix()}/": path.read_text("utf-8") for path in paths
    }


def find_all(pattern: str, pages: dict[str, str]) -> dict[str, list[str]]:
    return {path: re.findall(pattern, html) for path, html in pages.items()}


def test_every_source_became_a_page(pages: dict[str, str]):
    sources = [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb"), DOCS / "sample.md"]
    names = {path.relative_to(DOCS).with_suffix("").as_posix() for path in sources}
    assert set(pages) == {re.sub(r"(^|/)index$", r"\1", name).rstrip("/") + "/" for name in names
                          if name != "index"} | {"./"}  # fmt: skip


def test_every_page_has_a_description_of_its_own(pages: dict[str, str]):
    found = find_all(r'<meta name="description" content="([^"]*)">', pages)
    assert all(len(texts) == 1 and 50 <= len(texts[0]) <= 170 for texts in found.values()), found
    assert len({texts[0] for texts in found.values()}) == len(pages)


def test_every_page_shows_our_picture_when_it_is_shared(pages: dict[str, str], site: Path):
    found = find_all(r'<meta property="og:image" content="([^"]*)">', pages)
    assert all(links == [f"{BASE}assets/social.png"] for links in found.values())
    header = (site / "assets" / "social.png").read_bytes()[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (1200, 630)


def test_every_page_has_our_favicon_and_logo(pages: dict[str, str], site: Path):
    for picture in ("favicon", "logo"):
        assert all(f"assets/{picture}.svg" in html for html in pages.values())
        assert (site / "assets" / f"{picture}.svg").read_text("utf-8").startswith("<svg ")


def test_sitemap_lists_every_page(pages: dict[str, str], site: Path):
    sitemap = ET.parse(site / "sitemap.xml")
    listed = {
        node.text for node in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    }
    assert listed == {BASE + path.removeprefix("./") for path in pages}


def test_robots_may_read_everything_and_find_the_sitemap(site: Path):
    robots = (site / "robots.txt").read_text("utf-8")
    assert "Disallow" not in robots
    assert f"Sitemap: {BASE}sitemap.xml" in robots


def test_no_page_loads_anything_from_another_host(pages: dict[str, str]):
    loads = r'<(?:script|img|iframe|source|video)[^>]+src="(?:https?:)?//[^"]*"'
    styles = (
        r'<link[^>]+rel="(?:stylesheet|preconnect|preload|icon)"[^>]+href="(?:https?:)?//[^"]*"'
    )
    assert set().union(*find_all(f"{loads}|{styles}|cdnjs|unpkg|jsdelivr", pages).values()) == set()


def test_every_formula_became_mathml(pages: dict[str, str]):
    assert (
        pages["sample/"].count("<math ") == 9
    )  # 5 in prose, 1 each in a box and a table, 2 in a docstring
    assert [path for path, html in pages.items() if "arithmatex" in html] == []


def test_page_stays_under_200_kilobytes(pages: dict[str, str], site: Path):
    for path, html in pages.items():
        if "examples/" in path:
            continue
        links = re.findall(r'<link rel="stylesheet" href="([^"]*)"|<script src="([^"]*)"', html)
        files = [site / path / (style or script) for style, script in links]
        assert len(files) >= 4
        weight = len(gzip.compress(html.encode()))
        weight += sum(len(gzip.compress(file.read_bytes())) for file in files)
        assert weight < 200_000, f"{path}: {weight} bytes"


def test_notebook_page_stays_under_150_kilobytes(pages: dict[str, str]):
    page = pages["examples/first-notebook/"]
    assert len(page.encode()) < 150_000
    assert "jp-" in page
    assert "<style" not in page


def test_notebook_page_describes_its_figures(pages: dict[str, str]):
    page = pages["examples/first-notebook/"]
    assert "No description" not in page
    assert 'alt="Contours of the loss' in page


def test_output_says_how_closely_it_is_checked(pages: dict[str, str]):
    assert "Output · checked to ±0.01" in pages["sample/"]


def test_title_of_included_source_is_shown(pages: dict[str, str]):
    assert '<span class="filename">tests/site/pages/included.py</span>' in pages["sample/"]


def test_every_chapter_offers_a_valid_notebook(pages: dict[str, str], site: Path):
    offered = [path for path, html in pages.items() if 'class="downloads"' in html]
    assert "sample/" in offered
    assert "./" not in offered
    for path in offered:
        (notebook,) = (site / path).glob("*.ipynb")
        nbformat.validate(nbformat.read(notebook, as_version=4))


@pytest.mark.parametrize("chapter", EXECUTED)
def test_python_file_of_a_chapter_runs_in_an_empty_folder(chapter: str, site: Path, tmp_path: Path):
    script = site / chapter / f"{Path(chapter).name}.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_properdocs_builds_the_same_pages(
    site: Path, pages: dict[str, str], build_site: Callable[..., Path], tmp_path: Path
):
    other = build_site(tmp_path, "--properdocs")

    def article(html: str) -> str:
        return html[html.index("<article") : html.index("</article>")]

    for path, html in pages.items():
        twin = (other / path / "index.html").read_text("utf-8")
        assert article(twin) == article(html), path
    files = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert {path.relative_to(other) for path in other.rglob("*") if path.is_file()} == files
