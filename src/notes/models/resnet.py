"""Residual networks: ResNet-18 for photos, and the family of thin deep ones for CIFAR-10.

Source: He et al., "Deep Residual Learning for Image Recognition" (2015),
https://arxiv.org/abs/1512.03385. Differs from the paper: ResNet-18 is the lecture's, whose
convolutions keep a bias (useless before batch normalization, which subtracts the mean) and whose
1x1 shortcuts have no batch normalization of their own; gray images in 10 classes unless asked
otherwise.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from notes.checks import as_integer
from notes.models.classifier import ImageClassifier, scaled


class ZeroPaddedShortcut(nn.Module):
    """A shortcut without weights: every `stride`-th pixel, and zeros for the new channels.

    Args:
        new_channels: How many channels to add, half of them in front.
        stride: Distance between the pixels that are kept.

    Source:
        He et al. (2015), https://arxiv.org/abs/1512.03385, option A

    Explained in:
        [ResNet][resnet]
    """

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.before, self.after = new_channels // 2, new_channels - new_channels // 2
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` maps to `(B, C + new_channels, H / stride, W / stride)` maps."""
        every = x[:, :, :: self.stride, :: self.stride]
        return F.pad(every, (0, 0, 0, 0, self.before, self.after))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to what went in.

    If they learn nothing, the block still passes its input on: a deeper network can do all that
    the shallower one could.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: 2 halves height and width.
        shortcut: How the input gets the shape of the output where that differs: `projection`
            is a 1x1 convolution, `padding` has no weights.
        bias: Whether the convolutions have one.

    Source:
        He et al. (2015), https://arxiv.org/abs/1512.03385, figure 2

    Examples:
        >>> import torch
        >>> ResidualBlock(3, 6, stride=2)(torch.zeros(4, 3, 6, 6)).shape
        torch.Size([4, 6, 3, 3])

    Explained in:
        [ResNet][resnet]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        *,
        shortcut: Literal["projection", "padding"] = "projection",
        bias: bool = True,
    ) -> None:
        super().__init__()
        # --8<-- [start:block_layers]
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=bias)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=bias)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module
        if stride == 1 and in_channels == out_channels:
            self.shortcut = nn.Identity()
        elif shortcut == "projection":
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias)
        elif shortcut == "padding" and out_channels >= in_channels:
            self.shortcut = ZeroPaddedShortcut(out_channels - in_channels, stride)
        elif shortcut == "padding":
            raise ValueError(f"out_channels must be at least {in_channels}, got {out_channels}")
        else:
            raise ValueError(f"shortcut must be 'projection' or 'padding', got {shortcut!r}")
        self.relu2 = nn.ReLU()
        # --8<-- [end:block_layers]

    def forward(self, x: Tensor) -> Tensor:
        """`(B, in_channels, H, W)` maps to `(B, out_channels, H / stride, W / stride)` maps."""
        # --8<-- [start:block_forward]
        y = self.relu1(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        result: Tensor = self.relu2(y + self.shortcut(x))
        return result
        # --8<-- [end:block_forward]


def resnet18(in_channels: int = 1, num_classes: int = 10, *, width: float = 1.0) -> ImageClassifier:
    """ResNet-18: `(B, C, H, W)` images of any size to `(B, K)` logits, made for 224x224.

    With the default sizes it has 11,178,378 parameters. Training needs more than one value for
    each channel, so a batch of one image must be larger than 32x32.

    Args:
        in_channels: Channels of the images, 1 for gray ones and 3 for color.
        num_classes: Number of logits, one for each class.
        width: Multiplies the channels.

    Raises:
        ValueError: If a size is not positive.

    Source:
        He et al. (2015), https://arxiv.org/abs/1512.03385, table 1

    Examples:
        >>> import torch
        >>> resnet18(width=0.1)(torch.zeros(2, 1, 96, 96)).shape
        torch.Size([2, 10])

    Explained in:
        [ResNet][resnet]
    """
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    # --8<-- [start:resnet18_layers]
    channels1, channels2, channels3, channels4 = (scaled(n, width) for n in (64, 128, 256, 512))
    stages = OrderedDict[str, nn.Module](  # the shapes are those of full width, for 224x224 images
        stem=nn.Sequential(
            nn.Conv2d(in_channels, channels1, kernel_size=7, stride=2, padding=3),
            nn.BatchNorm2d(channels1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),  # (B, 64, 56, 56)
        ),
        stage1=_two_blocks(channels1, channels1, stride=1),  # (B, 64, 56, 56)
        stage2=_two_blocks(channels1, channels2, stride=2),  # (B, 128, 28, 28)
        stage3=_two_blocks(channels2, channels3, stride=2),  # (B, 256, 14, 14)
        stage4=_two_blocks(channels3, channels4, stride=2),  # (B, 512, 7, 7)
        average=nn.AdaptiveAvgPool2d(1),  # (B, 512, 1, 1)
        flatten=nn.Flatten(),  # (B, 512)
        output=nn.Linear(channels4, num_classes),
    )
    return ImageClassifier(stages, name="ResNet-18")
    # --8<-- [end:resnet18_layers]


def _two_blocks(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        ResidualBlock(in_channels, out_channels, stride),
        ResidualBlock(out_channels, out_channels),
    )


def cifar_resnet(
    depth: int = 20, in_channels: int = 3, num_classes: int = 10, *, width: float = 1.0
) -> ImageClassifier:
    """ResNet for small images: `(B, C, H, W)` images to `(B, K)` logits, made for 32x32.

    A first convolution, three stages of `2 * n` convolutions with 16, 32 and 64 channels, and one
    dense layer: `depth = 6 * n + 2`. The shortcuts have no weights. ResNet-20 has 269,722
    parameters.

    Args:
        depth: Number of layers with weights: 8, 14, 20, 32, 44, 56, 110, ...
        in_channels: Channels of the images, 1 for gray ones and 3 for color.
        num_classes: Number of logits, one for each class.
        width: Multiplies the channels.

    Raises:
        ValueError: If the depth is not `6 * n + 2` or a size is not positive.

    Source:
        He et al. (2015), https://arxiv.org/abs/1512.03385, section 4.2

    Examples:
        >>> import torch
        >>> cifar_resnet(8)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])

    Explained in:
        [ResNet][resnet]
    """
    depth = as_integer("depth", depth, minimum=8)
    if (depth - 2) % 6:
        raise ValueError(f"depth must be 6 n + 2 with a whole n, got {depth}")
    in_channels = as_integer("in_channels", in_channels)
    num_classes = as_integer("num_classes", num_classes)
    blocks_per_stage = (depth - 2) // 6
    channels1, channels2, channels3 = (scaled(count, width) for count in (16, 32, 64))
    stages = OrderedDict[str, nn.Module](  # the shapes are those of full width, for 32x32 images
        stem=nn.Sequential(
            nn.Conv2d(in_channels, channels1, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(channels1),
            nn.ReLU(),
        ),
        stage1=_padded_blocks(blocks_per_stage, channels1, channels1, stride=1),  # (B, 16, 32, 32)
        stage2=_padded_blocks(blocks_per_stage, channels1, channels2, stride=2),  # (B, 32, 16, 16)
        stage3=_padded_blocks(blocks_per_stage, channels2, channels3, stride=2),  # (B, 64, 8, 8)
        average=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),  # (B, 64)
        output=nn.Linear(channels3, num_classes),
    )
    return ImageClassifier(stages, name=f"ResNet-{depth}")


def _padded_blocks(count: int, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    first = ResidualBlock(in_channels, out_channels, stride, shortcut="padding", bias=False)
    others = (ResidualBlock(out_channels, out_channels, bias=False) for _ in range(count - 1))
    return nn.Sequential(first, *others)
