import json

import pytest

from booktools.site.notebook_page import NotebookFacts, read_facts, tidy_notebook_page

FACTS = NotebookFacts("One descent.", ("A <falling> curve", "A bowl"))


def notebook(*outputs, **metadata):
    cells = [{"cell_type": "markdown", "source": []}, {"cell_type": "code", "outputs": outputs}]
    return json.dumps({"cells": cells, "metadata": metadata})


def test_facts_are_the_description_and_the_alt_texts_in_order():
    pictures = [
        {"data": {"image/png": ""}, "metadata": {"image/png": {"alt": alt}}} for alt in ("A", "B")
    ]
    printed = {"output_type": "stream", "text": "1"}
    facts = read_facts(notebook(pictures[0], printed, pictures[1], description="One descent."))
    assert facts == NotebookFacts("One descent.", ("A", "B"))


def test_a_notebook_that_says_nothing_has_empty_facts():
    picture = {"data": {"image/png": ""}, "metadata": {}}
    assert read_facts(notebook(picture)) == NotebookFacts("", ("",))


@pytest.mark.parametrize(
    "part",
    [
        "<style>\n.jp-Cell { color: red }\n</style>",
        '<script src="https://cdnjs.cloudflare.com/mathjax.js"></script>',
        "<!-- a comment -->",
        '<div class="clipboard-copy-txt" id="cell-1">x = 1</div>',
        '<div class="jp-Collapser jp-InputCollapser">\n</div>',
        '<div class="zeroclipboard-container"><clipboard-copy for="a">b</clipboard-copy>\n</div>',
    ],
)
def test_what_is_heavy_or_doubled_goes(part):
    assert tidy_notebook_page(f"<p>a</p>{part}<p>b</p>", FACTS) == "<p>a</p><p>b</p>"


def test_code_and_outputs_get_the_markup_of_the_chapters():
    code = '<div class="highlight-ipynb hl-python"><pre><span>x</span></pre></div>'
    output = '<div class="jp-RenderedText jp-OutputArea-output">\n<pre>1\n</pre>\n</div>'
    page = tidy_notebook_page(code + output, FACTS)
    assert '<div class="language-python highlight"><pre><code><span>x</span></code></pre>' in page
    assert '<span class="filename">Output</span><pre><code>1\n</code></pre></div>' in page


def test_headings_get_the_links_of_the_theme():
    page = tidy_notebook_page('<a class="anchor-link" href="#The-walk">¶</a>', FACTS)
    assert page == '<a class="headerlink" href="#The-walk" title="Link to this section">#</a>'


def test_cells_take_no_focus_and_have_no_ids():
    cell = '<div class="jp-Cell jp-CodeCell" id="cell-1" tabindex="0"><a id="own"></a></div>'
    page = tidy_notebook_page(cell, FACTS)
    assert page == '<div class="jp-Cell jp-CodeCell"><a id="own"></a></div>'


def test_pictures_get_their_alt_texts_in_order():
    picture = '<img alt="No description has been provided for this image" class="" src="x">'
    page = tidy_notebook_page(picture * 3, FACTS)
    assert page == (
        '<img class="drawn" alt="A &lt;falling&gt; curve" src="x">'
        '<img class="drawn" alt="A bowl" src="x"><img class="drawn" alt="" src="x">'
    )
