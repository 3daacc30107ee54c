"""The network for CIFAR-10 that the notes build again and again.

Source: our own, after the notes; three convolutions and two dense layers in the manner of LeCun et
al. (1998), https://doi.org/10.1109/5.726791. Differs from the notes: a ReLU after every layer but
the last. Without them, only the poolings keep the network from being one linear map.

Shapes: `B` batch, `C` channels, `K` classes.
"""

from collections import OrderedDict
from typing import Literal

from torch import nn

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier

# --8<-- [start:cifar_cnn]
ACTIVATIONS = {"relu": nn.ReLU, "none": nn.Identity}


def cifar_cnn(
    in_channels: int = 3,
    num_classes: int = 10,
    *,
    hidden_features: int = 64,
    activation: Literal["relu", "none"] = "relu",
) -> ImageClassifier:
    """A small CNN for CIFAR-10: `(B, C, 32, 32)` images to `(B, K)` logits.

    145,578 parameters with 64 hidden features, 211,818 with 128; the notes have both.

    Args:
        in_channels: Channels of the images.
        num_classes: Number of logits, one for each class.
        hidden_features: Features between the two dense layers.
        activation: What stands behind each layer but the last; `none` is the network as noted.

    Raises:
        ValueError: If a number is not positive or the name is not known.

    Examples:
        >>> import torch
        >>> cifar_cnn()(torch.ones(64, 3, 32, 32)).shape
        torch.Size([64, 10])

    Explained in:
        [Models][models]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    hidden_features = as_integer("hidden_features", hidden_features)
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {activation!r}")
    act = ACTIVATIONS[activation]
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(in_channels, 32, kernel_size=5, padding=2),  # (B, 32, 32, 32)
        act1=act(),
        pool1=nn.MaxPool2d(2),  # (B, 32, 16, 16)
        conv2=nn.Conv2d(32, 32, kernel_size=5, padding=2),  # (B, 32, 16, 16)
        act2=act(),
        pool2=nn.MaxPool2d(2),  # (B, 32, 8, 8)
        conv3=nn.Conv2d(32, 64, kernel_size=5, padding=2),  # (B, 64, 8, 8)
        act3=act(),
        pool3=nn.MaxPool2d(2),  # (B, 64, 4, 4)
        flatten=nn.Flatten(),  # (B, 1024)
        hidden=nn.Linear(64 * 4 * 4, hidden_features),
        act4=act(),
        output=nn.Linear(hidden_features, num_classes),
    )
    return ImageClassifier(layers, name="the CIFAR-10 CNN", image_size=32)


# --8<-- [end:cifar_cnn]
