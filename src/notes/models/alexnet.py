"""AlexNet, the network that won ImageNet in 2012.

Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks" (2012), https://doi.org/10.1145/3065386. Differs from the paper: one stream instead of
two GPUs, no local response normalization, one pixel of padding in the first convolution (so that
224x224 images end in 5x5 maps), and gray images in 10 classes unless asked otherwise.

Shapes: `B` batch, `C` channels, `K` classes.
"""

from collections import OrderedDict

from torch import nn

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier, check_image_size, map_side, scaled


def alexnet(
    in_channels: int = 1, num_classes: int = 10, *, image_size: int = 224, width: float = 1.0
) -> ImageClassifier:
    """AlexNet: `(B, C, 224, 224)` images to `(B, K)` logits.

    With the default sizes it has 46,764,746 parameters, 92 % of them in the dense layers, and
    costs 938,146,176 multiply-adds for an image.

    Args:
        in_channels: Channels of the images, 1 for gray ones and 3 for color.
        num_classes: Number of logits, one for each class.
        image_size: Height and width of the images; the first dense layer is made for it.
        width: Multiplies the channels and the hidden features; 0.25 makes a network that a CPU
            trains in minutes.

    Raises:
        ValueError: If a size is not positive or the images are too small.

    Source:
        Krizhevsky, Sutskever, Hinton (2012), https://doi.org/10.1145/3065386

    Examples:
        >>> import torch
        >>> alexnet(image_size=96, width=0.1)(torch.zeros(2, 1, 96, 96)).shape
        torch.Size([2, 10])

    Explained in:
        [AlexNet][alexnet]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    image_size = as_integer("image_size", image_size)
    # --8<-- [start:layers]
    channels1, channels2, channels3 = scaled(96, width), scaled(256, width), scaled(384, width)
    hidden_features = scaled(4096, width)
    features = nn.Sequential(  # the shapes are those of full width, for 224x224 images
        # A large window with a large step: from 224x224 to 54x54 at once.
        nn.Conv2d(in_channels, channels1, kernel_size=11, stride=4, padding=1),  # (B, 96, 54, 54)
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),  # (B, 96, 26, 26)
        nn.Conv2d(channels1, channels2, kernel_size=5, padding=2),  # (B, 256, 26, 26)
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),  # (B, 256, 12, 12)
        nn.Conv2d(channels2, channels3, kernel_size=3, padding=1),  # (B, 384, 12, 12)
        nn.ReLU(),
        nn.Conv2d(channels3, channels3, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels3, channels2, kernel_size=3, padding=1),  # (B, 256, 12, 12)
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),  # (B, 256, 5, 5)
    )
    check_image_size("AlexNet", features, image_size, image_size)
    classifier = nn.Sequential(
        nn.Flatten(),  # (B, 6400)
        nn.Linear(channels2 * map_side(features, image_size) ** 2, hidden_features),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden_features, hidden_features),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden_features, num_classes),
    )
    # --8<-- [end:layers]
    stages = OrderedDict[str, nn.Module](features=features, classifier=classifier)
    return ImageClassifier(stages, name="AlexNet", image_size=image_size)
