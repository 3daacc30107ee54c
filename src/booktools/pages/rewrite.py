"""Write what a program has measured into a page: tables, sentences, single numbers, a plot's data.

In prose a part stands between two comments, and `result` and `part` say what belongs there:

    the network misses <!-- result: ssd missed -->48<!-- end --> objects

In a block of Python it is the body of a dictionary named `results`:

    results = {  # docs/results/networks.json
        "MLP": (18944, [365, 365, 364, 367, 366]),
    }
"""

import re
from collections.abc import Mapping

BEGIN, END = "<!-- result: ", "<!-- end -->"
PROSE = re.compile(
    rf"(?P<begin>{BEGIN}(?P<result>[\w-]+) (?P<part>[^<>]+) -->)"
    rf"(?:(?!{BEGIN}).)*?(?P<end>{END})",
    re.DOTALL,
)
CODE = re.compile(
    r"^(?P<begin>results = \{  # docs/results/(?P<result>[\w-]+)\.json\n)"
    r"(?:    .*\n)*(?P<end>\}$)",
    re.MULTILINE,
)


def fill(page: str, parts: Mapping[str, Mapping[str, str]]) -> str:
    """The page with every marked part as it is now.

    Args:
        page: The text of the page.
        parts: For each result the texts of its parts; `plot` is the one for blocks of Python.

    Raises:
        ValueError: If a mark has no end or an end no mark, or if there is no such part.

    Examples:
        >>> fill("It is <!-- result: race time -->3<!-- end --> s.", {"race": {"time": "4"}})
        'It is <!-- result: race time -->4<!-- end --> s.'
    """

    def exchange(match: re.Match[str]) -> str:
        result, part = match["result"], match.groupdict().get("part", "plot")
        if part not in parts.get(result, {}):
            raise ValueError(f"page must ask for a part of a result, got '{result} {part}'")
        return match["begin"] + parts[result][part] + match["end"]

    whole = len(PROSE.findall(page))
    if not whole == page.count(BEGIN.strip()) == page.count(END):
        raise ValueError(
            f"page must close each '{BEGIN}… -->' with '{END}', got {page.count(BEGIN.strip())} "
            f"marks and {page.count(END)} ends, {whole} of them in pairs"
        )
    return CODE.sub(exchange, PROSE.sub(exchange, page))
