"""Dropout: in training, switch off some of the numbers at random."""

import torch
from torch import Generator, Tensor, nn

from notes.checks import (
    check_boolean,
    check_device,
    check_floating,
    check_probability,
    check_shape,
)


def keep_mask(inputs: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Draw which entries stay: each by itself, with probability `1 - p`.

    Args:
        inputs: Any shape; only its shape and device matter.
        p: Probability of dropping an entry, in [0, 1].
        generator: Draws the mask, on its own device. Without one, PyTorch's global generator of
            the inputs' device does.

    Returns:
        Booleans in the shape of the inputs: true where the entry stays.

    Raises:
        ValueError: If `p` lies outside [0, 1].

    Examples:
        >>> keep_mask(torch.zeros(3), 1.0), keep_mask(torch.zeros(3), 0.0)
        (tensor([False, False, False]), tensor([True, True, True]))

    Explained in:
        [Dropout between the dense layers][dropout-between-the-dense-layers]
    """
    check_probability("p", p)
    # --8<-- [start:keep_mask_draws]
    source = inputs.device if generator is None else generator.device
    # float32 whatever the inputs are: half precision has too few numbers between 0 and 1.
    # The draws lie in [0, 1), so `>=` keeps everything for p = 0 and nothing for p = 1.
    draws = torch.rand(inputs.shape, generator=generator, device=source, dtype=torch.float32)
    return (draws >= p).to(inputs.device)
    # --8<-- [end:keep_mask_draws]


def apply_mask(inputs: Tensor, keep: Tensor, p: float) -> Tensor:
    r"""Set what is dropped to 0, and what stays a little larger to make up for it.

    $$y = \begin{cases} x / (1 - p) & \text{where kept} \\ 0 & \text{where dropped} \end{cases}$$

    An entry is kept with probability $1 - p$, so the expected value of $y$ is $x$.

    Args:
        inputs: $x$, any shape, floating point.
        keep: Booleans of the same shape, from `keep_mask`.
        p: The probability with which the mask was drawn.

    Returns:
        $y$, in the shape and dtype of the inputs; never an alias of them.

    Raises:
        TypeError: If the inputs are not a floating-point tensor or the mask is not boolean.
        ValueError: If the shapes or devices differ or `p` lies outside [0, 1].

    Examples:
        >>> apply_mask(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]), p=0.5)
        tensor([2., 0., 6.])

    Explained in:
        [Dropout between the dense layers][dropout-between-the-dense-layers]
    """
    check_probability("p", p)
    check_floating("inputs", inputs)
    check_shape("keep", keep, *inputs.shape)
    check_device("inputs", inputs, "keep", keep)
    check_boolean("keep", keep)
    # --8<-- [start:apply_mask_scale]
    scale = 1 / (1 - p) if p < 1 else 0.0
    return torch.where(keep, inputs * scale, 0.0)
    # --8<-- [end:apply_mask_scale]


# --8<-- [start:dropout]
def dropout(inputs: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Drop each entry with probability `p` and scale up the others; what happens in training.

    Args:
        inputs: Any shape, floating point.
        p: Probability of dropping an entry, in [0, 1].
        generator: Draws the mask. Without one, PyTorch's global generator does.

    Returns:
        The same shape and dtype: 0 or `inputs / (1 - p)`.

    Raises:
        TypeError: If the inputs are not a floating-point tensor.
        ValueError: If `p` lies outside [0, 1].

    Source:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"
        (2014), https://jmlr.org/papers/v15/srivastava14a.html. Differs from the paper: scales up
        in training, instead of down in evaluation, as PyTorch does.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> sorted(set(dropout(torch.ones(100), p=0.75, generator=generator).tolist()))
        [0.0, 4.0]

    Explained in:
        [Dropout between the dense layers][dropout-between-the-dense-layers]
    """
    return apply_mask(inputs, keep_mask(inputs, p, generator=generator), p)


# --8<-- [end:dropout]


# --8<-- [start:Dropout]
class Dropout(nn.Module):
    """Dropout in training mode, nothing at all in evaluation mode: any shape to the same shape.

    Every call draws a new mask, with its own draw for every entry of every example.

    Args:
        p: Probability of dropping an entry, in [0, 1].
        generator: Draws the masks. Without one, PyTorch's global generator does.

    Attributes:
        p: As given; a change counts from the next call on.
        generator: As given.

    Raises:
        ValueError: If `p` lies outside [0, 1].

    Examples:
        >>> layer = Dropout(0.5).eval()
        >>> layer(torch.tensor([1.0, 2.0]))
        tensor([1., 2.])

    Explained in:
        [Dropout between the dense layers][dropout-between-the-dense-layers]
    """

    def __init__(self, p: float = 0.5, *, generator: Generator | None = None) -> None:
        check_probability("p", p)
        super().__init__()
        self.p = p
        self.generator = generator

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return dropout(inputs, self.p, generator=self.generator) if self.training else inputs


# --8<-- [end:Dropout]
