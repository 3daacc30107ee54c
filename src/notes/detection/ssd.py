"""A small single-shot detector: one pass over the image, anchors on maps of several sizes.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2015), https://arxiv.org/abs/1512.02325,
in the small form of "Dive into Deep Learning". Differs from the paper: a base network of six
convolutions with batch normalization instead of VGG-16, five maps, four anchors in each cell.

Shapes: `B` batch, `C` channels, `H W` space, `A` anchors, `K` classes without the background.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from notes.checks import check_floating, check_positive, check_shape
from notes.detection.anchors import grid_anchors

SIZES = ((0.2, 0.272), (0.37, 0.447), (0.54, 0.619), (0.71, 0.79), (0.88, 0.961))
RATIOS = (1.0, 2.0, 0.5)


class Predictions(NamedTuple):
    """What a single-shot detector says about a batch of images.

    Attributes:
        class_logits: `(B, A, K + 1)` scores before the softmax; class 0 is the background.
        offsets: `(B, A, 4)` from each anchor to its box, as `encode_offsets` makes them.
        anchors: `(A, 4)` boxes, `xyxy`, as shares of the image, the same for all images.

    Explained in:
        [SSD][ssd]
    """

    class_logits: Tensor
    offsets: Tensor
    anchors: Tensor


def class_predictor(in_channels: int, num_anchors: int, num_classes: int) -> nn.Conv2d:
    """In each cell, a score for each of `a` anchors and each class, or the background.

    From a map `(B, C, H, W)` to `(B, a * (K + 1), H, W)`. A number that is not positive is refused.

    Explained in:
        [SSD][ssd]
    """
    check_positive("in_channels", in_channels)
    check_positive("num_anchors", num_anchors)
    check_positive("num_classes", num_classes)
    # --8<-- [start:class_predictor]
    return nn.Conv2d(in_channels, num_anchors * (num_classes + 1), kernel_size=3, padding=1)
    # --8<-- [end:class_predictor]


def box_predictor(in_channels: int, num_anchors: int) -> nn.Conv2d:
    """In each cell, four offsets for each of `a` anchors: `(B, C, H, W)` to `(B, a * 4, H, W)`.

    Explained in:
        [SSD][ssd]
    """
    check_positive("in_channels", in_channels)
    check_positive("num_anchors", num_anchors)
    # --8<-- [start:box_predictor]
    return nn.Conv2d(in_channels, num_anchors * 4, kernel_size=3, padding=1)
    # --8<-- [end:box_predictor]


def flatten_predictions(predictions: Tensor) -> Tensor:
    """All values of an image in one row, those of a cell side by side.

    The channels go last first. Otherwise the row would hold one channel of all cells, then the
    next, and the values of one anchor would lie far apart.

    Args:
        predictions: `(B, C, H, W)` from a prediction layer.

    Returns:
        `(B, H * W * C)`: cells in reading order, as the anchors are.

    Raises:
        ValueError: If the shape is another one.

    Examples:
        >>> flatten_predictions(torch.tensor([[[[1.0, 2.0]], [[10.0, 20.0]]]]))
        tensor([[ 1., 10.,  2., 20.]])

    Explained in:
        [SSD][ssd]
    """
    check_shape("predictions", predictions, "B", "C", "H", "W")
    # --8<-- [start:flatten_predictions]
    return predictions.permute(0, 2, 3, 1).flatten(start_dim=1)
    # --8<-- [end:flatten_predictions]


def concatenate_predictions(predictions: Sequence[Tensor]) -> Tensor:
    """The predictions of several maps in one row for each image.

    Args:
        predictions: From each map `(B, C, H, W)`, at least one; C, H and W may differ.

    Returns:
        `(B, L)`, where L is the sum of all `C * H * W`.

    Examples:
        >>> maps = [torch.zeros(2, 55, 20, 20), torch.zeros(2, 33, 10, 10)]
        >>> concatenate_predictions(maps).shape
        torch.Size([2, 25300])

    Explained in:
        [SSD][ssd]
    """
    if not predictions:
        raise ValueError("predictions must hold at least one map, got none")
    # --8<-- [start:concatenate_predictions]
    return torch.cat([flatten_predictions(one) for one in predictions], dim=1)
    # --8<-- [end:concatenate_predictions]


def halving_block(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two convolutions, then half the height and width: `(B, C, H, W)` to `(B, D, H/2, W/2)`.

    Examples:
        >>> halving_block(3, 10)(torch.zeros(2, 3, 20, 20)).shape
        torch.Size([2, 10, 10, 10])

    Explained in:
        [SSD][ssd]
    """
    check_positive("in_channels", in_channels)
    check_positive("out_channels", out_channels)
    # --8<-- [start:halving_block]
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1))
        layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.MaxPool2d(2))
    # --8<-- [end:halving_block]


