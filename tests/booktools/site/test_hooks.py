"""The hooks alone; what they make of the whole book is tested with the built site."""

import os
from types import SimpleNamespace

import nbformat
import pytest
from mkdocs.exceptions import PluginError

from booktools.site import hooks

OUTPUT = "<!--pytest-codeblocks:expected-output-->\n\n```text\n3\n```\n"
CHAPTER = f"# LeNet\n\n```python\nprint(3)\n```\n\n{OUTPUT}"
NOTEBOOK = '{"cells": [], "metadata": {"description": "One descent."}}'


@pytest.fixture
def config(tmp_path):
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    registered = []
    autorefs = SimpleNamespace(
        registered=registered, register_anchor=lambda page, anchor: registered.append(anchor)
    )
    return SimpleNamespace(
        docs_dir=str(tmp_path / "docs"),
        site_url="https://example.org/book/",
        plugins={"autorefs": autorefs},
    )


@pytest.fixture
def make_page(tmp_path):
    """A page of MkDocs, as far as the hooks look at it."""

    def make_page(source, content=None):
        target = tmp_path / "www" / source.rpartition(".")[0] / "index.html"
        file = SimpleNamespace(
            src_uri=source,
            abs_src_path=str(tmp_path / "docs" / source),
            abs_dest_path=str(target),
            is_modified=lambda: False,
        )
        page = SimpleNamespace(
            file=file, meta={}, content=content, url=source, title="A title", read=False
        )
        page.read_source = lambda config: setattr(page, "read", True)
        file.page = page
        return page

    return make_page


class Files(list):
    def documentation_pages(self):
        return self

    def get_file_from_path(self, path):
        return None


def test_a_chapter_gets_labels_and_offers_its_downloads(make_page, config):
    page = make_page("networks/lenet.md")
    assert 'title="Output"' in hooks.on_page_markdown(CHAPTER, page, config, Files())
    html = hooks.on_page_content("<h1>LeNet</h1><h1>no</h1>", page, config, Files())
    assert html.count('class="downloads"') == 1
    assert html.count('class="facts"') == 1
    assert html.endswith("Report a mistake</a></p>")
    assert '<a href="lenet.ipynb" download>notebook</a>' in html
    assert '<a href="lenet.py" download>Python file</a>' in html
    hooks.on_post_page("<html></html>", page, config)
    folder = os.path.dirname(page.file.abs_dest_path)
    nbformat.validate(nbformat.read(f"{folder}/lenet.ipynb", as_version=4))
    with open(f"{folder}/lenet.py", encoding="utf-8") as script:
        assert "print(3)" in script.read()


def test_a_page_without_code_offers_none(make_page, config):
    page = make_page("reference/checks.md")
    hooks.on_page_markdown(CHAPTER, page, config, Files())
    assert hooks.on_page_content("<h1>Checks</h1>", page, config, Files()) == "<h1>Checks</h1>"
    hooks.on_post_page("<html></html>", page, config)
    assert not os.path.exists(os.path.dirname(page.file.abs_dest_path))


def test_a_notebook_says_its_description_and_offers_itself(make_page, config):
    page = make_page("examples/first.ipynb")
    assert hooks.on_page_markdown(NOTEBOOK, page, config, Files()) == NOTEBOOK
    assert page.meta["description"] == "One descent."
    html = hooks.on_page_content("<h1>First</h1>", page, config, Files())
    assert 'href="first.ipynb"' in html
    assert "Python file" not in html


def test_a_formula_that_is_none_stops_the_build_with_the_name_of_its_page(make_page, config):
    good, wrong = (
        r'<span class="arithmatex">\(x\)</span>',
        r'<span class="arithmatex">\({\)</span>',
    )
    files = Files(
        make_page(name, content).file for name, content in (("a.md", good), ("b.md", wrong))
    )
    with pytest.raises(PluginError, match=r"^b\.md: formula must be valid TeX"):
        hooks.on_env(None, config, files)


def test_a_preview_knows_the_anchors_and_titles_of_pages_it_does_not_render(
    make_page, config, tmp_path
):
    page = make_page("a.md")
    (tmp_path / "www" / "a").mkdir(parents=True)
    (tmp_path / "www" / "a" / "index.html").write_text('<h2 id="sizes">Sizes</h2>')
    hooks.on_env(None, config, Files([page.file]))
    assert config.plugins["autorefs"].registered == ["sizes"]
    hooks.on_nav(SimpleNamespace(pages=[page]), config, Files())
    assert page.read


def test_a_preview_renders_a_page_whose_source_is_newer(make_page, config, tmp_path):
    page = make_page("a.md")
    (tmp_path / "docs" / "a.md").write_text("# A\n")
    hooks.on_files(Files([page.file]), config)
    assert page.file.is_modified()


def test_the_search_sees_no_listing_and_the_reader_does(make_page, config):
    listing = '<div class="highlight"><pre><code>x</code></pre></div>'
    page = make_page("reference/checks.md", f'<p data-search-exclude="">Text</p>{listing}')
    before, after = hooks.on_page_context.methods
    before({}, page, config, None)
    assert "<code>" not in page.content
    assert page.meta["search"]["boost"] < 1
    after({}, page, config, None)
    assert listing in page.content
