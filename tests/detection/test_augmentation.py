import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2

from notes.detection.augmentation import (
    crop_boxes,
    flip_boxes,
    random_horizontal_flip,
    random_resized_crop,
)
from notes.detection.boxes import mask_boxes
from notes.detection.scenes import draw_scenes
from notes.detection.shapes_on_photos import paint_scenes

SIZE = 64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def painted():
    return paint_scenes(draw_scenes(16, 3, (0.2, 0.5), None, seeded()), SIZE)


def rectangles(*rows):
    """One `(top, left, height, width)` for each image."""
    return torch.tensor(rows)


def torchvision_boxes(labels):
    """The boxes of one image, in pixels, as torchvision wants them."""
    boxes = labels[labels[:, 0] >= 0, 1:] * SIZE
    return tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(SIZE, SIZE))


def test_mirrored_boxes_fit_the_mirrored_pixels(painted):
    flips = torch.arange(16) % 2 == 0
    masks = torch.where(flips[:, None, None, None], painted.masks.flip(3), painted.masks)
    real = painted.labels[..., 0] >= 0
    expected = mask_boxes(masks[real]) / SIZE
    torch.testing.assert_close(flip_boxes(painted.labels, flips)[real][:, 1:], expected)


def test_mirroring_twice_changes_nothing(painted):
    flips = torch.ones(16, dtype=torch.bool)
    torch.testing.assert_close(flip_boxes(flip_boxes(painted.labels, flips), flips), painted.labels)


def test_padding_is_never_mirrored(painted):
    padding = painted.labels[..., 0] < 0
    assert padding.any()
    mirrored = flip_boxes(painted.labels, torch.ones(16, dtype=torch.bool))
    assert (mirrored[padding] == -1).all()


def test_images_and_boxes_are_mirrored_together(painted):
    images, labels = random_horizontal_flip(painted.images, painted.labels, generator=seeded())
    was_flipped = (images != painted.images).flatten(1).any(dim=1)
    assert 0 < was_flipped.sum() < 16
    assert torch.equal(labels, flip_boxes(painted.labels, was_flipped))
    expected = torch.where(was_flipped[:, None, None, None], painted.images.flip(3), images)
    assert torch.equal(images, expected)


def test_mirroring_agrees_with_torchvision(painted):
    flipped = random_horizontal_flip(painted.images, painted.labels, p=1.0)
    for image, labels, ours, our_labels in zip(
        painted.images, painted.labels, *flipped, strict=True
    ):
        theirs, boxes = v2.RandomHorizontalFlip(p=1.0)(
            tv_tensors.Image(image), torchvision_boxes(labels)
        )
        assert torch.equal(ours, theirs)
        torch.testing.assert_close(torchvision_boxes(our_labels), boxes)


def test_a_cut_box_computed_by_hand():
    labels = torch.tensor([[[1.0, 0.25, 0.25, 0.75, 0.75]]])
    right_half = crop_boxes(labels, rectangles((0, 4, 8, 4)), (8, 8))
    assert right_half.tolist() == [[[1.0, 0.0, 0.25, 0.5, 0.75]]]


@pytest.mark.parametrize(("min_visible", "kept"), [(0.49, 2), (0.51, 1), (1.0, 1)])
def test_an_object_goes_when_too_little_of_it_is_left(min_visible, kept):
    labels = torch.tensor([[[1.0, 0.25, 0.25, 0.75, 0.75], [0.0, 0.6, 0.1, 0.9, 0.3]]])
    left = crop_boxes(labels, rectangles((0, 4, 8, 4)), (8, 8), min_visible)
    assert (left[..., 0] >= 0).sum() == kept
    assert left[0, kept - 1, 0] == 0


def test_an_object_outside_goes_even_if_nothing_must_be_visible():
    labels = torch.tensor([[[0.0, 0.0, 0.0, 0.5, 1.0]]])
    assert (crop_boxes(labels, rectangles((0, 4, 8, 4)), (8, 8), 0.0) == -1).all()


def test_objects_that_are_left_stand_first_and_all_others_become_padding():
    boxes = torch.tensor([[0.0, 0.0, 0.2, 0.2], [0.6, 0.6, 0.9, 0.9], [0.7, 0.6, 0.8, 0.8]])
    classes = torch.tensor([5.0, 6.0, 7.0])[:, None]
    labels = torch.cat([torch.cat([classes, boxes], dim=1), torch.full((1, 5), -1.0)])[None]
    left = crop_boxes(labels, rectangles((4, 4, 4, 4)), (8, 8))
    assert left[0, :, 0].tolist() == [6, 7, -1, -1]
    assert (left[0, 2:] == -1).all()
    assert labels[0, 0, 0] == 5


def test_a_tiny_part_of_a_large_box_is_not_lost_in_half_precision():
    # Seen from a part of 1 by 1 pixels the box has an area of 250,000.
    labels = torch.tensor([[[1.0, 0.0, 0.0, 1.0, 1.0]]], dtype=torch.float16)
    left = crop_boxes(labels, rectangles((7, 9, 1, 1)), (500, 500), min_visible=0.0)
    assert left.tolist() == [[[1.0, 0.0, 0.0, 1.0, 1.0]]]
    assert left.dtype == torch.float16


def test_the_whole_image_as_part_changes_nothing(painted):
    parts = rectangles(*[(0, 0, SIZE, SIZE)] * 16)
    torch.testing.assert_close(crop_boxes(painted.labels, parts, (SIZE, SIZE)), painted.labels)


