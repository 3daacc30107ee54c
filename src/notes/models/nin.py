"""Network in Network: no dense layer at all.

Source: Lin, Chen, Yan, "Network In Network" (2013), https://arxiv.org/abs/1312.4400. Differs from
the paper: the sizes of AlexNet, as in the lecture behind the notes, instead of those for 32x32
images.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict

from torch import nn

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier, scaled


def nin_block(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """A convolution, then twice a dense layer for each pixel: two 1x1 convolutions.

    Only the first convolution has the stride and the padding. With them, the 1x1 convolutions
    would throw pixels away and frame the maps with values made from nothing but their biases.

    Examples:
        >>> import torch
        >>> nin_block(1, 8, kernel_size=5, padding=2)(torch.zeros(1, 1, 9, 9)).shape
        torch.Size([1, 8, 9, 9])

    Explained in:
        [Network in network][network-in-network]
    """
    # --8<-- [start:block]
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1),
        nn.ReLU(),
    )
    # --8<-- [end:block]


def nin(
    in_channels: int = 1, num_classes: int = 10, *, width: float = 1.0, final_relu: bool = True
) -> ImageClassifier:
    """NiN: `(B, C, H, W)` images of at least 67x67 to `(B, K)` logits, made for 224x224.

    With the default sizes it has 1,992,166 parameters and costs 762,297,352 multiply-adds for a
    224x224 image.

    Args:
        in_channels: Channels of the images, 1 for gray ones and 3 for color.
        num_classes: Number of logits; the last block has one channel for each class.
        width: Multiplies the channels of the other blocks.
        final_relu: Whether the last block ends in a ReLU, as in the notes. Then no logit is ever
            negative, and a class whose logit is 0 for all images gets no gradient for its own
            weights: only a change in the layers below can bring it back.

    Raises:
        ValueError: If a size is not positive; from the call, if the images are too small.

    Source:
        Lin, Chen, Yan (2013), https://arxiv.org/abs/1312.4400

    Examples:
        >>> import torch
        >>> nin(width=0.1)(torch.zeros(2, 1, 67, 67)).shape
        torch.Size([2, 10])

    Explained in:
        [Network in network][network-in-network]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    channels1, channels2, channels3 = scaled(96, width), scaled(256, width), scaled(384, width)
    # --8<-- [start:layers]
    block4 = nin_block(channels3, num_classes, kernel_size=3, padding=1)
    # The shapes are those of full width, for 224x224 images.
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        block1=nin_block(in_channels, channels1, kernel_size=11, stride=4),  # (B, 96, 54, 54)
        pool1=nn.MaxPool2d(kernel_size=3, stride=2),  # (B, 96, 26, 26)
        block2=nin_block(channels1, channels2, kernel_size=5, padding=2),  # (B, 256, 26, 26)
        pool2=nn.MaxPool2d(kernel_size=3, stride=2),  # (B, 256, 12, 12)
        block3=nin_block(channels2, channels3, kernel_size=3, padding=1),  # (B, 384, 12, 12)
        pool3=nn.MaxPool2d(kernel_size=3, stride=2),  # (B, 384, 5, 5)
        dropout=nn.Dropout(0.5),
        block4=block4 if final_relu else block4[:-1],  # (B, K, 5, 5)
        average=nn.AdaptiveAvgPool2d(1),  # (B, K, 1, 1)
        flatten=nn.Flatten(),  # (B, K)
    )
    # --8<-- [end:layers]
    return ImageClassifier(stages, name="NiN")
