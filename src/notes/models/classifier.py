"""The frame of the image networks: a chain of layers that first looks at the images.

Every convolution and pooling makes the maps smaller. If the images are too small, a window in the
middle of the network is larger than what is left, and PyTorch reports sizes that nobody asked for.
The arithmetic here names the layer and the smallest size that works.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor, nn

from notes.checks import as_integer, check_positive, check_shape

KINDS = {nn.Conv2d: "convolution", nn.MaxPool2d: "max pooling", nn.AvgPool2d: "average pooling"}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def scaled(count: int, width: float) -> int:
    """A number of channels or features, times `width`, rounded, and never below 1.

    Halving the width of a network leaves about a quarter of its parameters and multiply-adds:
    each layer has half as many inputs and half as many outputs.

    Args:
        count: Channels or features of the full network.
        width: 1 for the full network, 0.25 for a quarter of the channels.

    Raises:
        ValueError: If `width` is not greater than 0.

    Examples:
        >>> scaled(96, 0.25)
        24
        >>> scaled(96, 0.001)
        1

    Explained in:
        [Models][models]
    """
    check_positive("width", width)
    return max(1, round(count * width))


def _layers_in_order(layers: nn.Module) -> Iterator[nn.Module]:
    """The layers of a chain; chains inside it are opened, blocks with branches are not."""
    for layer in layers.children():
        if isinstance(layer, nn.Sequential):
            yield from _layers_in_order(layer)
        else:
            yield layer


def _one(size: object) -> int:
    """The number behind `3` and `(3, 3)`."""
    numbers = set(size) if isinstance(size, tuple) else {size}
    number = numbers.pop()
    if numbers or not isinstance(number, int):
        raise NotImplementedError(f"windows, steps and padding must be square, got {size!r}")
    return number


def _ordinal(number: int) -> str:
    return ORDINALS[number - 1] if number <= len(ORDINALS) else f"{number}th"


def _side_after(layer: nn.Module, side: int) -> int:
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        return _one(layer.output_size)
    if isinstance(layer, tuple(KINDS)):
        if getattr(layer, "ceil_mode", False):
            raise NotImplementedError("ceil_mode must be False, got True")
        window = _one(getattr(layer, "dilation", 1)) * (_one(layer.kernel_size) - 1) + 1
        return (side + 2 * _one(layer.padding) - window) // _one(layer.stride) + 1
    return side


def map_side(layers: nn.Module, image_side: int) -> int:
    """Height (or width) of the maps that a chain of layers makes of images of this height.

    Counts with `floor((side + 2 * padding - window) / stride) + 1` for every convolution and
    pooling up to the first `nn.Flatten`; a window covers `dilation * (kernel_size - 1) + 1` pixels.
    Other layers and blocks with branches are taken to keep the size.

    Args:
        layers: A chain; chains inside it are followed too.
        image_side: Height or width of the images in pixels.

    Raises:
        ValueError: If `image_side` is not positive or nothing is left after some layer.
        NotImplementedError: If a window is not square or a pooling has `ceil_mode`.

    Examples:
        >>> chain = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2))
        >>> map_side(chain, 28)
        12
        >>> map_side(chain, 5)
        Traceback (most recent call last):
        ...
        ValueError: the first max pooling would have nothing left

    Explained in:
        [Models][models]
    """
    side = as_integer("image_side", image_side)
    seen: dict[str, int] = {}  # so that the message can say "third"
    for layer in _layers_in_order(layers):
        if isinstance(layer, nn.Flatten):
            break
        kind = KINDS.get(type(layer), "layer")
        seen[kind] = seen.get(kind, 0) + 1
        side = _side_after(layer, side)
        if side < 1:
            raise ValueError(f"the {_ordinal(seen[kind])} {kind} would have nothing left")
    return side


def _fits(layers: nn.Module, side: int) -> bool:
    try:
        map_side(layers, side)
    except ValueError:
        return False
    return True


def smallest_image(layers: nn.Module) -> int:
    """Height and width of the smallest square images that pass through a chain of layers.

    Examples:
        >>> smallest_image(nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2)))
        6

    Explained in:
        [Models][models]
    """
    return next(side for side in count(1) if _fits(layers, side))


def check_image_size(name: str, layers: nn.Module, height: int, width: int) -> None:
    """Refuse images that are too small for a chain of layers.

    Raises:
        ValueError: If nothing is left of the images after some layer.

    Examples:
        >>> check_image_size("two pools", nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2)), 3, 8)
        Traceback (most recent call last):
        ...
        ValueError: images must be at least 4 x 4 for two pools, got 3 x 8: the second max pooling \
would have nothing left

    Explained in:
        [Models][models]
    """
    try:
        map_side(layers, min(height, width))
    except ValueError as problem:
        side = smallest_image(layers)
        raise ValueError(
            f"images must be at least {side} x {side} for {name}, got {height} x {width}: {problem}"
        ) from None


def _is_recording() -> bool:
    """Whether a compiler or a tracer (TensorBoard's graph) runs the model: sizes are symbols."""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]  # no types
    return tracing or torch.compiler.is_compiling()


# --8<-- [start:ImageClassifier]
class ImageClassifier(nn.Sequential):
    """`nn.Sequential` for images: it checks their shape, then runs its layers one after the other.

    `(B, C, H, W)` images to `(B, K)` logits. A network whose dense layers were made for one size
    of maps takes every image size that leads to such maps.

    Args:
        layers: The named layers or stages of the network. The first of all is a convolution.
        name: What error messages call the network.
        image_size: Height and width that the dense layers were made for; `None` if any size above
            the smallest will do.

    Raises:
        ValueError: From the call, if the images have another number of dimensions or channels than
            the first convolution takes, or a height or width that the layers cannot take.

    Examples:
        >>> layers = OrderedDict(conv=nn.Conv2d(1, 6, 5), pool=nn.MaxPool2d(2))
        >>> ImageClassifier(layers, name="tiny")(torch.zeros(1, 1, 4, 4))
        Traceback (most recent call last):
        ...
        ValueError: images must be at least 6 x 6 for tiny, got 4 x 4: the first convolution would \
have nothing left

    Explained in:
        [Models][models]
    """

    def __init__(
        self,
        layers: "OrderedDict[str, nn.Module]",
        *,
        name: str = "this network",
        image_size: int | None = None,
    ) -> None:
        super().__init__(layers)
        self.name, self.image_size = name, image_size

    def forward(self, images: Tensor) -> Tensor:
        """`(B, C, H, W)` images to `(B, K)` logits."""
        first, *_ = [*_layers_in_order(self), None]  # torch.compile of torch 2.8 breaks at next()
        # A slice such as `model[1:]` may start in the middle, with something else than images.
        if isinstance(first, nn.Conv2d) and not _is_recording():
            self._check(images, first.in_channels)
        x = images
        for layer in self:
            x = layer(x)
        return x

    def _check(self, images: Tensor, in_channels: int) -> None:
        check_shape("images", images, "B", in_channels, "H", "W")
        height, width = images.shape[2:]
        check_image_size(self.name, self, height, width)
        if self.image_size is None:
            return
        side = map_side(self, self.image_size)
        maps = map_side(self, height), map_side(self, width)
        if maps != (side, side):
            raise ValueError(
                f"images must be {self.image_size} x {self.image_size} for {self.name}, got "
                f"{height} x {width}: the first dense layer takes maps of {side} x {side}, not "
                f"{maps[0]} x {maps[1]}"
            )


# --8<-- [end:ImageClassifier]
