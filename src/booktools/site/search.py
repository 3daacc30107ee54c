"""What of a page the search sees: headings and prose, no listings, and of the reference summaries.

Listings are two thirds of a page's text and hold every word many times over, so that they push
the prose on a subject down the list. Without them the index is also quick to build and to load.
"""

import re

LISTING = re.compile(
    r'<details class="(?:mkdocstrings-source|source|explained-in)\b.*?</details>'
    r'|<p><span class="doc-section-title">.*?(?:</ul>|</table>|(?=<div class="doc doc-object))'
    r'|<div class="[^"]*\bhighlight\b[^"]*">.*?</pre>.*?</div>',
    re.DOTALL,
)
BOOST = {"reference/": 0.4}  # a chapter explains, an entry of the reference lists


def without_listings(html: str) -> str:
    """The HTML of a page without code and output.

    Examples:
        >>> code = '<div class="language-python highlight"><pre><code>x</code></pre></div>'
        >>> without_listings(f"<p>Before</p>{code}<p>after</p>")
        '<p>Before</p><p>after</p>'
    """
    return LISTING.sub("", html)


def boost_of(page: str) -> float | None:
    """How much a page counts in the results, if not as usual.

    Examples:
        >>> boost_of("reference/data.md"), boost_of("networks/lenet.md")
        (0.4, None)
    """
    return next((boost for start, boost in BOOST.items() if page.startswith(start)), None)
