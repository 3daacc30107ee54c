"""Figures in one style: learning curves and grids of images.

The colors can be told apart by color-blind readers and stand out from white and from the dark
page alike. Everything that is not data is drawn in `INK`; the site replaces it by a light gray in
the dark scheme.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

INK = "#24292f"
COLORS = ("#0072b2", "#d55e00", "#009e73", "#b0569a", "#a67c00", "#7a7a7a")
STYLE: dict[str, Any] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.figsize": (7.0, 3.6),
    "font.size": 11.0,
    "grid.alpha": 0.35,
    "grid.color": "#8c959f",
    "grid.linewidth": 0.6,
    "image.cmap": "gray",
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def use_style() -> None:
    """Make the book's style matplotlib's default until the program ends.

    The pages are drawn with it; call it to get the same look for your own figures.

    Explained in:
        [LeNet][lenet]
    """
    plt.style.use(STYLE)


# --8<-- [start:plot_history]
def plot_history(
    history: Mapping[str, Sequence[float]], axes: Sequence[Axes] | None = None
) -> None:
    """Learning curves: for each quantity one panel, with training and validation in it.

    Args:
        history: What `fit` returns: a list with a value per epoch under each of the names
            `train_loss`, `val_loss`, `train_accuracy`, `val_accuracy`, and so on.
        axes: Where to draw, one for each quantity; a new figure if not given.

    Raises:
        ValueError: If the history has no epoch, or there are not as many axes as quantities.

    Explained in:
        [LeNet][lenet]
    """
    quantities = [name.removeprefix("train_") for name in history if name.startswith("train_")]
    if not quantities or not history[f"train_{quantities[0]}"]:
        raise ValueError(f"history must hold at least one epoch, got {dict(history)}")
    if axes is None:
        axes = plt.subplots(1, len(quantities), squeeze=False)[1][0]
    if len(axes) != len(quantities):
        raise ValueError(f"axes must be {len(quantities)} for {quantities}, got {len(axes)}")
    for quantity, ax in zip(quantities, axes, strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            values = history.get(f"{part}_{quantity}", [])
            if values:
                ax.plot(range(1, len(values) + 1), values, marker="o", markersize=4, label=label)
        ax.set(xlabel="epoch", ylabel=quantity)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()


# --8<-- [end:plot_history]


# --8<-- [start:show_images]
def show_images(
    images: Tensor,
    titles: Sequence[str] = (),
    *,
    columns: int = 8,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw images side by side.

    Args:
        images: `(B, 1, H, W)` or `(B, H, W)` gray images, or `(B, 3, H, W)` in color, in [0, 1].
        titles: One for each image, or none.
        columns: Images in a row.
        limits: Values drawn black and white for gray images; without them each image uses its own
            smallest and largest value.

    Raises:
        ValueError: If the shape is another one, there is no image, or the titles do not match.

    Explained in:
        [LeNet][lenet]
    """
    batch = images.detach().cpu()
    if batch.dim() == 4 and batch.shape[1] == 1:
        batch = batch[:, 0]
    if batch.dim() == 4 and batch.shape[1] == 3:
        batch = batch.permute(0, 2, 3, 1)  # (B, H, W, 3), as matplotlib wants it
    elif batch.dim() != 3 or len(batch) == 0:
        raise ValueError(
            f"images must have shape (B, 1, H, W), (B, H, W) or (B, 3, H, W) with B > 0, "
            f"got {tuple(images.shape)}"
        )
    if titles and len(titles) != len(batch):
        raise ValueError(f"titles must be as many as images, {len(batch)}, got {len(titles)}")
    columns = min(columns, len(batch))
    rows = -(-len(batch) // columns)
    size = 7.0 / columns
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, figsize=(7.0, rows * (size + (0.25 if titles else 0)))
    )
    low, high = limits or (None, None)
    for ax in axes.flat:
        ax.set_axis_off()
    for index, (image, ax) in enumerate(zip(batch.numpy(), axes.flat, strict=False)):
        ax.imshow(image, vmin=low, vmax=high)
        if titles:
            ax.set_title(titles[index], fontsize=10)
    return figure


# --8<-- [end:show_images]
