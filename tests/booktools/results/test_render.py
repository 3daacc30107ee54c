"""What is stored is what the pages show: any number of either that is altered by hand is found."""

import json
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

from booktools.results import __main__ as command
from booktools.results import render

DOCS = Path(__file__).parents[3] / "docs"
RESULTS = sorted(path.name for path in (DOCS / "results").iterdir())
NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?:e-?\d+)?(?=[,\s])")


@pytest.fixture
def docs(tmp_path):
    """A copy of the results and of the pages that show them."""
    shutil.copytree(DOCS / "results", tmp_path / "results")
    for path in DOCS.rglob("*.md"):
        if "<!-- result: " in path.read_text(encoding="utf-8"):
            copied = tmp_path / path.relative_to(DOCS)
            copied.parent.mkdir(exist_ok=True)
            shutil.copy(path, copied)
    return tmp_path


def is_as_rendered(docs):
    try:
        return not list(render.outdated_pages(docs))
    except ValueError:
        return False


def test_every_page_shows_the_stored_results():
    assert list(render.outdated_pages(DOCS)) == []


def test_every_figure_shows_the_stored_results():
    assert list(render.outdated_figures(DOCS / "results")) == []


def test_every_stored_figure_is_shown_by_a_page():
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    shown = set(re.findall(r"\]\(\.\./results/([^)]+)\.png\)", pages))
    stored = {name.removesuffix(".png") for name in RESULTS if name.endswith(".png")}
    assert shown == {name for name in stored if not name.endswith(".dark")}
    assert stored == shown | {f"{name}.dark" for name in shown}


@pytest.mark.parametrize("name", [name for name in RESULTS if name.endswith(".json")])
def test_any_number_of_a_result_that_is_altered_is_found(docs, name):
    path = docs / "results" / name
    text = path.read_text(encoding="utf-8")
    assert is_as_rendered(docs)
    numbers = list(NUMBER.finditer(text))
    for match in random.Random(0).sample(numbers, 20):
        changed = str(json.loads(match[0]) + 1)
        path.write_text(text[: match.start()] + changed + text[match.end() :], encoding="utf-8")
        assert not is_as_rendered(docs), text[match.start() - 40 : match.end()]


@pytest.mark.parametrize("name", [name for name in RESULTS if name.endswith(".png")])
def test_a_figure_that_is_exchanged_is_found(docs, name):
    other = next(one for one in RESULTS if one.endswith(".png") and one != name)
    shutil.copy(docs / "results" / other, docs / "results" / name)
    assert not is_as_rendered(docs)


def test_any_rendered_digit_of_a_page_that_is_altered_is_found_and_written_again(docs):
    for path in docs.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        parts = [*re.finditer(r"<!-- result: .*?<!-- end -->", text, re.DOTALL)]
        parts += re.finditer(r"^results = \{  # docs.*?^\}$", text, re.DOTALL | re.MULTILINE)
        assert parts
        for part in parts:
            start = part.start() + part[0].find("\n" if "\n" in part[0] else "-->")
            digit = re.compile(r"\d").search(text, start)
            other = str((int(digit[0]) + 1) % 10)
            path.write_text(text[: digit.start()] + other + text[digit.end() :], encoding="utf-8")
            assert list(render.outdated_pages(docs)) == [(path, text.encode())], part[0]
        path.write_text(text, encoding="utf-8")


def test_a_result_that_nothing_renders_is_refused(docs):
    (docs / "results" / "snails.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a result must be one of networks, .*'snails\.json'"):
        list(render.outdated_pages(docs))


@pytest.mark.parametrize("part", ["costs", "origin"])
def test_a_table_and_an_origin_that_no_page_shows_are_refused(docs, part):
    path = docs / "networks" / "compared.md"
    mark = re.compile(f"<!-- result: networks {part} -->.*?<!-- end -->", re.DOTALL)
    path.write_text(mark.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=f"a page must show 'networks {part}', got none"):
        list(render.outdated_pages(docs))


def test_a_wrong_mark_is_refused_with_its_page(docs):
    path = docs / "networks" / "compared.md"
    path.write_text("<!-- result: networks age -->3<!-- end -->", encoding="utf-8")
    with pytest.raises(ValueError, match=r"networks.compared\.md: page must ask for a part"):
        list(render.outdated_pages(docs))


@pytest.fixture
def run(monkeypatch, docs):
    """Runs the command; the only figure is the text of a file, so that drawing takes no time."""

    def draw(result, folder):
        (folder / "ssd-curves.png").write_text("drawn", encoding="utf-8")

    def call(*options):
        monkeypatch.setattr(sys, "argv", ["results", "--docs", str(docs), *options])
        return command.main()

    monkeypatch.setattr(render, "DRAWERS", {"ssd": draw})
    monkeypatch.setattr(render, "distance", lambda a, b: 99.0 * (a.read_bytes() != b.read_bytes()))
    return call


def test_the_command_writes_figures_and_pages_once(run, docs, capsys):
    assert run() == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{docs / 'results' / 'ssd-curves.png'} written",
        f"{docs / 'detection' / 'ssd.md'} written",
    ]
    assert run() == 0
    assert capsys.readouterr().out == ""
    assert is_as_rendered(docs)


def test_a_check_writes_nothing_and_fails(run, docs, capsys):
    before = (docs / "results" / "ssd-curves.png").read_bytes()
    assert run("--check") == 1
    assert capsys.readouterr().out.endswith("ssd-curves.png must be rendered again: make results\n")
    assert (docs / "results" / "ssd-curves.png").read_bytes() == before
    run()
    assert run("--check") == 0


def test_the_command_says_what_is_wrong_with_a_result(run, docs, capsys):
    path = docs / "results" / "networks.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result["networks"][0]["learning_rate"] = 0.001
    path.write_text(json.dumps(result), encoding="utf-8")
    assert run() == 1
    assert "networks.json: MLP must choose 0.01" in capsys.readouterr().err
