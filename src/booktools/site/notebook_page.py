"""Make the HTML of mkdocs-jupyter look and weigh like a chapter.

Each of its pages carries 600 kB of styles, scripts that load MathJax and Mermaid from elsewhere,
and markup of its own for code and copy buttons. Here the styles and scripts go, and code, output
and headings get the markup of the theme: the one style sheet of the book then serves both.
"""

import html
import json
import re
from dataclasses import dataclass

REMOVED = re.compile(
    r"<(?P<tag>script|style)\b.*?</(?P=tag)>"
    r'|<div class="zeroclipboard-container">.*?</clipboard-copy>\s*</div>'
    r'|<div class="clipboard-copy-txt".*?</div>'
    r'|<div class="jp-Collapser[^>]*>\s*</div>'
    r"|<!--.*?-->",
    re.DOTALL,
)
CODE = re.compile(
    r'<div class="highlight-ipynb hl-python"><pre>(?P<code>.*?)</pre></div>', re.DOTALL
)
OUTPUT = re.compile(
    r'<div class="jp-RenderedText[^>]*>\s*<pre>(?P<text>.*?)</pre>\s*</div>', re.DOTALL
)
HEADING_LINK = re.compile(r'<a class="anchor-link" href="(?P<href>[^"]*)">¶</a>')
WRAPPER_FOCUS = re.compile(r'(<div class="jp-[^>]*?) tabindex="0"')
CELL_ID = re.compile(r'(<div class="jp-Cell[^>]*?) id="[^"]*"')
UNDESCRIBED = re.compile(r'<img alt="No description has been provided for this image" class=""')


@dataclass(frozen=True)
class NotebookFacts:
    """What a notebook says about itself and mkdocs-jupyter drops.

    Attributes:
        description: One sentence for the head of the page.
        alts: The alt texts of its figures, in order.
    """

    description: str
    alts: tuple[str, ...]


def read_facts(notebook: str) -> NotebookFacts:
    """Read the description and the alt texts from a notebook's JSON."""
    content = json.loads(notebook)
    alts = (
        output["metadata"].get("image/png", {}).get("alt", "")
        for cell in content["cells"]
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    )
    return NotebookFacts(content["metadata"].get("description", ""), tuple(alts))


def tidy_notebook_page(page: str, facts: NotebookFacts) -> str:
    """Return the page's HTML without styles and scripts, in the theme's markup."""
    page = REMOVED.sub("", page)
    page = CODE.sub(
        r'<div class="language-python highlight"><pre><code>\g<code></code></pre></div>', page
    )
    page = OUTPUT.sub(
        r'<div class="language-text output no-copy highlight"><span class="filename">Output</span>'
        r"<pre><code>\g<text></code></pre></div>",
        page,
    )
    page = HEADING_LINK.sub(
        r'<a class="headerlink" href="\g<href>" title="Link to this section">#</a>', page
    )
    page = CELL_ID.sub(r"\1", WRAPPER_FOCUS.sub(r"\1", page))
    alts = iter(facts.alts)
    return UNDESCRIBED.sub(
        lambda match: f'<img class="drawn" alt="{html.escape(next(alts, ""))}"', page
    )
