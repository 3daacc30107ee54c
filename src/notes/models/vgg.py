"""VGG: four depths from one description.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(2014), https://arxiv.org/abs/1409.1556. Differs from the paper: an adaptive pooling before the
dense layers lets other image sizes through (it changes nothing for 224x224), and gray images in
10 classes unless asked otherwise. With 3 channels and 1,000 classes it is torchvision's network.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict

from torch import nn

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier, scaled

# --8<-- [start:depths]
CHANNELS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {  # in each of the five blocks
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
# --8<-- [end:depths]


def vgg_block(num_convolutions: int, in_channels: int, out_channels: int) -> nn.Sequential:
    """Convolutions that keep the size, then a pooling that halves it.

    Two 3x3 windows see as much as one 5x5 window, with 18 weights instead of 25.

    Examples:
        >>> import torch
        >>> vgg_block(2, 1, 8)(torch.zeros(1, 1, 32, 32)).shape
        torch.Size([1, 8, 16, 16])

    Explained in:
        [VGG][vgg]
    """
    # --8<-- [start:layers]
    layers: list[nn.Module] = []
    for _ in range(num_convolutions):
        layers += [nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1), nn.ReLU()]
        in_channels = out_channels
    return nn.Sequential(*layers, nn.MaxPool2d(kernel_size=2, stride=2))
    # --8<-- [end:layers]


def vgg(
    depth: int = 11,
    in_channels: int = 1,
    num_classes: int = 10,
    *,
    width: float = 1.0,
    map_size: int = 7,
    hidden_features: int | None = None,
) -> ImageClassifier:
    """VGG: `(B, C, H, W)` images of at least 32x32 to `(B, K)` logits, made for 224x224.

    VGG-11 has 128,806,154 parameters with the default sizes and costs 7.5 billion multiply-adds
    for a 224x224 image.

    Args:
        depth: Number of layers with weights: 11, 13, 16 or 19.
        in_channels: Channels of the images, 1 for gray ones and 3 for color.
        num_classes: Number of logits, one for each class.
        width: Multiplies the channels and the hidden features.
        map_size: Side of the maps that the dense layers get. 7 is what 224x224 images end in; 1 is
            right for 32x32 images.
        hidden_features: Of both hidden dense layers; 4096 times `width` if not given.

    Raises:
        ValueError: If the depth is not known or a size is not positive; from the call, if the
            images are too small.

    Source:
        Simonyan and Zisserman (2014), https://arxiv.org/abs/1409.1556

    Examples:
        >>> import torch
        >>> vgg(11, width=0.1, map_size=1)(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 10])

    Explained in:
        [VGG][vgg]
    """
    depth = as_integer("depth", depth)
    if depth not in CONVOLUTIONS:
        raise ValueError(f"depth must be one of {sorted(CONVOLUTIONS)}, got {depth}")
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    map_size = as_integer("map_size", map_size)
    hidden = scaled(4096, width) if hidden_features is None else hidden_features
    hidden = as_integer("hidden_features", hidden)
    # --8<-- [start:stages]
    channels = [in_channels, *(scaled(count, width) for count in CHANNELS)]
    blocks = OrderedDict[str, nn.Module](
        (f"block{number + 1}", vgg_block(repeats, channels[number], channels[number + 1]))
        for number, repeats in enumerate(CONVOLUTIONS[depth])
    )  # (B, 512, 7, 7) for 224x224 images
    classifier = nn.Sequential(
        nn.AdaptiveAvgPool2d(map_size),
        nn.Flatten(),  # (B, 25088)
        nn.Linear(channels[-1] * map_size**2, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, num_classes),
    )
    # --8<-- [end:stages]
    stages = OrderedDict[str, nn.Module](features=nn.Sequential(blocks), classifier=classifier)
    return ImageClassifier(stages, name=f"VGG-{depth}")
