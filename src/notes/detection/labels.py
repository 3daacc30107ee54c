"""What a detection set is: images, and for each image a few labelled boxes.

Images hold different numbers of objects, a tensor does not; so short rows are padded, with -1.

Shapes: `N` images, `M` most objects in one image, `C` channels, `H W` space.
"""

from typing import NamedTuple

from torch import Tensor


class DetectionSet(NamedTuple):
    """Images and the labelled boxes of each.

    A pair, so `TensorLoader(*train, batch_size=32)` works.

    Attributes:
        images: `(N, C, H, W)` float32 in [0, 1].
        labels: `(N, M, 5)` float32. Each row is class, x1, y1, x2, y2: the class index from 0, the
            corners as shares of the image's width and height. A row of -1 is padding.

    Explained in:
        [Detection data][detection-data]
    """

    images: Tensor
    labels: Tensor


class Detections(NamedTuple):
    """What a detector found in one image, best first.

    Attributes:
        boxes: `(N, 4)` boxes, `xyxy`, as shares of the image's width and height.
        scores: `(N,)` probabilities in [0, 1], descending.
        classes: `(N,)` int64 class indices, counted from 0 without the background.

    Explained in:
        [Detection data][detection-data]
    """

    boxes: Tensor
    scores: Tensor
    classes: Tensor
