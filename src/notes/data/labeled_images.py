"""What every image set of the book is: a tensor of images and a tensor of labels."""

from typing import NamedTuple

from torch import Tensor


# --8<-- [start:LabeledImages]
class LabeledImages(NamedTuple):
    """Images and the class of each.

    A pair, so `images, labels = train` and `TensorLoader(*train, batch_size=64)` both work.

    Attributes:
        images: `(N, C, H, W)` float32 in [0, 1].
        labels: `(N,)` int64 class indices, counted from 0.

    Explained in:
        [Data][data]
    """

    images: Tensor
    labels: Tensor


# --8<-- [end:LabeledImages]
