from booktools.site.search import boost_of, without_listings

CODE = '<div class="language-python highlight"><pre><span></span><code>x = 1</code></pre></div>'
TITLED = (
    '<div class="output highlight"><span class="filename">Output</span>'
    "<pre><code>1</code></pre></div>"
)
SOURCE = (
    '<details class="mkdocstrings-source"><summary>Source</summary>'
    '<div class="highlight"><table><tr><td><pre>1</pre></td></tr></table></div></details>'
)
SECTION = (
    '<p><span class="doc-section-title">Parameters:</span></p>'
    "<ul><li><code>x</code>: a number</li></ul>"
)


def test_listings_and_outputs_are_left_out_and_prose_stays():
    page = f"<h2>Title</h2><p>one</p>{CODE}<p>two</p>{TITLED}<p>three</p>"
    assert without_listings(page) == "<h2>Title</h2><p>one</p><p>two</p><p>three</p>"


def test_an_entry_of_the_reference_keeps_its_name_and_its_summary():
    entry = f"<h2>nms</h2><p>The summary.</p>{SECTION}<p>Text.</p>{SOURCE}<h2>next</h2>"
    assert without_listings(entry) == "<h2>nms</h2><p>The summary.</p><p>Text.</p><h2>next</h2>"


def test_a_short_word_of_code_in_a_sentence_stays():
    sentence = "<p>Call <code>backward</code> once.</p>"
    assert without_listings(sentence) == sentence


def test_chapters_come_before_the_reference():
    assert boost_of("networks/lenet.md") is None
    assert boost_of("reference/models.md") < 1
