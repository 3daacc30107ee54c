"""Images, and boxes on top of them.

An image of H by W pixels fills the axes from 0 to W and from 0 to H, with y pointing down: then the
corner of a box lies where its coordinates say, and (0, 0) is the image's outer corner. (Matplotlib
alone would put the *middle* of the first pixel there.)

Shapes: `N` boxes, `C` channels, `H W` space.
"""

from collections.abc import Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import Normal, withStroke
from torch import Tensor

from notes.checks import check_boxes, check_positive
from notes.figures.style import COLORS, INK


def show_image(axes: Axes, image: Tensor) -> None:
    """Draw an image so that boxes in pixels fit onto it.

    Args:
        axes: Where to draw.
        image: `(3, H, W)` in color or `(1, H, W)` in gray, in [0, 1] or as bytes.

    Raises:
        ValueError: If the shape is another one.

    Explained in:
        [Boxes][boxes]
    """
    if image.dim() != 3 or image.shape[0] not in (1, 3) or image.numel() == 0:
        raise ValueError(f"image must have shape (3, H, W) or (1, H, W), got {tuple(image.shape)}")
    height, width = image.shape[1:]
    white = 1.0 if image.is_floating_point() else 255
    pixels = image.detach().cpu().permute(1, 2, 0).numpy()  # (H, W, C), as matplotlib wants it
    axes.imshow(pixels, extent=(0, width, height, 0), cmap="gray", vmin=0, vmax=white)
    axes.grid(visible=False)
    axes.set_axis_off()


def draw_boxes(
    axes: Axes,
    boxes: Tensor,
    labels: Sequence[str] | None = None,
    colors: str | Sequence[str] | None = None,
    *,
    image_size: tuple[int, int] | None = None,
    linewidth: float = 2.0,
    linestyle: str = "-",
) -> None:
    """Draw the outline of each box, and what it is.

    Args:
        axes: Where to draw.
        boxes: `(N, 4)` boxes, `xyxy`, in the unit of the axes or as shares of an image.
        labels: A text for each box, at its upper left corner; an empty text is left out.
        colors: One color, or several that take turns; without it the book's colors.
        image_size: `(H, W)` if the boxes are shares of an image of this size, which fills the
            axes in pixels.
        linewidth: Of the outlines, in points.
        linestyle: Of the outlines, in matplotlib's notation.

    Raises:
        TypeError: If the boxes are not floating-point numbers.
        ValueError: If the argument does not hold `xyxy` boxes, there are not as many labels as
            boxes, no color is given, or a side of the image is not positive.

    Explained in:
        [Boxes][boxes]
    """
    check_boxes("boxes", boxes)
    if labels is not None and len(labels) != len(boxes):
        raise ValueError(f"labels must be as many as boxes, {len(boxes)}, got {len(labels)}")
    palette = [colors] if isinstance(colors, str) else list(COLORS if colors is None else colors)
    if not palette:
        raise ValueError("colors must hold at least one color, got none")
    height, width = (1, 1) if image_size is None else image_size
    check_positive("the height in image_size", height)
    check_positive("the width in image_size", width)
    corners = boxes.detach().cpu().double()
    corners = corners * corners.new_tensor([width, height, width, height])
    texts = [""] * len(boxes) if labels is None else labels
    rows = zip(corners.tolist(), texts, cycle(palette), strict=False)
    # --8<-- [start:outline]
    for (x1, y1, x2, y2), text, color in rows:
        outline = Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False)
        outline.set(edgecolor=color, linewidth=linewidth, linestyle=linestyle)
        if axes.images:  # a white rim, because a photo may have any color
            rim = withStroke(linewidth=linewidth + 1.5, foreground="white", alpha=0.7)
            outline.set_path_effects([rim, Normal()])
        axes.add_patch(outline)
        if text:
            _write(axes, x1, y1, text, color)
    # --8<-- [end:outline]


def _write(axes: Axes, x: float, y: float, text: str, color: str) -> None:
    """Put a label above a box, or below its upper edge where there is no room above."""
    bottom, top = axes.get_ylim()
    is_at_top = bottom > top and y - top < 0.08 * (bottom - top)
    axes.text(
        x,
        y,
        text,
        color=INK,
        fontsize=9,
        horizontalalignment="left",
        verticalalignment="top" if is_at_top else "bottom",
        # Ink on white can be read on every photo; the frame tells which box it belongs to.
        bbox={"facecolor": "white", "edgecolor": color, "boxstyle": "square,pad=0.15"},
        clip_on=True,
    )
