"""Boxes, on an image or in plain axes.

Shapes: `N` boxes.
"""

from collections.abc import Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.patches import Rectangle
from matplotlib.patheffects import Normal, withStroke
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from torch import Tensor

from notes.checks import as_pair, check_boxes, check_positive, check_shape
from notes.figures.style import COLORS, INK


class _Label(Text):
    """A text above a box, moved into the axes as long as the box is in sight."""

    def __init__(self, ax: Axes, outline: Rectangle, text: str) -> None:
        color = outline.get_edgecolor()
        # Ink on white can be read on every photo; the frame tells which box it belongs to.
        frame = {"facecolor": "white", "edgecolor": color, "boxstyle": "square,pad=0.15"}
        super().__init__(*outline.get_xy(), text, color=INK, fontsize=9, va="bottom", bbox=frame)
        self.set_clip_on(True)
        self.outline, self.inside = outline, ax.bbox

    def draw(self, renderer: RendererBase) -> None:
        """Draw it: not before is it known how large axes and text are."""
        place, own, inside = self.get_transform(), self.get_window_extent(renderer), self.inside
        if inside.overlaps(self.outline.get_window_extent(renderer)):
            gap = renderer.points_to_pixels(2)
            right = max(inside.x0 + gap - own.x0, 0) + min(inside.x1 - gap - own.x1, 0)
            up = min(inside.y1 - gap - own.y1, 0)
            self.set_transform(place + Affine2D().translate(right, up))
        super().draw(renderer)
        self.set_transform(place)
        self.stale = False


def draw_boxes(
    boxes: Tensor,
    ax: Axes | None = None,
    *,
    labels: Sequence[object] | None = None,
    colors: str | Sequence[str] | None = None,
    image_size: int | tuple[int, int] | None = None,
    linewidth: float = 2.0,
    linestyle: str = "-",
) -> Axes:
    """Draw the outline of each box, and what it is.

    Args:
        boxes: `(N, 4)` boxes, `xyxy`, in the unit of the axes or as shares of an image.
        ax: Where to draw; a new figure that fits the boxes or the image if not given.
        labels: A text for each box, at its upper left corner; an empty text is left out.
        colors: One color, or several that take turns; without it the book's colors.
        image_size: `(H, W)` if the boxes are shares of an image of this size, which fills the
            axes in pixels; one number for a square.
        linewidth: Of the outlines, in points.
        linestyle: Of the outlines, in matplotlib's notation.

    Raises:
        TypeError: If the size of the image is not one or two integers.
        ValueError: If the argument does not hold `xyxy` boxes, there are not as many labels as
            boxes, no color is given, or a size is not positive.

    Examples:
        >>> boxes = torch.tensor([[0.1, 0.2, 0.5, 0.6], [0.3, 0.0, 0.9, 0.5]])
        >>> ax = draw_boxes(boxes, labels=["cat", "dog"], image_size=(20, 30))
        >>> [text.get_text() for text in ax.texts]
        ['cat', 'dog']

    Explained in:
        [Boxes][boxes]
    """
    check_shape("boxes", boxes, "N", 4)
    check_boxes("boxes", boxes if boxes.is_floating_point() else boxes.double())
    corners = boxes.detach().cpu().double()
    texts = [""] * len(boxes) if labels is None else [str(label) for label in labels]
    if len(texts) != len(boxes):
        raise ValueError(f"labels must be as many as boxes, {len(boxes)}, got {len(texts)}")
    palette = [colors] if isinstance(colors, str) else list(COLORS if colors is None else colors)
    if not palette:
        raise ValueError("colors must hold at least one color, got none")
    check_positive("linewidth", linewidth)
    region = corners
    if image_size is not None:
        height, width = as_pair("image_size", image_size)
        whole = corners.new_tensor([[width, height, width, height]])
        corners = corners * whole
        region = torch.cat([corners, whole * whole.new_tensor([0, 0, 1, 1])])
    # --8<-- [start:outlines]
    outlines = [
        Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=color, lw=linewidth, ls=linestyle)
        for (x1, y1, x2, y2), color in zip(corners.tolist(), cycle(palette), strict=False)
    ]
    # --8<-- [end:outlines]
    if ax is None:  # not earlier, because a color or a line style may be none
        ax = _new_axes(region)
    # --8<-- [start:draw]
    for outline, text in zip(outlines, texts, strict=True):
        if ax.images:  # a white rim, because a photo may have any color
            rim = withStroke(linewidth=linewidth + 1.5, foreground="white", alpha=0.7)
            outline.set_path_effects([rim, Normal()])
        ax.add_patch(outline)
        if text:
            ax.add_artist(_Label(ax, outline, text))
    # --8<-- [end:draw]
    return ax


def _new_axes(region: Tensor) -> Axes:
    """Axes that show all of the boxes in a region, with y pointing down."""
    _, ax = plt.subplots()
    ax.set_aspect("equal")
    ax.update_datalim(region.reshape(-1, 2).numpy() if len(region) else [(0, 0), (1, 1)])
    ax.autoscale_view()
    ax.invert_yaxis()
    return ax
