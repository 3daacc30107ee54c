"""Publish a chapter as a notebook and as one Python file.

Both hold the whole page: includes expanded, links absolute, blocks in reading order. The notebook
also holds the printed outputs and the figures. The same page gives the same bytes.
"""

import ast
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin

from markdown import Markdown

from booktools.pages.fences import scan, split_lines
from booktools.site.cells import Cell, read_cells

REQUIREMENT = "pytorch-notes @ git+https://github.com/pytorch-notes/pytorch-notes"
IDENTIFIER = re.compile(r"^::: +(?P<name>[\w.]+)", re.MULTILINE)
PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<url>[^)\s]+)\)")
DRAWS = re.compile(r"^\s*(?:import|from) (?:matplotlib|notes\.figures)", re.MULTILINE)

JsonCell = dict[str, object]


@dataclass(frozen=True)
class Site:
    """Where the published pages are.

    Attributes:
        url: Address of the site, with a slash at its end.
        docs: Folder of the pages' sources.
        root: Folder that includes are relative to.
        references: The page of each documented module, such as `reference/checks.md`.
    """

    url: str
    docs: Path
    root: Path
    references: Mapping[str, str] = field(default_factory=dict)

    def link(self, page: str, target: str) -> str:
        """Turn a link of a page into an address.

        Examples:
            >>> site = Site("https://example.org/book/", Path("docs"), Path("."))
            >>> site.link("detection/boxes.md", "../networks/lenet.md#sizes")
            'https://example.org/book/networks/lenet/#sizes'
            >>> site.link("detection/boxes.md", "https://pytorch.org")
            'https://pytorch.org'
        """
        if target.startswith("#"):
            target = page.rpartition("/")[2] + target
        address, hash_mark, anchor = urljoin(self.url + page, target).partition("#")
        if address.startswith(self.url):
            address = re.sub(r"(?:(?<=/)index)?\.(?:md|ipynb)$", "/", address)
            address = re.sub(r"(?<!:)//$", "/", address)
        return address + hash_mark + anchor

    def refer(self, name: str) -> str:
        """Give the address of a documented object, or of the whole reference.

        Examples:
            >>> pages = {"notes.checks": "reference/checks.md"}
            >>> site = Site("https://example.org/book/", Path("docs"), Path("."), pages)
            >>> site.refer("notes.checks.check_shape")
            'https://example.org/book/reference/checks/#notes.checks.check_shape'
        """
        module = name
        while module and module not in self.references:
            module = module.rpartition(".")[0]
        if not module:
            return self.url + "reference/"
        return self.link(self.references[module], f"#{name}")


def find_references(docs: Path) -> dict[str, str]:
    """List which page of the reference documents which name."""
    return {
        match["name"]: path.relative_to(docs).as_posix()
        for path in sorted(docs.glob("reference/**/*.md"))
        for match in IDENTIFIER.finditer(path.read_text(encoding="utf-8"))
    }


def is_chapter(page: str, markdown: str) -> bool:
    r"""Whether a page has code to run: then it can be downloaded.

    Examples:
        >>> is_chapter("networks/lenet.md", "```python\nprint(1)\n```\n")
        True
        >>> is_chapter("index.md", "```python\nprint(1)\n```\n")
        False
    """
    elsewhere = page == "index.md" or page.startswith("reference/") or not page.endswith(".md")
    return not elsewhere and any(fence.runs for fence in scan(markdown))


def page_cells(site: Site, page: str, markdown: str) -> list[Cell]:
    """Read a page, given by its path in the docs folder, as cells."""
    text = expand_includes(markdown, site.root)
    return read_cells(text, link=lambda target: site.link(page, target), refer=site.refer)


