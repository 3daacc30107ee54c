"""Find the headings of a page and what links call them, as the site makes it."""

import re

from markdown.extensions.toc import slugify, unique

from booktools.pages.fences import Line, read_parts

HEADING = re.compile(r"#{1,6}(?P<title>.+?)#*(?:\s\{:?(?P<attributes>[^}]*)\})?\s*")
MARKUP = re.compile(r"<[^>]+>|\]\([^)]*\)|\]\[[^\]]*\]")
OWN = re.compile(r"#(?P<anchor>[\w-]+)")


def find_anchors(text: str) -> list[str]:
    r"""List the anchors of a page's headings, in order.

    Examples:
        >>> find_anchors("# Sizes: 3 to 5\n```text\n# no\n```\n## `box_iou`\n## Sizes { #own }\n")
        ['sizes-3-to-5', 'box_iou', 'own']
    """
    lines = [part.shown.strip() for part in read_parts(text) if isinstance(part, Line)]
    headings = [match for line in lines if (match := HEADING.fullmatch(line))]
    own = [OWN.search(heading["attributes"] or "") for heading in headings]
    used = {match["anchor"] for match in own if match}
    return [
        match["anchor"] if match else unique(slugify(MARKUP.sub("", heading["title"]), "-"), used)
        for heading, match in zip(headings, own, strict=True)
    ]
