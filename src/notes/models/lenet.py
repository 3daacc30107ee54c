"""LeNet, the network that read handwritten digits.

Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998),
https://doi.org/10.1109/5.726791. Differs from the paper: plain average pooling without weights,
every map of the first stage feeds every map of the second, a linear last layer instead of radial
basis functions, sigmoid instead of scaled tanh, and 28x28 images padded to 32x32 by the first
convolution.

Shapes: `B` batch, `C` channels, `K` classes.
"""

from typing import Literal

from torch import nn

from notes.checks import as_integer

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}
POOLINGS = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


def lenet(
    in_channels: int = 1,
    num_classes: int = 10,
    *,
    activation: Literal["sigmoid", "relu", "tanh"] = "sigmoid",
    pooling: Literal["average", "max"] = "average",
) -> nn.Sequential:
    """LeNet for 28x28 images: `(B, C, 28, 28)` images to `(B, K)` scores.

    With the default sizes it has 61,706 parameters and costs 416,520 multiply-adds for an image.

    Args:
        in_channels: Channels of the images, 1 for gray ones.
        num_classes: Number of scores, one for each class.
        activation: The non-linearity after every layer but the last.
        pooling: How each 2x2 window becomes one number.

    Raises:
        ValueError: If a size is not positive or a name is not known.

    Source:
        LeCun et al. (1998), https://doi.org/10.1109/5.726791

    Examples:
        >>> import torch
        >>> lenet()(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])

    Explained in:
        [LeNet][lenet]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {activation!r}")
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {sorted(POOLINGS)}, got {pooling!r}")
    # --8<-- [start:layers]
    act, pool = ACTIVATIONS[activation], POOLINGS[pooling]
    return nn.Sequential(
        nn.Conv2d(in_channels, 6, kernel_size=5, padding=2),  # (B, 6, 28, 28)
        act(),
        pool(kernel_size=2, stride=2),  # (B, 6, 14, 14)
        nn.Conv2d(6, 16, kernel_size=5),  # (B, 16, 10, 10)
        act(),
        pool(kernel_size=2, stride=2),  # (B, 16, 5, 5)
        nn.Flatten(),  # (B, 400)
        nn.Linear(16 * 5 * 5, 120),  # (B, 120)
        act(),
        nn.Linear(120, 84),  # (B, 84)
        act(),
        nn.Linear(84, num_classes),  # (B, K)
    )
    # --8<-- [end:layers]
