"""GoogLeNet: nine blocks with four parallel paths each.

Source: Szegedy et al., "Going Deeper with Convolutions" (2014), https://arxiv.org/abs/1409.4842.
Differs from the paper: no auxiliary classifiers, no local response normalization, no dropout before
the last layer, and gray images in 10 classes unless asked otherwise. torchvision's `googlenet` has
batch normalization and 3x3 windows where the paper has 5x5.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier, scaled

Paths = tuple[int, tuple[int, int], tuple[int, int], int]


class Inception(nn.Module):
    """Four paths that look at the same maps in windows of different sizes.

    Args:
        in_channels: Channels of the input.
        paths: Channels of the 1x1 path, of the 3x3 path (before and after), of the 5x5 path
            (before and after) and of the pooling path.

    Source:
        Szegedy et al. (2014), https://arxiv.org/abs/1409.4842, figure 2b

    Examples:
        >>> Inception(192, (64, (96, 128), (16, 32), 32))(torch.zeros(1, 192, 28, 28)).shape
        torch.Size([1, 256, 28, 28])

    Explained in:
        [GoogLeNet][googlenet]
    """

    def __init__(self, in_channels: int, paths: Paths) -> None:
        super().__init__()
        # --8<-- [start:inception]
        one, (three_before, three), (five_before, five), pooled = paths
        self.path1 = _convolution(in_channels, one, kernel_size=1)
        # The 1x1 convolutions make the expensive windows cheap: they see fewer channels.
        self.path2 = nn.Sequential(
            _convolution(in_channels, three_before, kernel_size=1),
            _convolution(three_before, three, kernel_size=3, padding=1),
        )
        self.path3 = nn.Sequential(
            _convolution(in_channels, five_before, kernel_size=1),
            _convolution(five_before, five, kernel_size=5, padding=2),
        )
        self.path4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1),
            _convolution(in_channels, pooled, kernel_size=1),
        )
        self.out_channels = one + three + five + pooled
        # --8<-- [end:inception]

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` maps to `(B, out_channels, H, W)` maps."""
        # --8<-- [start:forward]
        return torch.cat([self.path1(x), self.path2(x), self.path3(x), self.path4(x)], dim=1)
        # --8<-- [end:forward]


def _convolution(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding)
    return nn.Sequential(conv, nn.ReLU())


# --8<-- [start:paths]
STAGE3: tuple[Paths, ...] = (
    (64, (96, 128), (16, 32), 32),  # 256 channels together
    (128, (128, 192), (32, 96), 64),  # 480
)
STAGE4: tuple[Paths, ...] = (
    (192, (96, 208), (16, 48), 64),  # 512
    (160, (112, 224), (24, 64), 64),  # 512
    (128, (128, 256), (24, 64), 64),  # 512
    (112, (144, 288), (32, 64), 64),  # 528
    (256, (160, 320), (32, 128), 128),  # 832
)
STAGE5: tuple[Paths, ...] = (
    (256, (160, 320), (32, 128), 128),  # 832
    (384, (192, 384), (48, 128), 128),  # 1024
)
# --8<-- [end:paths]


def googlenet(
    in_channels: int = 1, num_classes: int = 10, *, width: float = 1.0
) -> ImageClassifier:
    """GoogLeNet: `(B, C, H, W)` images of any size to `(B, K)` logits, made for 224x224 and 96x96.

    With the default sizes it has 5,977,530 parameters. Everything is padded, so no image is too
    small; but 32x32 images end in maps of one pixel, where a 5x5 window sees only padding around.

    Args:
        in_channels: Channels of the images, 1 for gray ones and 3 for color.
        num_classes: Number of logits, one for each class.
        width: Multiplies the channels of every path.

    Raises:
        ValueError: If a size is not positive.

    Source:
        Szegedy et al. (2014), https://arxiv.org/abs/1409.4842, table 1

    Examples:
        >>> googlenet(width=0.1)(torch.zeros(2, 1, 96, 96)).shape
        torch.Size([2, 10])

    Explained in:
        [GoogLeNet][googlenet]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    # --8<-- [start:googlenet]
    channels1, channels2 = scaled(64, width), scaled(192, width)
    stage3, channels3 = _inceptions(channels2, STAGE3, width)
    stage4, channels4 = _inceptions(channels3, STAGE4, width)
    stage5, channels5 = _inceptions(channels4, STAGE5, width)
    stages = OrderedDict[str, nn.Module](  # the shapes are those of full width, for 96x96 images
        stage1=nn.Sequential(
            _convolution(in_channels, channels1, kernel_size=7, stride=2, padding=3),
            _halve(),  # (B, 64, 24, 24)
        ),
        stage2=nn.Sequential(
            _convolution(channels1, channels1, kernel_size=1),
            _convolution(channels1, channels2, kernel_size=3, padding=1),
            _halve(),  # (B, 192, 12, 12)
        ),
        stage3=nn.Sequential(*stage3, _halve()),  # (B, 480, 6, 6)
        stage4=nn.Sequential(*stage4, _halve()),  # (B, 832, 3, 3)
        stage5=nn.Sequential(*stage5, nn.AdaptiveAvgPool2d(1)),  # (B, 1024, 1, 1)
        flatten=nn.Flatten(),  # (B, 1024)
        output=nn.Linear(channels5, num_classes),
    )
    return ImageClassifier(stages, name="GoogLeNet")
    # --8<-- [end:googlenet]


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=3, stride=2, padding=1)


def _inceptions(
    channels: int, table: tuple[Paths, ...], width: float
) -> tuple[list[Inception], int]:
    """The blocks of one stage, and the channels of the last."""
    blocks = []
    for one, three, five, pooled in table:
        before3, after3 = (scaled(count, width) for count in three)
        before5, after5 = (scaled(count, width) for count in five)
        paths = scaled(one, width), (before3, after3), (before5, after5), scaled(pooled, width)
        blocks.append(Inception(channels, paths))
        channels = blocks[-1].out_channels
    return blocks, channels