@settings(max_examples=30, derandomize=True, deadline=None)
@given(data=st.data())
def test_cut_boxes_agree_with_torchvision(painted, data):
    height, width = (data.draw(st.integers(1, SIZE)) for _ in "hw")
    top = data.draw(st.integers(0, SIZE - height))
    left = data.draw(st.integers(0, SIZE - width))
    number = data.draw(st.integers(0, 15))
    labels = painted.labels[number]
    ours = crop_boxes(labels[None], rectangles((top, left, height, width)), (SIZE, SIZE), 0.0)[0]
    boxes = v2.functional.resized_crop(
        torchvision_boxes(labels), top, left, height, width, size=[SIZE, SIZE]
    )
    boxes = v2.functional.clamp_bounding_boxes(boxes)
    visible = ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1)
    torch.testing.assert_close(
        ours[ours[:, 0] >= 0, 1:] * SIZE,
        boxes[visible].as_subclass(torch.Tensor),
        atol=1e-3,
        rtol=0,
    )


def test_images_and_boxes_are_cut_together(painted):
    images, labels = random_resized_crop(
        painted.images, painted.labels, (48, 48), generator=seeded()
    )
    assert images.shape == (16, 3, 48, 48)
    assert labels.shape == painted.labels.shape
    assert not torch.equal(labels, painted.labels)
    masks, again = random_resized_crop(
        painted.masks.float(), painted.labels, (48, 48), generator=seeded()
    )
    assert torch.equal(again, labels)
    for number in range(16):  # the pixels that are left of each object lie inside its box
        boxes = mask_boxes(masks[number] > 0.5) / 48
        for row in labels[number, labels[number, :, 0] >= 0]:
            beyond = torch.cat([row[1:3] - boxes[:, :2], boxes[:, 2:] - row[3:]], dim=1)
            assert beyond.amax(dim=1).min() < 0.02


def test_the_same_seed_makes_the_same_cuts(painted):
    one, other = (
        random_resized_crop(painted.images, painted.labels, (32, 32), generator=seeded(4))
        for _ in range(2)
    )
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.labels, other.labels)


@pytest.mark.parametrize("change", [random_horizontal_flip, None])
def test_labels_of_other_images_are_rejected(painted, change):
    change = change or (lambda *pair: random_resized_crop(*pair, (32, 32)))
    with pytest.raises(ValueError, match=r"labels must have shape \(16, M, 5\), got \(15, 3, 5\)"):
        change(painted.images, painted.labels[:15])
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(3, 64, 64"):
        change(painted.images[0], painted.labels)


def test_labels_on_another_device_are_rejected(painted):
    with pytest.raises(ValueError, match="labels must be on the device of images, cpu, got meta"):
        random_horizontal_flip(painted.images, painted.labels.to("meta"))


def test_arguments_out_of_range_are_rejected(painted):
    labels = painted.labels
    with pytest.raises(ValueError, match=r"min_visible must lie in \[0, 1\], got 1.5"):
        crop_boxes(labels, rectangles(*[(0, 0, 8, 8)] * 16), (SIZE, SIZE), 1.5)
    with pytest.raises(ValueError, match=r"p must lie in \[0, 1\], got -1"):
        random_horizontal_flip(painted.images, labels, p=-1)
    with pytest.raises(TypeError, match="flips must be a tensor of booleans"):
        flip_boxes(labels, torch.ones(16))
    with pytest.raises(ValueError, match=r"flips must have shape \(16,\), got \(3,\)"):
        flip_boxes(labels, torch.ones(3).bool())
    with pytest.raises(ValueError, match=r"parts must have shape \(16, 4\), got \(1, 4\)"):
        crop_boxes(labels, rectangles((0, 0, 8, 8)), (SIZE, SIZE))
    with pytest.raises(ValueError, match="parts must have sides greater than 0, got 0"):
        crop_boxes(labels, rectangles(*[(0, 0, 8, 0)] * 16), (SIZE, SIZE))
    with pytest.raises(ValueError, match="the width in image_size must be greater than 0, got 0"):
        crop_boxes(labels, rectangles(*[(0, 0, 8, 8)] * 16), (SIZE, 0))


@pytest.mark.parametrize(
    "change",
    [
        lambda labels: flip_boxes(labels, torch.ones(1).bool()),
        lambda labels: crop_boxes(labels, rectangles((0, 0, 8, 8)), (8, 8)),
        lambda labels: random_horizontal_flip(torch.zeros(1, 3, 8, 8), labels),
        lambda labels: random_resized_crop(torch.zeros(1, 3, 8, 8), labels, (8, 8)),
    ],
    ids=["flip_boxes", "crop_boxes", "random_horizontal_flip", "random_resized_crop"],
)
def test_what_is_no_labeled_box_is_rejected(change):
    with pytest.raises(ValueError, match=r"labels must have whole numbers as classes, got 0\.5"):
        change(torch.tensor([[[0.5, 0.0, 0.0, 1.0, 1.0]]]))
    with pytest.raises(ValueError, match="boxes of labels must have x1 <= x2 and y1 <= y2"):
        change(torch.tensor([[[0.0, 0.6, 0.0, 0.4, 1.0]]]))
    with pytest.raises(
        TypeError, match=r"labels must be a floating-point tensor, got torch\.int64"
    ):
        change(torch.zeros(1, 1, 5, dtype=torch.int64))
