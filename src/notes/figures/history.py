"""Learning curves: one quantity over the epochs, in training and in validation."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator


def draw_history(
    history: Mapping[str, Sequence[float]], ax: Axes | None = None, *, quantity: str = "loss"
) -> Axes:
    """Draw how the loss, or another quantity, changed from epoch to epoch.

    Args:
        history: What `fit` returns: a list with a value per epoch under each of the names
            `train_loss`, `val_loss`, `train_accuracy`, `val_accuracy`, and so on.
        ax: Where to draw; a new figure if not given.
        quantity: What follows `train_` and `val_` in the names. One of the two is enough.

    Raises:
        ValueError: If the history has no epoch of this quantity.

    Examples:
        >>> ax = draw_history({"train_loss": [1.9, 1.2, 0.8], "val_loss": [1.7, 1.2, 0.9]})
        >>> ax.get_xlabel(), ax.get_ylabel(), len(ax.lines)
        ('epoch', 'loss', 2)

    Explained in:
        [LeNet][lenet]
    """
    curves = {
        label: [float(value) for value in history.get(f"{part}_{quantity}", ())]
        for part, label in (("train", "training"), ("val", "validation"))
    }
    if not any(curves.values()):
        epochs = {name: len(values) for name, values in history.items()}
        raise ValueError(
            f"history must hold an epoch of train_{quantity} or val_{quantity}, got {epochs}"
        )
    if ax is None:
        _, ax = plt.subplots()
    for label, values in curves.items():
        if values:
            ax.plot(range(1, len(values) + 1), values, marker="o", markersize=4, label=label)
    ax.set(xlabel="epoch", ylabel=quantity)
    whole = MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1)
    ax.xaxis.set_major_locator(whole)
    ax.legend()
    return ax
