"""Draw the overlaps of anchors and boxes as a table, with what the matching has done so far.

Shapes: `A` anchors, `M` boxes.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from notes.checks import check_not_empty, check_shape
from notes.figures.style import COLORS, INK


def draw_iou_table(
    axes: Axes,
    iou: Tensor,
    names: Sequence[str],
    served: Sequence[tuple[int, int]] = (),
    above: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Draw a row for each anchor and a column for each box.

    Args:
        axes: Where to draw.
        iou: `(A, M)` overlaps.
        names: What the boxes are called, above their columns.
        served: Pairs of anchor and box that are settled: framed, and the rest of their row and
            column crossed out.
        above: Pairs that the threshold adds, framed in another color. At this step every box can
            be chosen again, so only rows are crossed out.

    Raises:
        ValueError: If the table is empty or has another shape, there are not as many names as
            columns, or a pair is not in the table.

    Explained in:
        [Assigning anchors][assigning-anchors]
    """
    check_shape("iou", iou, "A", "M")
    check_not_empty("iou", iou)
    num_anchors, num_boxes = iou.shape
    if len(names) != num_boxes:
        raise ValueError(f"names must be as many as boxes, {num_boxes}, got {len(names)}")
    for anchor, box in [*served, *(above or ())]:
        if not (0 <= anchor < num_anchors and 0 <= box < num_boxes):
            raise ValueError(
                f"pairs must lie inside {num_anchors} by {num_boxes}, got {anchor, box}"
            )
    rows = {anchor for anchor, _ in served}
    columns = set() if above is not None else {box for _, box in served}
    for column, name in enumerate(names):
        axes.text(column, -0.85, name, ha="center", va="center", color=INK, weight="bold")
    for row, values in enumerate(iou.tolist()):
        axes.text(-0.8, row, str(row), ha="center", va="center", color=INK, weight="bold")
        for column, value in enumerate(values):
            out = (row in rows or column in columns) and (row, column) not in served
            axes.text(
                column,
                row,
                f"{value:.2f}",
                ha="center",
                va="center",
                color=COLORS[5] if out else INK,
            )
            if out and row in rows:
                axes.plot([column - 0.5, column + 0.5], [row, row], color=COLORS[5], linewidth=1)
            if out and column in columns:
                axes.plot([column, column], [row - 0.5, row + 0.5], color=COLORS[5], linewidth=1)
    for pairs, color in ((served, COLORS[1]), (above or (), COLORS[0])):
        for row, column in pairs:
            corner = (column - 0.42, row - 0.4)
            axes.add_patch(Rectangle(corner, 0.84, 0.8, fill=False, edgecolor=color, linewidth=2.5))
    axes.set(xlim=(-1.2, num_boxes - 0.4), ylim=(num_anchors - 0.4, -1.3), aspect="equal")
    axes.set_axis_off()
