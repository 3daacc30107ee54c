"""What a detection set is: images, and for each image a few labeled boxes.

Images hold different numbers of objects, a tensor does not; so short rows are padded, with -1.

Shapes: `N` or `B` images, `M` rows of labels for an image, `n` objects of one image, `C` channels,
`H W` space.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import check_finite, check_floating, check_same, check_shape


class DetectionSet(NamedTuple):
    """Images and the labeled boxes of each.

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
    """Refuse a tensor that does not hold the labeled boxes of a batch.

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


# --8<-- [start:pad_labels]
def pad_labels(rows: Sequence[Tensor]) -> Tensor:
    """Put the labels of several images into one tensor.

    Args:
        rows: For each image its `(n, 5)` objects: class, x1, y1, x2, y2. n may be 0.

    Returns:
        `(B, M, 5)`, M the largest n but at least 1; rows that hold no object are -1.

    Raises:
        TypeError: If the dtypes differ.
        ValueError: If there is no image, a shape is another one, or the devices differ.

    Examples:
        >>> one, none = torch.tensor([[2.0, 0.1, 0.1, 0.5, 0.5]]), torch.zeros(0, 5)
        >>> pad_labels([one, none])[:, :, 0]
        tensor([[ 2.],
                [-1.]])

    Explained in:
        [Detection data][detection-data]
    """
    if not rows:
        raise ValueError("rows must hold the labels of at least one image, got none")
    for number, objects in enumerate(rows):
        check_shape(f"rows[{number}]", objects, "n", 5)
        check_same("rows[0]", rows[0], f"rows[{number}]", objects)
    longest = max(1, *(len(objects) for objects in rows))
    labels = rows[0].new_full((len(rows), longest, 5), -1)
    for number, objects in enumerate(rows):
        labels[number, : len(objects)] = objects
    return labels


# --8<-- [end:pad_labels]


# --8<-- [start:keep_objects]
def keep_objects(labels: Tensor, kept: Tensor) -> Tensor:
    """Take objects away: their rows become padding, and padding goes last.

    Args:
        labels: `(B, M, 5)` labels.
        kept: `(B, M)` booleans; padding stays padding whatever is said here.

    Returns:
        `(B, M, 5)` labels, a new tensor.

    Raises:
        TypeError: If `kept` does not hold booleans.
        ValueError: If a shape does not fit.

    Examples:
        >>> labels = torch.tensor([[[0.0, 0, 0, 1, 1], [3.0, 0, 0, 1, 1]]])
        >>> keep_objects(labels, torch.tensor([[False, True]]))[0, :, 0]
        tensor([ 3., -1.])

    Explained in:
        [Detection data][detection-data]
    """
    check_shape("labels", labels, "B", "M", 5)
    check_shape("kept", kept, *labels.shape[:2])
    if kept.dtype != torch.bool:
        raise TypeError(f"kept must be a tensor of booleans, got {kept.dtype}")
    kept = kept & (labels[..., 0] >= 0)
    labels = torch.where(kept[..., None], labels, -1)
    order = kept.byte().argsort(dim=1, descending=True, stable=True)  # (B, M)
    return labels.gather(1, order[..., None].expand_as(labels))


# --8<-- [end:keep_objects]
