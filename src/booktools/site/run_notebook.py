"""Run a small script of cells and keep what it shows, as a notebook of the site.

Usage: `python -m booktools.site.run_notebook snippets/x.py docs/examples/x.ipynb`.
Times, machine and version stay out of the file: the same outputs give the same bytes.
"""

import argparse
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

# Without its version number in the file, matplotlib writes the same image every time.
PLAIN_FIGURES = "%config InlineBackend.print_figure_kwargs = {'metadata': {'Software': None}}"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(script: str, folder: Path) -> Any:
    """Run a script in the percent format and return it as a notebook with its outputs.

    A cell that draws says in its head what the figure shows: `# %% alt="A falling curve"`. The
    first cell gives the description of the page: `# %% [markdown] description="..."`.

    Args:
        script: The text of the script.
        folder: Where it runs.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
        ValueError: If a figure has no alt text.
    """
    notebook = jupytext.reads(script, fmt="py:percent")
    setup = nbformat.v4.new_code_cell(PLAIN_FIGURES)
    notebook.cells.insert(0, setup)
    NotebookClient(
        notebook, timeout=120, record_timing=False, resources={"metadata": {"path": str(folder)}}
    ).execute()
    notebook.cells.pop(0)
    description = notebook.cells[0].metadata.pop("description", "")
    notebook.metadata = nbformat.from_dict({**METADATA, "description": description})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        alt = cell.metadata.pop("alt", None)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                _describe(output, alt, count)
    return notebook


def _describe(output: Any, alt: str | None, count: int) -> None:
    """Give a figure its alt text."""
    if "execution_count" in output:
        output.execution_count = count
    if "image/png" in output.get("data", {}):
        if not alt:
            raise ValueError(f'code cell {count} must have alt="..." in its head, got a figure')
        output.metadata["image/png"] = {"alt": alt}
        output.data.pop("text/plain", None)  # "<Figure size ...>" says nothing


def main() -> None:
    """Execute one script from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script", type=Path)
    parser.add_argument("notebook", type=Path)
    arguments = parser.parse_args()
    executed = execute(arguments.script.read_text(encoding="utf-8"), arguments.script.parent)
    arguments.notebook.write_text(nbformat.writes(executed) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
