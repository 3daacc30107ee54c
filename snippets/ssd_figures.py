"""The figures of train_ssd.py, drawn from what it has stored."""

import platform
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from booktools.doctests.figures import save_figures
from notes.detection.shapes_on_photos import CLASS_NAMES, HARD, shapes_on_photos
from notes.figures.boxes import draw_boxes
from notes.figures.images import draw_image
from notes.figures.style import COLORS, INK, STYLE


def table(runs, column="seed"):
    """The numbers of runs as a table in Markdown, one run in each column."""
    heads = [f"seed {run['seed']}" if column == "seed" else run[column] for run in runs]
    rows = {
        "measured" if column == "seed" else column: heads,
        "AP at 0.5": [_digits(run["average_precision"]["test"]) for run in runs],
        "AP at 0.75": [_digits(run["average_precision_75"]) for run in runs],
    }
    for name in CLASS_NAMES:
        rows[name] = [_digits(run["per_class"][name]) for run in runs]
    for hard in HARD:
        rows[f"{hard} (hard)"] = [_digits(run["average_precision"][hard]) for run in runs]
    rows["minutes"] = [f"{sum(run['history']['processor_seconds']) / 60:.1f}" for run in runs]
    lines = [f"| {' | '.join([name, *cells])} |" for name, cells in rows.items()]
    return "\n".join([lines[0], "|---" + "|--:" * len(runs) + "|", *lines[1:]])


def _digits(value):
    return f"{value:.3f}"


def save(result, folder):
    """Draw each figure and write it twice, for the light and for the dark page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        plt.close("all")
        with plt.style.context(STYLE):
            draw(result)
            save_figures(folder)  # as 0.png and 0.dark.png
        for ending in ("png", "dark.png"):
            (folder / f"0.{ending}").replace(folder / f"ssd-{name}.{ending}")


def draw_curves(result):
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
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)


def draw_predictions(result):
    """The first test images, with what the first model finds in them."""
    pictures = result["runs"][0]["pictures"]["test"]
    _draw_rows(result, [("", None, pictures[:4]), ("", None, pictures[4:])])


def draw_mistakes(result):
    """Test images with mistakes, and what they are."""
    pictures = result["runs"][0]["pictures"]["mistakes"]
    _draw_rows(result, [("", None, pictures[:4]), ("", None, pictures[4:])])


def draw_hard(result):
    """Images of the hard sets, one set in each row."""
    pictures = result["runs"][0]["pictures"]
    _draw_rows(result, [(hard, hard, pictures[hard]) for hard in HARD])


FIGURES = {
    "curves": draw_curves,
    "predictions": draw_predictions,
    "mistakes": draw_mistakes,
    "hard": draw_hard,
}


def _draw_rows(result, rows, columns=4):
    rows = [row for row in rows if row[2]]
    height = 1.95 * len(rows)
    _, grid = plt.subplots(len(rows), columns, squeeze=False, figsize=(7.0, height))
    for line, (title, hard, pictures) in zip(grid, rows, strict=True):
        images, labels = _test_set(result, hard)
        for axes in line[len(pictures) :]:
            axes.set_axis_off()
        for axes, one in zip(line, pictures, strict=False):
            _draw_picture(axes, images[one["image"]], labels[one["image"]], one)
            axes.set_title(", ".join(sorted(set(one["mistakes"]))) or title, fontsize=9)


def _draw_picture(axes, image, rows, found):
    """Objects are dashed in white, detections in the color of their class."""
    size = (image.shape[1], image.shape[2])
    draw_image(image, axes)
    objects = rows[rows[:, 0] >= 0, 1:]
    draw_boxes(objects, axes, colors="white", image_size=size, linewidth=1.2, linestyle="--")
    boxes = torch.tensor(found["boxes"]).reshape(-1, 4)
    texts = [
        f"{CLASS_NAMES[kind]} {score:.2f}"
        for kind, score in zip(found["classes"], found["scores"], strict=True)
    ]
    colors = [COLORS[kind] for kind in found["classes"]] or COLORS
    draw_boxes(boxes, axes, labels=texts, colors=colors, image_size=size, linewidth=1.6)


@cache
def _draw_set(num_images, image_size, seed, hard):
    generator = torch.Generator().manual_seed(seed)
    return shapes_on_photos(num_images, image_size=image_size, hard=hard, generator=generator)


def _test_set(result, hard):
    settings = result["settings"]
    return _draw_set(settings["test_images"], settings["image_size"], result["test_seed"], hard)


def processor_name():
    """What the processor calls itself, as far as the system says."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
