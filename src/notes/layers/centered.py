"""The centered layer: the smallest layer of one's own, without any parameter."""

from torch import Tensor, nn

from notes.checks import check_floating, check_not_empty


# --8<-- [start:center]
def center(inputs: Tensor, dim: int | None = None) -> Tensor:
    r"""The inputs minus their mean.

    $$y_i = x_i - \frac{1}{n} \sum_{j=1}^{n} x_j$$

    Args:
        inputs: Any shape, floating point.
        dim: The dimension along which the mean is taken. Without one it is the mean of *all*
            entries: then the examples of a batch influence each other.

    Returns:
        The same shape. The mean is 0 up to rounding.

    Raises:
        TypeError: If the inputs are not a floating-point tensor.
        ValueError: If there is no input, or no such dimension.

    Examples:
        >>> import torch
        >>> center(torch.tensor([1.0, 2.0, 3.0]))
        tensor([-1.,  0.,  1.])

    Explained in:
        [Layers by hand][layers-by-hand]
    """
    check_floating("inputs", inputs)
    check_not_empty("inputs", inputs)
    if dim is None:
        return inputs - inputs.mean()
    if not -inputs.dim() <= dim < inputs.dim():
        raise ValueError(f"dim must lie in [{-inputs.dim()}, {inputs.dim()}), got {dim}")
    return inputs - inputs.mean(dim=dim, keepdim=True)


# --8<-- [end:center]


# --8<-- [start:CenteredLayer]
class CenteredLayer(nn.Module):
    """Takes the mean away: any shape to the same shape.

    The *output* has mean 0. The layer has no parameters, so there is nothing of its own that
    could be centered, trained or saved.

    Args:
        dim: As for `center`: none for the mean of all entries, -1 for each example by itself.

    Attributes:
        dim: As given.

    Examples:
        >>> import torch
        >>> layer = CenteredLayer(dim=-1)
        >>> layer(torch.tensor([[1.0, 3.0], [10.0, 30.0]]))
        tensor([[ -1.,   1.],
                [-10.,  10.]])

    Explained in:
        [Layers by hand][layers-by-hand]
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return center(inputs, self.dim)


# --8<-- [end:CenteredLayer]
