"""Save the open figures for both color schemes, and compare them with those of the page.

Each figure becomes two files: `x.png` on white, and its dark twin `x.dark.png` without background,
in which ink (black, and the dark gray of the style) is light and paper (white) is dark. Data keeps
its color, and so does what is drawn over an image, which does not change either.

A new drawing is compared with both files as a reader sees them: the mean difference over the 8x8
pixels where they differ most, in levels from 0 to 255, may be at most 12. Measured on the pages:
another processor 0 to 8, a line moved by a pixel 20, a line less 28, a box moved by a pixel 38,
another digit 58, two names exchanged 115. A page states another limit in a comment before the
image, `<!-- figure-tolerance: 15 -->`, and `guard` holds the largest.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from PIL import Image

MAX_FIGURE_TOLERANCE = 20.0
WINDOW = 8
DPI = 150  # the style's seven inches are 1050 pixels: sharp on a double-density screen
LIGHT_INK = (0.90, 0.91, 0.93)
DARK_PAPER = (0.12, 0.13, 0.16)
COLORS = ("color", "edgecolor", "facecolor", "markeredgecolor", "markerfacecolor")


def save_figures(folder: Path) -> int:
    """Save all open figures as `0.png`, `0.dark.png`, `1.png` and so on, and return their number.

    The figures have dark colors afterwards.
    """
    figures = [plt.figure(number) for number in plt.get_fignums()]
    for number, figure in enumerate(figures):
        _save(figure, folder / f"{number}.png", facecolor="white")
        darken(figure)
        _save(figure, folder / f"{number}.dark.png", transparent=True)
    return len(figures)


def distance(one: Path, other: Path) -> float:
    """How much two pictures differ where they differ most; infinite if their sizes differ."""
    first, second = (_levels(Image.open(path)) for path in (one, other))
    if first.shape != second.shape:
        return float("inf")
    change = np.abs(first - second).mean(axis=2)  # (H, W)
    size = min(WINDOW, *change.shape)
    sums = np.pad(change.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    windows = sums[size:] - sums[:-size]  # of all columns up to each
    return float((windows[:, size:] - windows[:, :-size]).max() / size**2)


def darken(figure: Figure) -> None:
    """Exchange ink and paper in everything that is drawn, except on images."""
    kept = {id(artist) for axes in figure.axes for artist in _over_image(axes)}
    for artist in _all_artists(figure):
        if id(artist) not in kept:
            for name in COLORS:
                _exchange(artist, name)


def _all_artists(figure: Figure) -> Iterator[Artist]:
    for artist in figure.findobj():
        yield artist
        if isinstance(artist, Annotation) and artist.arrow_patch:
            yield artist.arrow_patch
        if isinstance(artist, Text) and (box := artist.get_bbox_patch()):
            yield box
        if hasattr(artist, "pane") and hasattr(artist, "line"):  # of a plot in three dimensions
            yield from (artist.pane, artist.line)


def _over_image(axes: Axes) -> list[Artist]:
    if not axes.images and not any(isinstance(mesh, QuadMesh) for mesh in axes.collections):
        return []
    frames = [box for text in axes.texts if (box := text.get_bbox_patch())]
    return [*axes.lines, *axes.patches, *axes.texts, *axes.collections, *frames]


def _exchange(artist: Any, name: str) -> None:
    if not hasattr(artist, f"get_{name}") or not hasattr(artist, f"set_{name}"):
        return
    if hasattr(artist, "get_array") and artist.get_array() is not None:
        return  # the colors come from numbers
    colors = to_rgba_array(getattr(artist, f"get_{name}")())
    brightness, spread = colors[:, :3].mean(axis=1), np.ptp(colors[:, :3], axis=1)
    gray = (spread < 0.1) & (colors[:, 3] > 0)
    ink, paper = gray & (brightness < 0.3), gray & (brightness > 0.8)
    if isinstance(artist, Text):
        paper[:] = False  # white letters stand on something colored
    if ink.any() or paper.any():
        colors[ink, :3], colors[paper, :3] = LIGHT_INK, DARK_PAPER
        single = len(colors) == 1
        getattr(artist, f"set_{name}")(tuple(colors[0]) if single else colors)


def _save(figure: Figure, path: Path, **options: Any) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, **options)
    picture = Image.open(buffer)
    _with_palette(picture).save(path, optimize=True)


def _with_palette(picture: Image.Image) -> Image.Image:
    """The picture with at most 256 colors if it looks the same: a third of the file."""
    if "transparent" in picture.info or picture.getextrema()[-1] != (255, 255):
        small = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    else:
        picture = picture.convert("RGB")
        small = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    error = np.sqrt(np.mean((_levels(picture) - _levels(small)) ** 2))
    return small if error < 2 else picture


def _levels(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.float64]]:
    """`(H, W, 3)` levels; what is transparent shows the dark page."""
    page = Image.new("RGBA", picture.size, tuple(round(255 * part) for part in DARK_PAPER))
    shown = Image.alpha_composite(page, picture.convert("RGBA")).convert("RGB")
    return np.asarray(shown, dtype=np.float64)
