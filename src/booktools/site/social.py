"""Draw the picture that other sites show beside a link to the book.

Usage: `python -m booktools.site.social docs/assets/social.png`.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb

PAPER, INK, SOFT, EMBER = "#fbf9f6", "#1f242d", "#565c68", "#b23a14"


def valley(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A long, slanted bowl: the loss of a small regression."""
    return (weight + 0.6 * bias) ** 2 + 0.12 * (bias - 0.4 * weight) ** 2


def descend(start: tuple[float, float], steps: int, learning_rate: float) -> np.ndarray:
    """The points that gradient descent visits, `(steps + 1, 2)`."""
    points = [np.array(start)]
    for _ in range(steps):
        weight, bias = points[-1]
        steep, flat = 2 * (weight + 0.6 * bias), 0.24 * (bias - 0.4 * weight)
        gradient = np.array([steep - 0.4 * flat, 0.6 * steep + flat])
        points.append(points[-1] - learning_rate * gradient)
    return np.stack(points)


def draw(path: Path) -> None:
    """Save the picture, 1200 x 630 pixels."""
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=PAPER)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set(xlim=(-8.7, 1.9), ylim=(-2.9, 2.45))
    weight, bias = np.meshgrid(np.linspace(-8.7, 1.9, 400), np.linspace(-2.9, 2.45, 220))
    levels = np.geomspace(0.01, 40, 22)
    heights = valley(weight, bias)
    ax.contour(weight, bias, heights, levels=levels, colors=EMBER, linewidths=1.3, alpha=0.28)
    walk = descend((0.6, 2.1), steps=40, learning_rate=0.28)
    ax.plot(*walk.T, color=EMBER, linewidth=2.2)
    ax.scatter(walk[:, 0], walk[:, 1], s=np.linspace(150, 40, len(walk)), color=EMBER, zorder=3)
    ax.scatter(0, 0, s=620, color=EMBER, edgecolor=PAPER, linewidth=5, zorder=4)
    # A veil of paper keeps the words clear of the lines.
    veil = np.ones((1, 256, 4)) * np.array([*to_rgb(PAPER), 1.0])
    veil[0, :, 3] = np.clip(np.linspace(2.6, -0.4, 256), 0, 1)
    ax.imshow(veil, extent=(-8.7, 0.4, -2.9, 2.45), aspect="auto", zorder=2)
    words = figure.text
    words(0.07, 0.56, "PyTorch Notes", fontsize=60, color=INK, family="serif", weight="bold")
    words(0.073, 0.43, "Short chapters of code that runs.", fontsize=27, color=SOFT)
    words(0.073, 0.35, "Every output checked by a machine.", fontsize=27, color=SOFT)
    figure.savefig(path, facecolor=PAPER, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Draw it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    draw(parser.parse_args().path)


if __name__ == "__main__":
    main()
