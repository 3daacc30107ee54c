"""What images of some size come to inside a network, and which are too small for it.

Every convolution and pooling makes the maps smaller. If the images are too small, a window in the
middle of the network is larger than what is left, and PyTorch reports sizes that nobody asked for.
The arithmetic here names the layer and the smallest size that works.
"""

from collections.abc import Iterator
from itertools import count

from torch import nn

from notes.checks import check_positive

KINDS = {nn.Conv2d: "convolution", nn.MaxPool2d: "max pooling", nn.AvgPool2d: "average pooling"}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def layers_in_order(layers: nn.Module) -> Iterator[nn.Module]:
    """The layers of a chain; chains inside it are opened, blocks with branches are not.

    Examples:
        >>> chain = nn.Sequential(nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Flatten())
        >>> [type(layer).__name__ for layer in layers_in_order(chain)]
        ['ReLU', 'Tanh', 'Flatten']

    Explained in:
        [Models][models]
    """
    for layer in layers.children():
        if isinstance(layer, nn.Sequential):
            yield from layers_in_order(layer)
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


# --8<-- [start:map_side]
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
    check_positive("image_side", image_side)
    side = image_side
    seen: dict[str, int] = {}  # so that the message can say "third"
    for layer in layers_in_order(layers):
        if isinstance(layer, nn.Flatten):
            break
        kind = KINDS.get(type(layer), "layer")
        seen[kind] = seen.get(kind, 0) + 1
        side = _side_after(layer, side)
        if side < 1:
            raise ValueError(f"the {_ordinal(seen[kind])} {kind} would have nothing left")
    return side


# --8<-- [end:map_side]


def _fits(layers: nn.Module, side: int) -> bool:
    try:
        map_side(layers, side)
    except ValueError:
        return False
    return True


# --8<-- [start:smallest_image]
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


# --8<-- [end:smallest_image]
