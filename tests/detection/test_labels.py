"""What is not a batch of labelled boxes is refused."""

import pytest
import torch

from notes.detection.labels import check_label_rows

BOX = [0.2, 0.1, 0.4, 0.9]


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([[[0.0, *BOX], [19.0, *BOX]]], id="two boxes"),
        pytest.param([[[-1.0] * 5, [3.0, *BOX]]], id="padding first"),
        pytest.param([[[-1.0, 0.9, 0.9, 0.1, 0.1]]], id="any numbers in padding"),
        pytest.param([[[0.0, 0.2, 0.2, 0.2, 0.2]]], id="a box without area"),
    ],
)
def test_labelled_boxes_with_padding_pass(labels):
    check_label_rows("labels", torch.tensor(labels))


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 0, 5)])
def test_an_empty_batch_passes(shape):
    check_label_rows("labels", torch.zeros(shape))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0.0, *BOX]], r"labels must have shape \(B, M, 5\), got \(1, 5\)"),
        ([[BOX]], r"labels must have shape \(B, M, 5\), got \(1, 1, 4\)"),
        ([[[0.0, *BOX], [1.5, *BOX]]], r"labels must have whole numbers as classes, got 1\.5"),
        ([[[-0.5, *BOX]]], r"labels must have whole numbers as classes, got -0\.5"),
        (
            [[[0.0, 0.1, 0.1, float("inf"), 1.0]]],
            r"labels must be finite, got inf at index \(0, 0, 3\)",
        ),
        ([[[-1.0] * 5, [0.0, 0.5, 0.0, 0.4, 1.0]]], "boxes of labels must have x1 <= x2"),
    ],
)
def test_what_is_no_labelled_box_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        check_label_rows("labels", torch.tensor(labels))


def test_integers_are_refused():
    with pytest.raises(TypeError, match=r"labels must be a floating-point tensor, got torch\.int64"):
        check_label_rows("labels", torch.zeros(1, 1, 5, dtype=torch.int64))
