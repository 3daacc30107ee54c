"""Images: a single one for boxes to lie on, or many side by side.

A single image of H by W pixels fills the axes from 0 to W and from 0 to H, with y pointing down:
then the corner of a box lies where its coordinates say, and (0, 0) is the image's outer corner.
(Matplotlib alone would put the *middle* of the first pixel there.)

Shapes: `B` images, `C` channels, `H W` space.
"""

from collections.abc import Sequence
from math import inf

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from notes.checks import as_integer, check_finite, check_not_empty, check_shape

WIDTH = 7.0  # of a new figure, in inches
TITLE = 0.25  # height of a line above an image, in inches
FILLED = 0.94  # the share of its cell that an image takes


def _pixels(name: str, images: Tensor) -> Tensor:
    """What matplotlib takes, (B, H, W) in gray or (B, H, W, 3) in color: bytes or float64."""
    if images.shape[1] not in (1, 3):
        raise ValueError(f"{name} must have 1 or 3 channels, got {images.shape[1]}")
    if images.is_complex():
        raise TypeError(f"{name} must be real numbers, got {images.dtype}")
    pixels = images.detach().cpu()
    if pixels.dtype != torch.uint8:
        pixels = pixels.double()
    check_finite(name, pixels)
    return pixels.permute(0, 2, 3, 1).squeeze(3)


def _check_colors(name: str, pixels: Tensor) -> Tensor:
    """Refuse what is no share of white, and cut off what resizing has rounded beyond it."""
    if pixels.dtype == torch.uint8:
        return pixels
    wrong = pixels[(pixels - 0.5).abs() > 0.5 + 0.5 / 255]
    if len(wrong):
        raise ValueError(f"{name} must lie in [0, 1] or be bytes, got {wrong[0].item():.4g}")
    return pixels.clamp(0, 1)


def _paint(ax: Axes, pixels: Tensor, limits: tuple[float, float] | None) -> None:
    height, width = pixels.shape[:2]
    low, high = limits or (None, None)
    extent = (0, width, height, 0)
    ax.imshow(pixels.numpy(), extent=extent, cmap="gray", vmin=low, vmax=high)
    ax.set_axis_off()


def draw_image(image: Tensor, ax: Axes | None = None) -> Axes:
    """Draw an image so that boxes in pixels fit onto it.

    Args:
        image: `(3, H, W)` in color or `(1, H, W)` in gray, in [0, 1] or as bytes.
        ax: Where to draw; a new figure if not given.

    Raises:
        ValueError: If the image has another shape, or a value that is no color.

    Examples:
        >>> ax = draw_image(torch.rand(3, 20, 30))
        >>> [float(edge) for edge in (*ax.get_xlim(), *ax.get_ylim())]
        [0.0, 30.0, 20.0, 0.0]

    Explained in:
        [Boxes][boxes]
    """
    check_shape("image", image, "C", "H", "W")
    check_not_empty("image", image)
    pixels = _check_colors("image", _pixels("image", image[None]))[0]
    height, width = image.shape[1:]
    if ax is None:
        _, ax = plt.subplots(figsize=(WIDTH, min(max(WIDTH * height / width, 1.0), WIDTH)))
    _paint(ax, pixels, (0, 255 if pixels.dtype == torch.uint8 else 1))
    return ax


def draw_images(
    images: Tensor,
    ax: Axes | None = None,
    *,
    titles: Sequence[object] = (),
    columns: int = 8,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw images side by side, each in a panel inside the axes: `ax.child_axes[0]` and so on.

    Args:
        images: `(B, 1, H, W)` or `(B, H, W)` gray images with any values, or `(B, 3, H, W)` in
            color, in [0, 1] or as bytes.
        ax: Where to draw; a new figure if not given.
        titles: What to write above each image, in one line, or nothing.
        columns: Images in a row.
        limits: Values drawn black and white for gray images; without them each image uses its own
            smallest and largest value.

    Raises:
        ValueError: If the images have another shape, there is none, a value is no color, there
            are not as many titles as images, no column, or the limits do not rise.

    Examples:
        >>> ax = draw_images(torch.rand(3, 1, 8, 8), titles=["a", "b", "c"], columns=2)
        >>> [panel.get_title() for panel in ax.child_axes]
        ['a', 'b', 'c']

    Explained in:
        [LeNet][lenet]
    """
    is_gray = isinstance(images, Tensor) and images.dim() == 3
    check_shape("images", images, *("BHW" if is_gray else "BCHW"))
    check_not_empty("images", images)
    pixels = _pixels("images", images[:, None] if is_gray else images)
    if pixels.dim() == 4:
        pixels = _check_colors("images", pixels)
    count, height, width = pixels.shape[:3]
    if len(titles) not in (0, count):
        raise ValueError(f"titles must be as many as images, {count}, got {len(titles)}")
    if limits is not None and (pixels.dim() == 4 or not -inf < limits[0] < limits[1] < inf):
        raise ValueError(f"limits must rise and belong to gray images, got {limits}")

    columns = min(as_integer("columns", columns), count)
    rows = -(-count // columns)
    ratio, above = height / width, TITLE if len(titles) else 0.0
    if ax is None:
        cell = WIDTH / columns
        size = (WIDTH, rows * (cell * ratio + above))
        _, ax = plt.subplots(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0, h_pad=0))
    else:
        room = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
        cell = max(min(room.width / columns, (room.height / rows - above) / ratio), 0.1)
    # The unit of both axes is an inch, so that the titles find room above the images.
    step = cell * ratio + above
    ax.set(xlim=(0, columns * cell), ylim=(0, rows * step), aspect="equal")
    ax.set_axis_off()
    side, gap = FILLED * cell, (1 - FILLED) / 2 * cell
    for index, image in enumerate(pixels):
        row, column = divmod(index, columns)
        place = (column * cell + gap, (rows - 1 - row) * step + gap * ratio, side, side * ratio)
        panel = ax.inset_axes(place, transform=ax.transData)
        _paint(panel, image, limits)
        if len(titles):
            panel.set_title(str(titles[index]), fontsize=10)
    return ax
