"""The figures of the training of TinySSD, drawn from its result."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from booktools.doctests.figures import save_figures
from booktools.results.markdown import Result
from notes.detection.labels import DetectionSet
from notes.detection.shapes_on_photos import CLASS_NAMES, HARD, shapes_on_photos
from notes.figures.boxes import draw_boxes
from notes.figures.images import draw_image
from notes.figures.style import COLORS, INK, STYLE

Pictures = Sequence[Mapping[str, Any]]  # what was found in some images
COLUMNS = 4


def draw(result: Result, folder: Path) -> None:
    """Draw each figure and write it twice, for the light and for the dark page."""
    for name, draw_figure in FIGURES.items():
        plt.close("all")
        with plt.style.context(STYLE):
            draw_figure(result)
            save_figures(folder)  # as 0.png and 0.dark.png
        for ending in ("png", "dark.png"):
            (folder / f"0.{ending}").replace(folder / f"ssd-{name}.{ending}")
    plt.close("all")


def draw_curves(result: Result) -> None:
    """Losses of the first run; average precision of all."""
    _, (left, right) = plt.subplots(1, 2)
    first = result["runs"][0]["history"]
    epochs = range(1, len(first["seconds"]) + 1)
    for color, part in zip(COLORS, ("classes", "boxes"), strict=False):
        left.plot(epochs, first[f"train_{part}"], color=color, label=f"{part}, training")
        left.plot(epochs, first[f"test_{part}"], color=color, linestyle=":", label=f"{part}, test")
    left.set(xlabel="epoch", ylabel="loss per positive anchor", ylim=(0, None))
    left.legend(fontsize=9)
    for run in result["runs"]:
        values = run["history"]["average_precision"]
        right.plot(epochs, values, marker="o", markersize=4, label=f"seed {run['seed']}")
    right.axhline(0.9, color=INK, linewidth=1, linestyle="--")
    right.set(xlabel="epoch", ylabel="mean average precision", ylim=(0, 1))
    right.legend(fontsize=9)
    for ax in (left, right):
        ax.xaxis.get_major_locator().set_params(integer=True)


def draw_predictions(result: Result) -> None:
    """The first test images, with what the first model finds in them."""
    _draw_two_rows(result, result["runs"][0]["pictures"]["test"])


def draw_mistakes(result: Result) -> None:
    """Test images with mistakes, and what they are."""
    _draw_two_rows(result, result["runs"][0]["pictures"]["mistakes"])


def draw_hard(result: Result) -> None:
    """Images of the hard sets, one set in each row."""
    pictures = result["runs"][0]["pictures"]
    grid = _make_grid(len(HARD))
    for hard, row in zip(HARD, grid, strict=True):
        _draw_row(row, draw_test_set(result, hard), pictures[hard], title=hard)


FIGURES: dict[str, Callable[[Result], None]] = {
    "curves": draw_curves,
    "predictions": draw_predictions,
    "mistakes": draw_mistakes,
    "hard": draw_hard,
}


def draw_test_set(result: Result, hard: str | None = None) -> DetectionSet:
    """The images on which the models were tested."""
    settings = result["settings"]
    generator = torch.Generator().manual_seed(result["test_seed"])
    return shapes_on_photos(
        settings["test_images"],
        image_size=settings["image_size"],
        hard=hard,  # type: ignore[arg-type]  # one of HARD
        generator=generator,
    )


def _make_grid(rows: int) -> Sequence[Sequence[Axes]]:
    _, grid = plt.subplots(rows, COLUMNS, squeeze=False, figsize=(7.0, 1.95 * rows))
    return grid.tolist()  # type: ignore[no-any-return]  # matplotlib's arrays have no item type


def _draw_two_rows(result: Result, pictures: Pictures) -> None:
    data = draw_test_set(result)
    for number, row in enumerate(_make_grid(2)):
        _draw_row(row, data, pictures[number * COLUMNS :][:COLUMNS])


def _draw_row(row: Sequence[Axes], data: DetectionSet, pictures: Pictures, title: str = "") -> None:
    for ax, one in zip(row, pictures, strict=True):
        _draw_picture(ax, data.images[one["image"]], data.labels[one["image"]], one)
        ax.set_title(", ".join(sorted(set(one["mistakes"]))) or title, fontsize=9)


def _draw_picture(ax: Axes, image: Tensor, rows: Tensor, found: Mapping[str, Any]) -> None:
    """Objects are dashed in white, detections in the color of their class."""
    size = (image.shape[1], image.shape[2])
    draw_image(image, ax)
    objects = rows[rows[:, 0] >= 0, 1:]
    draw_boxes(objects, ax, colors="white", image_size=size, linewidth=1.2, linestyle="--")
    boxes = torch.tensor(found["boxes"]).reshape(-1, 4)
    texts = [
        f"{CLASS_NAMES[kind]} {score:.2f}"
        for kind, score in zip(found["classes"], found["scores"], strict=True)
    ]
    colors = [COLORS[kind] for kind in found["classes"]] or COLORS
    draw_boxes(boxes, ax, labels=texts, colors=colors, image_size=size, linewidth=1.6)
