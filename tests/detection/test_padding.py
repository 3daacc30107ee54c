import pytest
import torch

from notes.detection.padding import keep_objects, pad_labels


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
