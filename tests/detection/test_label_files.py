import pytest
import torch

from notes.detection.label_files import FileImage, FileObject, join_labels


def image(*boxes, name="a.png", size=(200, 100)):
    objects = [FileObject(i, box, False, f"line {i}") for i, box in enumerate(boxes)]
    return FileImage(name, *size, objects, "line 7")


def test_boxes_become_shares():
    found = join_labels([image((20, 10, 120, 60), (0, 0, 200, 100))], ["cat", "dog"])
    expected = [[0, 0.1, 0.1, 0.6, 0.6], [1, 0, 0, 1, 1]]
    torch.testing.assert_close(found.labels[0], torch.tensor(expected))
    assert (found.files, found.class_names) == (["a.png"], ["cat", "dog"])
    assert found.labels.is_contiguous()
    assert found.image_sizes.tolist() == [[100, 200]]


def test_images_without_objects_are_padding():
    none = join_labels([image(), image(name="b.png")], ["cat"])
    assert none.labels.shape == (2, 1, 5)
    assert (none.labels == -1).all()
    assert none.ignored.shape == (2, 1)
    assert not none.ignored.any()


def test_what_an_evaluation_passes_over_is_marked():
    easy, hard = (FileObject(0, (0, 0, 9, 9), ignored, "line 1") for ignored in (False, True))
    images = [FileImage("a.png", 9, 9, [hard, easy], ""), FileImage("b.png", 9, 9, [hard], "")]
    found = join_labels(images, ["cat"])
    assert found.ignored.tolist() == [[True, False], [True, False]]
    assert found.labels[..., 0].tolist() == [[0, 0], [0, -1]]


@pytest.mark.parametrize(
    ("box", "expected"),
    [((-1, 0, 201, 100), [0, 0, 1, 1]), ((100, 50, 200.5, 101), [0.5, 0.5, 1, 1])],
)
def test_a_box_that_leaves_its_image_by_rounding_is_cut(box, expected):
    assert join_labels([image(box)], ["cat"]).labels[0, 0, 1:].tolist() == expected


FLAT = [
    pytest.param((29.6, 38.3, 30.63, 38.3), id="no height"),
    pytest.param((5, 5, 5, 9), id="no width"),
    pytest.param((5, 5, 5, 5), id="a point"),
    pytest.param((200, 0, 200.5, 9), id="nothing left of it in the image"),
    pytest.param((-0.9, 0, -0.1, 9), id="nothing of it in the image"),
    pytest.param((199.9999999, 0, 200, 9), id="too thin for float32"),
]


@pytest.mark.parametrize("box", FLAT)
def test_a_box_without_area_is_rejected_or_left_out_and_counted(box):
    images = [image((0, 0, 9, 9), box, (1, 1, 2, 2)), image(box, name="b.png")]
    with pytest.raises(ValueError, match=r"a box must have an area in its image, got .* in line 1"):
        join_labels(images, "abc")
    found = join_labels(images, "abc", skip_flat=True)
    assert found.num_flat == 2
    assert found.labels[..., 0].tolist() == [[0, 2], [-1, -1]]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((9, 5, 8, 9), r"a box must not end before it begins, got \(9, 5, 8, 9\) in line 0"),
        ((9, 5, 10, 4.9), "a box must not end before it begins"),
        ((0, 0, 201.00001, 9), r"lie in its image of 200 by 100 pixels, got .*201\.00001, 9\) in"),
        ((0, -1.5, 9, 9), "a box must lie in its image"),
        ((0, 0, float("inf"), 9), "a box must lie in its image"),
    ],
)
def test_a_wrong_box_is_rejected_even_if_flat_ones_are_left_out(box, message):
    with pytest.raises(ValueError, match=message):
        join_labels([image(box)], ["cat"], skip_flat=True)


def test_the_size_of_an_image_is_shown_with_all_digits():
    with pytest.raises(ValueError, match=r"image of 1234567\.5 by 100 pixels"):
        join_labels([image((0, 0, 1234569, 9), size=(1234567.5, 100))], ["cat"])


def test_two_images_with_one_name_are_rejected():
    with pytest.raises(ValueError, match=r"must be different, got 'a\.png' again in line 7"):
        join_labels([image(), image()], ["cat"])
