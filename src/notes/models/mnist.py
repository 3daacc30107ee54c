"""Three small networks for 28x28 digits: a chain, parallel paths, shortcuts.

They differ in what stands behind each pooling: nothing, an Inception block, a residual block. The
residual one also has more channels.

Source: the chain and the Inception network are those of the notes; the residual one fills a chapter
that they left empty. The ideas are LeCun et al. (1998), https://doi.org/10.1109/5.726791, Szegedy
et al. (2015), https://arxiv.org/abs/1512.00567, and He et al. (2015),
https://arxiv.org/abs/1512.03385. Differs from the last two: no batch normalization, and no
activation inside the Inception block.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier


def mnist_cnn(in_channels: int = 1, num_classes: int = 10) -> ImageClassifier:
    """Two convolutions and a dense layer: `(B, C, 28, 28)` images to `(B, K)` logits.

    8,490 parameters with the default sizes: 68 times fewer than the MLP of the notes.

    Args:
        in_channels: Channels of the images.
        num_classes: Number of logits, one for each class.

    Raises:
        ValueError: If a number is not positive.

    Examples:
        >>> mnist_cnn()(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])

    Explained in:
        [A small network for digits][a-small-network-for-digits]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    # --8<-- [start:mnist_cnn]
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(in_channels, 10, kernel_size=5),  # (B, 10, 24, 24)
        pool1=nn.MaxPool2d(2),  # (B, 10, 12, 12)
        relu1=nn.ReLU(),  # after the pooling: the same result for a quarter of the work
        conv2=nn.Conv2d(10, 20, kernel_size=5),  # (B, 20, 8, 8)
        pool2=nn.MaxPool2d(2),  # (B, 20, 4, 4)
        relu2=nn.ReLU(),
        flatten=nn.Flatten(),  # (B, 320)
        output=nn.Linear(20 * 4 * 4, num_classes),
    )
    return ImageClassifier(layers, name="the MNIST CNN", image_size=28)
    # --8<-- [end:mnist_cnn]


class InceptionA(nn.Module):
    """Four paths of windows of different sizes; 88 channels for any number of input channels.

    Args:
        in_channels: Channels of the input.

    Examples:
        >>> InceptionA(10)(torch.zeros(2, 10, 12, 12)).shape
        torch.Size([2, 88, 12, 12])

    Explained in:
        [A small network for digits][a-small-network-for-digits]
    """

    out_channels = 16 + 24 + 24 + 24

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        # --8<-- [start:InceptionA]
        self.path1x1 = nn.Conv2d(in_channels, 16, kernel_size=1)
        self.path5x5 = nn.Sequential(
            nn.Conv2d(in_channels, 16, kernel_size=1),
            nn.Conv2d(16, 24, kernel_size=5, padding=2),
        )
        self.path3x3 = nn.Sequential(
            nn.Conv2d(in_channels, 16, kernel_size=1),
            nn.Conv2d(16, 24, kernel_size=3, padding=1),
            nn.Conv2d(24, 24, kernel_size=3, padding=1),
        )
        self.path_pool = nn.Sequential(
            nn.AvgPool2d(kernel_size=3, stride=1, padding=1),
            nn.Conv2d(in_channels, 24, kernel_size=1),
        )
        # --8<-- [end:InceptionA]

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` maps to `(B, 88, H, W)` maps."""
        paths = [self.path1x1(x), self.path5x5(x), self.path3x3(x), self.path_pool(x)]
        return torch.cat(paths, dim=1)


def mnist_inception(in_channels: int = 1, num_classes: int = 10) -> ImageClassifier:
    """The chain with parallel paths: `(B, C, 28, 28)` images to `(B, K)` logits.

    97,298 parameters with the default sizes; the dense layer gets 1,408 features.

    Args:
        in_channels: Channels of the images.
        num_classes: Number of logits, one for each class.

    Raises:
        ValueError: If a number is not positive.

    Examples:
        >>> mnist_inception()(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])

    Explained in:
        [A small network for digits][a-small-network-for-digits]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    # --8<-- [start:mnist_inception]
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(in_channels, 10, kernel_size=5),  # (B, 10, 24, 24)
        pool1=nn.MaxPool2d(2),  # (B, 10, 12, 12)
        relu1=nn.ReLU(),
        inception1=InceptionA(10),  # (B, 88, 12, 12)
        conv2=nn.Conv2d(InceptionA.out_channels, 20, kernel_size=5),  # (B, 20, 8, 8)
        pool2=nn.MaxPool2d(2),  # (B, 20, 4, 4)
        relu2=nn.ReLU(),
        inception2=InceptionA(20),  # (B, 88, 4, 4)
        flatten=nn.Flatten(),  # (B, 1408)
        output=nn.Linear(InceptionA.out_channels * 4 * 4, num_classes),
    )
    return ImageClassifier(layers, name="the MNIST Inception network", image_size=28)
    # --8<-- [end:mnist_inception]


class PlainResidualBlock(nn.Module):
    """`relu(x + conv2(relu(conv1(x))))`: the idea of a residual block and nothing else.

    Args:
        channels: Of the input and of the output; the sum needs them equal.

    Examples:
        >>> PlainResidualBlock(16)(torch.zeros(2, 16, 12, 12)).shape
        torch.Size([2, 16, 12, 12])

    Explained in:
        [A small one][a-small-one]
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` maps to maps of the same shape."""
        result: Tensor = self.relu2(x + self.conv2(self.relu1(self.conv1(x))))
        return result


def mnist_resnet(in_channels: int = 1, num_classes: int = 10) -> ImageClassifier:
    """The chain with shortcuts: `(B, C, 28, 28)` images to `(B, K)` logits.

    41,514 parameters with the default sizes.

    Args:
        in_channels: Channels of the images.
        num_classes: Number of logits, one for each class.

    Raises:
        ValueError: If a number is not positive.

    Examples:
        >>> mnist_resnet()(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])

    Explained in:
        [A small one][a-small-one]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    # --8<-- [start:mnist_resnet_layers]
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(in_channels, 16, kernel_size=5),  # (B, 16, 24, 24)
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),  # (B, 16, 12, 12)
        residual1=PlainResidualBlock(16),
        conv2=nn.Conv2d(16, 32, kernel_size=5),  # (B, 32, 8, 8)
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),  # (B, 32, 4, 4)
        residual2=PlainResidualBlock(32),
        flatten=nn.Flatten(),  # (B, 512)
        output=nn.Linear(32 * 4 * 4, num_classes),
    )
    # --8<-- [end:mnist_resnet_layers]
    return ImageClassifier(layers, name="the MNIST ResNet", image_size=28)
