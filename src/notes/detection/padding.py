"""Labels of several images in one tensor: short images are filled up with rows of -1.

Shapes: `B` images, `M` rows of an image, `n` objects of one image.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from notes.checks import check_same, check_shape


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
