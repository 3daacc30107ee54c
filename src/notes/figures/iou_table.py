"""Draw the overlaps of anchors and boxes as a table, with what the matching has done so far.

Shapes: `A` anchors, `M` boxes.
"""

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from notes.checks import check_finite, check_not_empty, check_shape
from notes.figures.style import COLORS, INK


def draw_iou_table(
    iou: Tensor,
    ax: Axes | None = None,
    *,
    names: Sequence[str] | None = None,
    served: Iterable[tuple[int, int]] = (),
    above: Iterable[tuple[int, int]] | None = None,
) -> Axes:
    """Draw a row for each anchor and a column for each box.

    Args:
        iou: `(A, M)` overlaps.
        ax: Where to draw; a new figure if not given.
        names: What the boxes are called, above their columns; their numbers if not given.
        served: Pairs of anchor and box that are settled: framed, and the rest of their row and
            column crossed out.
        above: Pairs that the threshold adds, framed in another color. At this step every box can
            be chosen again, so only rows are crossed out.

    Raises:
        ValueError: If the table is empty or has another shape, a number is not finite, there are
            not as many names as columns, or a pair is not in the table.

    Examples:
        >>> import torch
        >>> ax = draw_iou_table(torch.tensor([[0.9, 0.1], [0.2, 0.5]]), served=[(0, 0)])
        >>> [text.get_text() for text in ax.texts]
        ['0', '1', '0', '0.90', '0.10', '1', '0.20', '0.50']

    Explained in:
        [Assigning anchors][assigning-anchors]
    """
    check_shape("iou", iou, "A", "M")
    check_not_empty("iou", iou)
    check_finite("iou", iou)
    num_anchors, num_boxes = iou.shape
    heads = [str(name) for name in (range(num_boxes) if names is None else names)]
    if len(heads) != num_boxes:
        raise ValueError(f"names must be as many as boxes, {num_boxes}, got {len(heads)}")
    taken = [(int(anchor), int(box)) for anchor, box in served]
    added = [(int(anchor), int(box)) for anchor, box in above or ()]
    for anchor, box in taken + added:
        if not (0 <= anchor < num_anchors and 0 <= box < num_boxes):
            raise ValueError(
                f"pairs must lie inside {num_anchors} by {num_boxes}, got {anchor, box}"
            )
    if ax is None:
        _, ax = plt.subplots(figsize=(0.6 * num_boxes + 0.5, 0.6 * num_anchors + 0.6))
    rows = {anchor for anchor, _ in taken}
    columns = set() if above is not None else {box for _, box in taken}
    for column, name in enumerate(heads):
        ax.text(column, -0.85, name, ha="center", va="center", color=INK, weight="bold")
    for row, values in enumerate(iou.tolist()):
        ax.text(-0.8, row, str(row), ha="center", va="center", color=INK, weight="bold")
        for column, value in enumerate(values):
            out = (row in rows or column in columns) and (row, column) not in taken
            color = COLORS[5] if out else INK
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", color=color)
            if out and row in rows:
                ax.plot([column - 0.5, column + 0.5], [row, row], color=color, linewidth=1)
            if out and column in columns:
                ax.plot([column, column], [row - 0.5, row + 0.5], color=color, linewidth=1)
    for pairs, color in ((taken, COLORS[1]), (added, COLORS[0])):
        for row, column in pairs:
            corner = (column - 0.42, row - 0.4)
            ax.add_patch(Rectangle(corner, 0.84, 0.8, fill=False, edgecolor=color, linewidth=2.5))
    ax.set(xlim=(-1.2, num_boxes - 0.4), ylim=(num_anchors - 0.4, -1.3), aspect="equal")
    ax.set_axis_off()
    return ax
