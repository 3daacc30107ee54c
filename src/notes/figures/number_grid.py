"""Draw a small matrix as a grid of its numbers, with a window laid on it.

Shapes: `H` and `W` height and width of the matrix, in cells.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from notes.checks import as_integer, check_not_empty, check_shape
from notes.figures.style import COLORS, INK


def draw_number_grid(
    values: Tensor,
    ax: Axes | None = None,
    *,
    window: tuple[int, int, int, int] | None = None,
    border: int = 0,
) -> Axes:
    """Draw every number of a matrix in its cell.

    Args:
        values: `(H, W)`, any dtype; numbers are written as short as they allow.
        ax: Where to draw; a new figure if not given.
        window: First row, first column, height and width of the cells to frame, or none.
        border: Rings of cells at the edge to draw in gray, as padding.

    Raises:
        ValueError: If the matrix is empty or has another shape, the window sticks out of it, or
            the border is negative.

    Examples:
        >>> import torch
        >>> ax = draw_number_grid(torch.arange(9).reshape(3, 3), window=(0, 1, 2, 2))
        >>> [text.get_text() for text in ax.texts]
        ['0', '1', '2', '3', '4', '5', '6', '7', '8']

    Explained in:
        [Padding and stride][padding-and-stride]
    """
    check_shape("values", values, "H", "W")
    check_not_empty("values", values)
    border = as_integer("border", border, minimum=0)
    rows, columns = values.shape
    frame = None if window is None else _frame(window, rows, columns)
    if ax is None:
        _, ax = plt.subplots(figsize=(0.5 * columns + 0.4, 0.5 * rows + 0.4))
    for row in range(rows):
        for column in range(columns):
            inside = border <= row < rows - border and border <= column < columns - border
            ax.add_patch(
                Rectangle((column, row), 1, 1, fill=False, edgecolor=COLORS[5], linewidth=0.8)
            )
            ax.text(
                column + 0.5,
                row + 0.5,
                f"{values[row, column].item():g}",
                ha="center",
                va="center",
                color=INK if inside else COLORS[5],
            )
    if frame is not None:
        ax.add_patch(frame)
    ax.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    ax.set_axis_off()
    return ax


def _frame(window: tuple[int, int, int, int], rows: int, columns: int) -> Rectangle:
    row, column, height, width = window
    if min(row, column) < 0 or row + height > rows or column + width > columns:
        raise ValueError(f"window must lie inside the matrix of {rows, columns}, got {window}")
    if min(height, width) < 1:
        raise ValueError(f"window must have a cell, got {window}")
    return Rectangle((column, row), width, height, fill=False, edgecolor=COLORS[1], linewidth=3.5)
