"""What a detection set is: images, and for each image a few labeled boxes.

Images hold different numbers of objects, a tensor does not; so short rows are padded, with -1.

Shapes: `N` or `B` images, `M` rows of labels for an image, `n` objects of one image, `C` channels,
`H W` space.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from notes.checks import check_floating, check_label_rows, check_same, check_shape


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


def pad_labels(rows: Sequence[Tensor]) -> Tensor:
    """Put the labels of several images into one tensor.

    Args:
        rows: For each image its `(n, 5)` objects: class, x1, y1, x2, y2. n may be 0.

    Returns:
        `(B, M, 5)`, M the largest n but at least 1; rows that hold no object are -1.

    Raises:
        TypeError: If the rows are not floating-point numbers, or their dtypes differ.
        ValueError: If there is no image, a shape is another one, a row is no labeled box, or the
            devices differ.

    Examples:
        >>> import torch
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
    check_floating("rows[0]", rows[0])
    longest = max(1, *(len(objects) for objects in rows))
    labels = rows[0].new_full((len(rows), longest, 5), -1)
    for number, objects in enumerate(rows):
        labels[number, : len(objects)] = objects
    check_label_rows("rows", labels)
    return labels
