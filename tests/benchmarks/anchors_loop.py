"""Anchors as one would write them first: a loop for each row, column and shape."""

import math
from collections.abc import Sequence


def anchors_loop(
    height: int, width: int, sizes: Sequence[float], ratios: Sequence[float]
) -> list[list[float]]:
    """The corners of all anchors, as shares of the image's sides."""
    shapes = [(size, ratios[0]) for size in sizes] + [(sizes[0], ratio) for ratio in ratios[1:]]
    anchors = []
    for row in range(height):
        for column in range(width):
            x, y = (column + 0.5) / width, (row + 0.5) / height
            for size, ratio in shapes:
                w = size * math.sqrt(ratio) * height / width
                h = size / math.sqrt(ratio)
                anchors.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    return anchors
