"""From the stored results to the pages and figures that show them."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from booktools.doctests.figures import distance
from booktools.pages.blocks import DEFAULT_FIGURE_TOLERANCE
from booktools.pages.rewrite import fill
from booktools.results import detectors, networks, speed, ssd, ssd_figures
from booktools.results.markdown import Result, origin

RENDERERS: dict[str, ModuleType] = {
    "networks": networks,
    "detectors": detectors,
    "ssd": ssd,
    "speed": speed,
    "readable-to-fast": speed,
}
DRAWERS: dict[str, Callable[[Result, Path], None]] = {"ssd": ssd_figures.draw}


def read_results(folder: Path) -> dict[str, Result]:
    """Read all results.

    Raises:
        ValueError: If there is a result without a renderer, or one that contradicts itself.
    """
    results: dict[str, Result] = {}
    wrong = []
    for path in sorted(folder.glob("*.json")):
        if path.stem not in RENDERERS:
            raise ValueError(f"a result must be one of {', '.join(RENDERERS)}, got '{path.name}'")
        results[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        found = RENDERERS[path.stem].problems(results[path.stem])
        wrong += [f"{path.name}: {problem}" for problem in found]
    if wrong:
        raise ValueError("\n".join(wrong))
    return results


def outdated_pages(docs: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the pages that do not show the results as they are, and how they should look.

    Raises:
        ValueError: If a result contradicts itself, a mark is wrong, or no page shows a table, the
            data of a plot, or where the numbers come from.
    """
    parts = {
        name: RENDERERS[name].parts(result)
        | {"origin": origin(result, name, seal(result, stored_figures(docs / "results", name)))}
        for name, result in read_results(docs / "results").items()
    }
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(docs.rglob("*.md"))}
    filled = {}
    for path, text in pages.items():
        try:
            filled[path] = fill(text, parts)
        except ValueError as error:
            raise ValueError(f"{path.relative_to(docs)}: {error}") from None
    for name, of_result in parts.items():
        for part, text in of_result.items():
            if "\n" in text and not any(text in page for page in filled.values()):
                raise ValueError(f"a page must show '{name} {part}', got none")
    yield from ((path, filled[path].encode()) for path in pages if filled[path] != pages[path])


def seal(result: Result, figures: list[Path]) -> str:
    """A number that changes with every number of a result and every pixel of its figures."""
    digest = hashlib.sha256(json.dumps(result, sort_keys=True).encode())
    for path in figures:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def stored_figures(folder: Path, name: str) -> list[Path]:
    """The files of a result's figures."""
    return sorted(folder.glob(f"{name}-*.png"))


def outdated_figures(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Draw the figures of all results; yield those that are missing or look different.

    A figure that looks the same stays, since each version of matplotlib writes other bytes.
    """
    for name, draw in DRAWERS.items():
        result = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with TemporaryDirectory() as drawn:
            draw(result, Path(drawn))
            for path in sorted(Path(drawn).iterdir()):
                stored = folder / path.name
                if not stored.exists() or distance(path, stored) > DEFAULT_FIGURE_TOLERANCE:
                    yield stored, path.read_bytes()