def base_network(in_channels: int = 3, channels: Sequence[int] = (16, 32, 64)) -> nn.Sequential:
    """One halving block for each entry of `channels`: `(B, 3, 256, 256)` to `(B, 64, 32, 32)`.

    Explained in:
        [SSD][ssd]
    """
    if not channels:
        raise ValueError("channels must have at least one entry, got none")
    # --8<-- [start:base_network]
    inputs = [in_channels, *channels[:-1]]
    return nn.Sequential(*(halving_block(*pair) for pair in zip(inputs, channels, strict=True)))
    # --8<-- [end:base_network]


class TinySSD(nn.Module):
    """A single-shot detector with 1,010,376 parameters for one class.

    The maps get smaller and their anchors larger: the base network's map finds small objects, then
    halving blocks, and in the end one cell for the whole image. Any image size will do that leaves
    a pixel for the last block, 64 with the default arguments.

    Args:
        num_classes: Classes `K` without the background.
        in_channels: Channels of the images.
        sizes: For each map the sizes of its anchors, as shares of the image's height. The number
            of entries is the number of maps.
        ratios: Width over height of the anchors, the same on all maps. A cell has an anchor for
            each size and each ratio but one, see `grid_anchors`; the prediction layers follow.
        base_channels: Channels after each block of the base network.
        channels: Channels of all maps but the first.

    Raises:
        ValueError: If a number is not positive, there are fewer than two maps, or a map has no
            size, or there is no ratio.

    Examples:
        >>> model = TinySSD(num_classes=1)
        >>> class_logits, offsets, anchors = model(torch.zeros(2, 3, 256, 256))
        >>> class_logits.shape, offsets.shape, anchors.shape
        (torch.Size([2, 5444, 2]), torch.Size([2, 5444, 4]), torch.Size([5444, 4]))

    Explained in:
        [SSD][ssd]
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        *,
        sizes: Sequence[Sequence[float]] = SIZES,
        ratios: Sequence[float] = RATIOS,
        base_channels: Sequence[int] = (16, 32, 64),
        channels: int = 128,
    ) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"sizes must have an entry for each of 2 maps or more, got {sizes}")
        self.num_classes, self.in_channels = num_classes, in_channels
        self.sizes, self.ratios = sizes, ratios
        self.smallest = 2 ** (len(base_channels) + len(sizes) - 2)
        # --8<-- [start:layers]
        self.stages = nn.ModuleList([base_network(in_channels, base_channels)])
        widths = [base_channels[-1]] + [channels] * (len(sizes) - 1)  # channels of each map
        for before, after in pairwise(widths[:-1]):
            self.stages.append(halving_block(before, after))
        self.stages.append(nn.AdaptiveMaxPool2d(1))
        nums = [len(grid_anchors(1, 1, one, ratios)) for one in sizes]  # in a cell of each map
        places = list(zip(widths, nums, strict=True))
        self.class_predictors = nn.ModuleList(class_predictor(*p, num_classes) for p in places)
        self.box_predictors = nn.ModuleList(box_predictor(*p) for p in places)
        # --8<-- [end:layers]

    def forward(self, images: Tensor) -> Predictions:
        """`(B, C, H, W)` images to logits `(B, A, K + 1)`, offsets `(B, A, 4)` and anchors."""
        check_shape("images", images, "B", self.in_channels, "H", "W")
        check_floating("images", images)
        if min(images.shape[2:]) < self.smallest:
            raise ValueError(
                f"images must have sides of at least {self.smallest} pixels, "
                f"got {tuple(images.shape[2:])}"
            )
        # --8<-- [start:forward]
        features, maps = images, []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        class_maps = [layer(one) for layer, one in zip(self.class_predictors, maps, strict=True)]
        box_maps = [layer(one) for layer, one in zip(self.box_predictors, maps, strict=True)]
        class_logits = concatenate_predictions(class_maps)
        return Predictions(
            class_logits.view(len(images), -1, self.num_classes + 1),
            concatenate_predictions(box_maps).view(len(images), -1, 4),
            self.anchors([(one.shape[2], one.shape[3]) for one in maps], images),
        )
        # --8<-- [end:forward]

    def anchors(self, map_sizes: Sequence[tuple[int, int]], like: Tensor) -> Tensor:
        """The anchors of maps with these heights and widths, on the device of `like`."""
        dtype = torch.promote_types(like.dtype, torch.float32)  # half precision cannot hold places
        return torch.cat(
            [
                grid_anchors(*size, sizes, self.ratios, dtype=dtype, device=like.device)
                for size, sizes in zip(map_sizes, self.sizes, strict=True)
            ]
        )
