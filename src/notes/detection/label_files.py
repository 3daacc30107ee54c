"""What the readers of label files give: labels for the images that the files name.

Files give boxes in pixels. Here they become shares of the image's sides, so the labels stay right
when the images are resized.

Shapes: `N` images, `M` most objects in one image, `n` objects of one image.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

TOLERANCE = 1.0  # pixels by which a box may leave its image; tools round


class FileLabels(NamedTuple):
    """The labels of image files.

    Attributes:
        files: `N` names of image files, as the labels give them.
        labels: `(N, M, 5)` float32 rows of class, x1, y1, x2, y2, padded with -1, as in a
            `DetectionSet`.
        class_names: The name of each class index.
        ignored: `(N, M)` booleans: objects that an evaluation passes over, as VOC does with
            difficult ones and COCO with crowds; for `mean_average_precision`.
        image_sizes: `(N, 2)` float64 heights and widths in pixels.
        num_flat: How many boxes without area were left out.

    Explained in:
        [Detection data][detection-data]
    """

    files: list[str]
    labels: Tensor
    class_names: list[str]
    ignored: Tensor
    image_sizes: Tensor
    num_flat: int


class FileObject(NamedTuple):
    """One object of a label file.

    Attributes:
        class_index: From 0.
        box: Left, top, right and lower side in pixels.
        ignored: Whether an evaluation passes over it.
        place: Where it stands, for messages.

    Explained in:
        [Detection data][detection-data]
    """

    class_index: int
    box: tuple[float, float, float, float]
    ignored: bool
    place: str


class FileImage(NamedTuple):
    """One image of a label file.

    Attributes:
        name: Of the image file.
        width: In pixels, more than 0.
        height: In pixels, more than 0.
        objects: What is in it.
        place: Where it stands, for messages.

    Explained in:
        [Detection data][detection-data]
    """

    name: str
    width: float
    height: float
    objects: list[FileObject]
    place: str


def join_labels(
    images: Sequence[FileImage], class_names: Sequence[str], *, skip_flat: bool = False
) -> FileLabels:
    """Check the boxes, make shares of them, and put all images into one tensor.

    Args:
        images: At least one.
        class_names: The name of each class index.
        skip_flat: Whether to leave out boxes without area. Otherwise they are an error.

    Raises:
        ValueError: If two images have one name, or a box ends before it begins, leaves its image by
            more than a pixel, or has no area.

    Examples:
        >>> cat = FileObject(0, (20.0, 10.0, 120.0, 60.0), ignored=False, place="line 1")
        >>> join_labels([FileImage("cat.png", 200, 100, [cat], "line 1")], ["cat"]).labels
        tensor([[[0.0000, 0.1000, 0.1000, 0.6000, 0.6000]]])

    Explained in:
        [Detection data][detection-data]
    """
    names: set[str] = set()
    rows, num_flat = [], 0
    for image in images:
        if image.name in names:
            raise ValueError(
                f"names of image files must be different, got {image.name!r} again in {image.place}"
            )
        names.add(image.name)
        shares = [[x.class_index, *_shares(x, image), x.ignored] for x in image.objects]
        objects = torch.tensor(shares, dtype=torch.float32).reshape(-1, 6)  # (n, 6)
        flat = (objects[:, 1:3] == objects[:, 3:5]).any(dim=1)
        if flat.any() and not skip_flat:
            one = image.objects[int(flat.nonzero()[0])]
            raise ValueError(
                f"a box must have an area in its image, got {one.box} in {one.place}; "
                "skip_flat=True leaves such boxes out"
            )
        rows.append(objects[~flat])
        num_flat += int(flat.sum())
    # The row at the end makes sure that there is one even if no image has an object.
    padded = pad_sequence([*rows, torch.zeros(1, 6)], batch_first=True, padding_value=-1)[:-1]
    labels, ignored = padded[..., :5].contiguous(), padded[..., 5] == 1
    sizes = torch.tensor([[x.height, x.width] for x in images], dtype=torch.float64)
    files = [image.name for image in images]
    return FileLabels(files, labels, list(class_names), ignored, sizes, num_flat)


def _shares(one: FileObject, image: FileImage) -> list[float]:
    """A box as shares of the image, cut at its borders."""
    x1, y1, x2, y2 = one.box
    width, height = image.width, image.height
    if x1 > x2 or y1 > y2:
        raise ValueError(f"a box must not end before it begins, got {one.box} in {one.place}")
    if min(x1, y1) < -TOLERANCE or x2 > width + TOLERANCE or y2 > height + TOLERANCE:
        raise ValueError(
            f"a box must lie in its image of {width:.17g} by {height:.17g} pixels, "
            f"got {one.box} in {one.place}"
        )
    shares = (x1 / width, y1 / height, x2 / width, y2 / height)
    return [min(max(share, 0.0), 1.0) for share in shares]
