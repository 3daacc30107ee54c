import pytest
import torch

from notes.data.tensor_loader import TensorLoader
from notes.detection.labels import (
    Detections,
    DetectionSet,
    check_label_rows,
    keep_objects,
    pad_labels,
)

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


def test_detections_are_boxes_scores_and_classes():
    found = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    boxes, scores, classes = found
    assert (boxes.shape, scores.shape, classes.shape) == ((0, 4), (0,), (0,))
    assert found.boxes is boxes
    assert found.scores is scores
    assert found.classes is classes


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([[[0.0, *BOX], [19.0, *BOX]]], id="two boxes"),
        pytest.param([[[-1.0] * 5, [3.0, *BOX]]], id="padding first"),
        pytest.param([[[-1.0, 0.9, 0.9, 0.1, 0.1]]], id="any numbers in padding"),
        pytest.param([[[0.0, 0.2, 0.2, 0.2, 0.2]]], id="a box without area"),
    ],
)
def test_labeled_boxes_with_padding_pass(labels):
    check_label_rows("labels", torch.tensor(labels))


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 0, 5)])
def test_an_empty_batch_passes(shape):
    check_label_rows("labels", torch.zeros(shape))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0.0, *BOX]], r"labels must have shape \(B, M, 5\), got \(1, 5\)"),
        ([[BOX]], r"labels must have shape \(B, M, 5\), got \(1, 1, 4\)"),
        (
            [[[0.0, *BOX], [1.5, *BOX], [2.25, *BOX]]],
            r"labels must have whole numbers as classes, got 1\.5",
        ),
        ([[[-0.5, *BOX]]], r"labels must have whole numbers as classes, got -0\.5"),
        (
            [[[0.0, 0.1, 0.1, float("inf"), 1.0]]],
            r"labels must be finite, got inf at index \(0, 0, 3\)",
        ),
        (
            [[[-1.0] * 5, [0.0, *BOX], [0, 0.45678, 0, 0.4, 1], [0, 0.5, 0, 0.4, 1]]],
            r"x1 <= x2 .* \[0.4568, 0.0, 0.4, 1.0\] at index \(0, 2\)",
        ),
        ([[[3.0, 0.0, 0.5, 0.4, 0.4]]], "boxes of labels must have x1 <= x2 and y1 <= y2"),
    ],
)
def test_what_is_no_labeled_box_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        check_label_rows("labels", torch.tensor(labels))


def test_integers_are_refused():
    with pytest.raises(
        TypeError, match=r"labels must be a floating-point tensor, got torch\.int64"
    ):
        check_label_rows("labels", torch.zeros(1, 1, 5, dtype=torch.int64))


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


def test_removed_objects_become_padding_at_the_end():
    labels = pad_labels([objects(5, 6, 7), objects(8)])
    kept = torch.tensor([[False, True, True], [True, True, True]])
    left = keep_objects(labels, kept)
    assert left[:, :, 0].tolist() == [[6, 7, -1], [8, -1, -1]]
    assert (left[left[..., 0] < 0] == -1).all()
    assert labels[0, 0, 0] == 5


def test_keeping_all_changes_nothing_and_keeping_none_leaves_padding():
    labels = pad_labels([objects(5, 6), objects(8)])
    assert torch.equal(keep_objects(labels, torch.ones(2, 2).bool()), labels)
    assert (keep_objects(labels, torch.zeros(2, 2).bool()) == -1).all()


def test_no_image_is_rejected():
    with pytest.raises(ValueError, match="rows must hold the labels of at least one image, got no"):
        pad_labels([])


def test_rows_of_another_shape_or_dtype_are_rejected():
    with pytest.raises(ValueError, match=r"rows\[1\] must have shape \(n, 5\), got \(2, 4\)"):
        pad_labels([objects(), torch.zeros(2, 4)])
    with pytest.raises(TypeError, match=r"rows\[1\] must have the dtype of rows\[0\]"):
        pad_labels([objects(), torch.zeros(2, 5).double()])


def test_a_choice_that_does_not_fit_is_rejected():
    labels = pad_labels([objects(1, 2)])
    with pytest.raises(ValueError, match=r"kept must have shape \(1, 2\), got \(2,\)"):
        keep_objects(labels, torch.ones(2).bool())
    with pytest.raises(TypeError, match="kept must be a tensor of booleans"):
        keep_objects(labels, torch.ones(1, 2))
