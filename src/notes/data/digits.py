"""Handwritten digits that come with scikit-learn, so no network is needed.

Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (1998),
https://doi.org/10.24432/C50P49. scikit-learn bundles the test part: 1,797 images of 8x8.
"""

import torch
import torch.nn.functional as F
from sklearn import datasets
from torch import Tensor

from notes.checks import as_integer
from notes.data.labeled_images import LabeledImages

NUM_TRAIN = 1_400
IMAGE_SIZE = 8
MAX_INTENSITY = 16  # the raw pixels count the dark cells of a 4x4 square


# --8<-- [start:load_digits]
def load_digits(*, image_size: int = IMAGE_SIZE) -> tuple[LabeledImages, LabeledImages]:
    """1,400 digits to learn from and 397 to be tested on.

    The split keeps the order of the file, and so needs no seed. Images that look alike, most
    likely by the same hand, stand close together in the file: a random split would put near
    copies on both sides, and the test would flatter the model.

    Args:
        image_size: Height and width of the images. Above 8 they are enlarged bilinearly.

    Returns:
        The training part and the test part: images `(N, 1, image_size, image_size)`, float32 in
        [0, 1], 0 for paper and 1 for ink; labels `(N,)`, int64 in [0, 10).

    Raises:
        TypeError: If `image_size` is not an integer.
        ValueError: If it is below 8.

    Examples:
        >>> train, test = load_digits()
        >>> train.images.shape, test.images.shape
        (torch.Size([1400, 1, 8, 8]), torch.Size([397, 1, 8, 8]))
        >>> train.labels[:12]
        tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])

    Explained in:
        [Data][data]
    """
    image_size = as_integer("image_size", image_size, minimum=IMAGE_SIZE)
    bunch = datasets.load_digits()
    images = torch.from_numpy(bunch.images / MAX_INTENSITY)[:, None]  # float64
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    # Enlarged before rounding to float32: so the pixels are the same on every machine.
    images = _enlarge(images, image_size).float()
    return (
        LabeledImages(images[:NUM_TRAIN], labels[:NUM_TRAIN]),
        LabeledImages(images[NUM_TRAIN:], labels[NUM_TRAIN:]),
    )


# --8<-- [end:load_digits]


def _enlarge(images: Tensor, image_size: int) -> Tensor:
    if image_size == IMAGE_SIZE:
        return images
    return F.interpolate(images, size=(image_size, image_size), mode="bilinear")
