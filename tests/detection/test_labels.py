import pytest
import torch

from notes.data.tensor_loader import TensorLoader
from notes.detection.labels import DetectionSet, pad_labels

BOX = [0.2, 0.1, 0.4, 0.9]


def test_a_set_is_the_pair_of_images_and_labels():
    images, labels = torch.rand(3, 3, 8, 8), torch.full((3, 2, 5), -1.0)
    data = DetectionSet(images, labels)
    assert data.images is images
    assert data.labels is labels
    first, second = data
    assert first is images
    assert second is labels


def test_a_loader_takes_a_set_as_it_is_and_keeps_images_and_labels_together():
    numbers = torch.arange(5.0)
    data = DetectionSet(numbers.view(5, 1, 1, 1), numbers.view(5, 1, 1).expand(5, 2, 5).clone())
    generator = torch.Generator().manual_seed(0)
    seen = []
    for images, labels in TensorLoader(*data, batch_size=2, shuffle=True, generator=generator):
        assert torch.equal(images.flatten(), labels[:, 0, 0])
        seen += images.flatten().tolist()
    assert sorted(seen) == numbers.tolist()
    assert seen != numbers.tolist()


def objects(*classes):
    """A row for each class, with some box."""
    return torch.tensor([[kind, 0.1, 0.2, 0.3, 0.4] for kind in classes]).reshape(-1, 5)


def test_short_images_are_filled_up_with_minus_one():
    labels = pad_labels([objects(2), objects(0, 1), objects()])
    assert labels.shape == (3, 2, 5)
    assert labels[:, :, 0].tolist() == [[2, -1], [0, 1], [-1, -1]]
    assert (labels[0, 1] == -1).all()
    assert torch.equal(labels[1], objects(0, 1))


def test_images_without_any_object_have_one_row_of_padding():
    assert pad_labels([objects(), objects()]).tolist() == [[[-1] * 5], [[-1] * 5]]


def test_no_image_is_rejected():
    with pytest.raises(ValueError, match="rows must hold the labels of at least one image, got no"):
        pad_labels([])


def test_rows_of_another_shape_or_dtype_are_rejected():
    with pytest.raises(ValueError, match=r"rows\[1\] must have shape \(n, 5\), got \(2, 4\)"):
        pad_labels([objects(), torch.zeros(2, 4)])
    with pytest.raises(TypeError, match=r"rows\[1\] must have the dtype of rows\[0\]"):
        pad_labels([objects(), torch.zeros(2, 5).double()])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, *BOX], r"rows must have whole numbers as classes, got 0\.5"),
        ([0.0, 0.6, 0.0, 0.4, 1.0], r"boxes of rows must have x1 <= x2 .* at index \(1, 0\)"),
        ([float("nan"), *BOX], r"rows must be finite, got nan at index \(1, 0, 0\)"),
    ],
)
def test_a_row_that_is_no_labeled_box_is_rejected(row, message):
    with pytest.raises(ValueError, match=message):
        pad_labels([objects(1), torch.tensor([row])])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_rows_of_integers_are_rejected(dtype):
    with pytest.raises(TypeError, match=r"rows\[0\] must be a floating-point tensor, got torch"):
        pad_labels([torch.zeros(1, 5, dtype=dtype)])
