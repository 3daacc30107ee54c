"""One style for all figures.

The colors can be told apart by color-blind readers and stand out from white and from the dark
page alike. Everything that is not data is drawn in `INK`; the site replaces it by a light gray in
the dark scheme.
"""

from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler

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
