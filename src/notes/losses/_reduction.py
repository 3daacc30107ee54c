"""From one loss per example to the number that is minimized."""

from typing import Literal

from torch import Tensor

Reduction = Literal["mean", "sum", "none"]


def reduce_losses(losses: Tensor, reduction: Reduction) -> Tensor:
    """The mean of the losses, their sum, or all of them.

    The gradient of the sum is as many times larger as there are losses, so the same learning rate
    makes larger steps.

    Args:
        losses: Any shape.
        reduction: Which of the three.

    Returns:
        One number, or with `"none"` the losses as they are.

    Raises:
        ValueError: If the reduction is not known.

    Examples:
        >>> import torch
        >>> losses = torch.tensor([1.0, 2.0, 6.0])
        >>> reduce_losses(losses, "mean"), reduce_losses(losses, "sum")
        (tensor(3.), tensor(9.))

    Explained in:
        [Losses][losses]
    """
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
