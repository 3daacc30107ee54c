import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import datasets

from notes.data.digits import load_digits


def test_the_first_image_is_the_zero_of_the_file():
    train, _ = load_digits()
    first_row = torch.tensor([0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]) / 16
    assert torch.equal(train.images[0, 0, 0], first_row)
    assert train.labels[0] == 0


def test_the_parts_are_the_file_in_its_order():
    train, test = load_digits()
    raw = datasets.load_digits()
    images = torch.cat([train.images, test.images])[:, 0]
    labels = torch.cat([train.labels, test.labels])
    assert len(train.images) == 1400
    assert np.array_equal(images.numpy() * 16, raw.images)
    assert np.array_equal(labels.numpy(), raw.target)


def test_a_part_unpacks_into_images_and_labels():
    images, labels = load_digits()[1]
    assert images.shape == (397, 1, 8, 8)
    assert images.dtype == torch.float32
    assert labels.shape == (397,)
    assert labels.dtype == torch.int64


def test_the_pixels_fill_the_range_from_0_to_1():
    for part in load_digits():
        assert part.images.min() == 0
        assert part.images.max() == 1


def test_every_class_is_in_both_parts():
    for part in load_digits():
        assert part.labels.bincount().min() > 30
        assert part.labels.unique().tolist() == list(range(10))


def test_enlarged_images_agree_with_bilinear_interpolation():
    (small, _), (large, _) = load_digits()[1], load_digits(image_size=28)[1]
    expected = F.interpolate(small.double(), size=28, mode="bilinear").float()
    assert large.shape == (397, 1, 28, 28)
    assert torch.equal(large, expected)
    assert large.min() >= 0
    assert large.max() <= 1


def test_two_calls_give_separate_memory():
    first, _ = load_digits()
    first.images.zero_()
    second, _ = load_digits()
    assert second.images.sum() > 0


@pytest.mark.parametrize("image_size", [7, 0, -8])
def test_an_image_size_below_8_is_rejected(image_size):
    with pytest.raises(ValueError, match=f"image_size must be at least 8, got {image_size}"):
        load_digits(image_size=image_size)


def test_the_size_may_come_from_numpy_and_must_be_whole():
    assert load_digits(image_size=np.int64(9))[1].images.shape == (397, 1, 9, 9)
    with pytest.raises(TypeError, match=r"image_size must be an integer, got 9\.5"):
        load_digits(image_size=9.5)
