"""What a detection set is: images, and for each image a few labelled boxes.

Images hold different numbers of objects, a tensor does not; so short rows are padded, with -1.

Shapes: `N` images, `M` most objects in one image, `C` channels, `H W` space.
"""

from typing import NamedTuple

from torch import Tensor

from notes.checks import check_finite, check_floating, check_shape


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


def check_label_rows(name: str, labels: Tensor) -> None:
    """Refuse a tensor that does not hold the labelled boxes of a batch.

    What stands in a padding row beside its class does not matter, as long as it is finite.

    Raises:
        TypeError: If the argument is not a floating-point tensor.
        ValueError: If the shape is not `(B, M, 5)`, a number is NaN or infinite, a class is no
            whole number, or a box ends before it begins.

    Examples:
        >>> import torch
        >>> check_label_rows("labels", torch.tensor([[[0.5, 0.0, 0.0, 1.0, 1.0]]]))
        Traceback (most recent call last):
        ...
        ValueError: labels must have whole numbers as classes, got 0.5

    Explained in:
        [Detection data][detection-data]
    """
    check_shape(name, labels, "B", "M", 5)
    check_floating(name, labels)
    check_finite(name, labels)
    classes = labels[..., 0]
    broken = classes[classes != classes.floor()]
    if len(broken):
        raise ValueError(f"{name} must have whole numbers as classes, got {broken[0].item():g}")
    turned = (classes >= 0) & (labels[..., 1:3] > labels[..., 3:]).any(dim=2)  # (B, M)
    if turned.any():
        index = tuple(turned.nonzero()[0].tolist())
        box = [round(value, 4) for value in labels[index][1:].tolist()]
        raise ValueError(
            f"boxes of {name} must have x1 <= x2 and y1 <= y2, got {box} at index {index}"
        )
