import pytest
import torch

from notes.data.labeled_images import LabeledImages
from notes.data.tensor_loader import TensorLoader

PART = LabeledImages(images=torch.zeros(3, 1, 2, 2), labels=torch.tensor([2, 0, 1]))


def test_a_part_is_a_pair_of_images_and_labels():
    images, labels = PART
    assert images is PART.images
    assert labels is PART.labels


def test_a_part_can_be_handed_to_a_loader_with_a_star():
    ((images, labels),) = TensorLoader(*PART, batch_size=3)
    assert images.shape == (3, 1, 2, 2)
    assert labels.tolist() == [2, 0, 1]


def test_a_part_cannot_be_changed_by_accident():
    with pytest.raises(AttributeError, match="can't set attribute"):
        PART.labels = torch.tensor([0, 0, 0])
