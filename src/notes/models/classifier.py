"""The frame of the image networks: a chain of layers that first looks at the images.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from notes.checks import check_shape
from notes.models.image_size import check_image_size, layers_in_order, map_side


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
        first, *_ = [*layers_in_order(self), None]  # torch.compile of torch 2.8 breaks at next()
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
