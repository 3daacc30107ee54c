"""Every marker in the source is included by a page, or waits for its chapter."""

import re
from collections import Counter
from pathlib import Path

import pytest

from booktools.pages.fences import scan

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("src/notes/**/*.py"), *ROOT.glob("snippets/**/*.py")])
MARKER = re.compile(r" *# --8<-- \[(?P<kind>start|end):(?P<name>[\w-]+)\]")
INCLUDE = re.compile(r'--8<-- "(?P<path>[^":]+):(?P<name>[^"]+)"')
# What later chapters will include. Who includes one of them, or renames it, takes it off this list;
# the list ends with the last chapter.
WAITING = {}


def markers(text):
    """The names of the sections of a file, or what is wrong with them."""
    ends = Counter()
    for number, line in enumerate(text.split("\n"), 1):
        match = MARKER.fullmatch(line)
        if match is None and "-8<-" in line:
            yield f"line {number} is no marker: {line.strip()}"
        elif match and match["kind"] == "start":
            yield match["name"]
            ends[match["name"]] += 1
        elif match:
            ends[match["name"]] -= 1
            if ends[match["name"]] < 0:
                yield f"line {number} ends {match['name']}, which is not open"
    yield from (f"{name} is never ended" for name, count in ends.items() if count > 0)


def included():
    """Every section that a page includes: pairs of file and name."""
    for page in ROOT.glob("docs/**/*.md"):
        for fence in scan(page.read_text(encoding="utf-8")):
            yield from (match.groups() for match in INCLUDE.finditer(fence.code))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# --8<-- [start:a]\nx = 1\n    # --8<-- [end:a]\n", ["a"]),
        ("# --8<-- [start:a]\n", ["a", "a is never ended"]),
        ("# --8<-- [end:a]\n", ["line 1 ends a, which is not open"]),
        ('--8<-- "a.py"\n', ['line 1 is no marker: --8<-- "a.py"']),
        ("#--8<-- [start:a]\n", ["line 1 is no marker: #--8<-- [start:a]"]),
    ],
)
def test_markers_come_in_pairs(text, found):
    assert list(markers(text)) == found


def test_every_marker_is_included_or_waits_for_its_chapter():
    used = set(included())
    unused = {}
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        found = [
            one for one in markers(path.read_text(encoding="utf-8")) if (name, one) not in used
        ]
        unused |= {name: sorted(found)} if found else {}
    assert unused == {name: sorted(sections.split()) for name, sections in WAITING.items()}