def expand_includes(text: str, root: Path) -> str:
    """Replace the include lines (`--8<--`) by what they name, as the site does.

    Raises:
        pymdownx.snippets.SnippetMissingError: If a file or a section does not exist.
    """
    settings = {"base_path": [str(root)], "check_paths": True, "dedent_subsections": True}
    reader = Markdown(
        extensions=["pymdownx.snippets"], extension_configs={"pymdownx.snippets": settings}
    )
    return "\n".join(reader.preprocessors["snippet"].run(split_lines(text)))


def write_notebook(site: Site, page: str, markdown: str) -> str:
    """Write a page as a notebook (JSON, format 4.5)."""
    first = (
        f"# A copy of {site.link(page, '')}\n"
        "# Without the package `notes`, remove the # before %pip and run this cell once.\n"
        f'# %pip install "{REQUIREMENT}"'
    )
    cells = [Cell("code", first), *page_cells(site, page, markdown)]
    notebook = {
        "cells": [_json_cell(site, cell, number) for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def write_script(site: Site, page: str, markdown: str) -> str:
    """Write a page as one Python file in the percent format that editors show as cells."""
    head = (
        f"# A copy of {site.link(page, '')}\n"
        "# Prose: CC BY 4.0, code: MIT. It needs the package `notes`:\n"
        f'#   pip install "{REQUIREMENT}"\n'
    )
    cells, future = _hoist_future(page_cells(site, page, markdown))
    code = "\n".join(cell.text for cell in cells if cell.kind == "code")
    if DRAWS.search(code) and "plt.show(" not in code:
        cells.append(Cell("code", "import matplotlib.pyplot as plt\n\nplt.show()"))
    return "\n".join([head, *future, *map(_script_cell, cells)])


def _hoist_future(cells: list[Cell]) -> tuple[list[Cell], list[str]]:
    """Take the lines `from __future__ import …` out of the cells: a file has them at its top."""
    found: list[str] = []
    rest = []
    for cell in cells:
        lines = cell.text.split("\n")
        for node in reversed(ast.parse(cell.text).body if cell.kind == "code" else []):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                found.append(ast.unparse(node) + "\n")
                place = slice(node.lineno - 1, node.end_lineno)
                lines[place] = [line.partition(";")[2].lstrip() for line in lines[place]]
        rest.append(replace(cell, text="\n".join(lines)))
    return rest, sorted(set(found))


def _script_cell(cell: Cell) -> str:
    if cell.kind == "code":
        return f"# %%\n{cell.text}\n"
    prose = "".join(f"# {line}".rstrip() + "\n" for line in cell.text.split("\n"))
    return f"# %% [markdown]\n{prose}"


def _json_cell(site: Site, cell: Cell, number: int) -> JsonCell:
    shared: JsonCell = {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}}
    if cell.kind == "code":
        outputs: list[JsonCell] = []
        if cell.output:
            printed = _lines(cell.output)
            outputs.append({"name": "stdout", "output_type": "stream", "text": printed})
        outputs += [_drawn(site, alt, url) for alt, url in cell.figures]
        return {**shared, "execution_count": None, "outputs": outputs, "source": _lines(cell.text)}
    attachments: dict[str, JsonCell] = {}

    def attach(match: re.Match[str]) -> str:
        path = _local_png(site, match["url"])
        if path is None:
            return match[0]
        attachments[path.name] = {"image/png": _base64(path)}
        return f"![{match['alt']}](attachment:{path.name})"

    text = PICTURE.sub(attach, cell.text)
    attached: JsonCell = {"attachments": attachments} if attachments else {}
    return {**shared, **attached, "source": _lines(text)}


def _drawn(site: Site, alt: str, url: str) -> JsonCell:
    data: JsonCell = {"text/plain": _lines(alt)}
    if path := _local_png(site, url):
        data["image/png"] = _base64(path)
    return {"data": data, "metadata": {"image/png": {"alt": alt}}, "output_type": "display_data"}


def _local_png(site: Site, url: str) -> Path | None:
    path = site.docs / url.removeprefix(site.url)
    return path if url.endswith(".png") and url.startswith(site.url) and path.is_file() else None


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
