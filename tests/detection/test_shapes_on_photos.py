import pytest
import torch
from torchvision.ops import masks_to_boxes

from notes.detection.overlap import box_iou
from notes.detection.scenes import draw_scenes
from notes.detection.shapes_on_photos import CLASS_NAMES, _photos, paint_scenes, shapes_on_photos


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def paint(num_images=24, *, hard=None, sizes=(0.2, 0.6), image_size=48, max_objects=4):
    scenes = draw_scenes(num_images, max_objects, sizes, hard, seeded())
    return scenes, paint_scenes(scenes, image_size)


def objects(labels):
    """The rows that are no padding."""
    return labels[labels[..., 0] >= 0]


HARD = [None, "overlap", "truncation", "tiny"]


@pytest.mark.parametrize("hard", HARD)
def test_every_box_is_tight_around_the_pixels_of_its_object(hard):
    _, (_, labels, masks) = paint(hard=hard)
    real = labels[..., 0] >= 0
    assert torch.equal(masks.flatten(2).any(dim=2), real)
    expected = (masks_to_boxes(masks[real]) + torch.tensor([0, 0, 1, 1])) / 48
    torch.testing.assert_close(labels[real][:, 1:], expected)


def test_only_the_pixels_of_the_masks_differ_from_the_photograph():
    scenes, (images, _, masks) = paint()
    bare = paint_scenes(scenes._replace(wanted=torch.zeros_like(scenes.wanted)), 48)
    changed = (images != bare.images).any(dim=1)
    assert not (changed & ~masks.any(dim=1)).any()
    assert changed.sum() > 0.99 * masks.sum()
    assert (bare.labels == -1).all()


def test_the_set_is_made_of_the_painted_scenes():
    images, labels = shapes_on_photos(40, image_size=48, generator=seeded())
    _, painted = paint(40)
    assert torch.equal(images, painted.images)
    assert torch.equal(labels, painted.labels)


@pytest.mark.parametrize("hard", HARD)
def test_labels_are_classes_and_boxes_with_padding_last(hard):
    _, labels = shapes_on_photos(60, max_objects=5, hard=hard, generator=seeded())
    assert labels.shape == (60, 5, 5)
    assert labels.dtype == torch.float32
    padding = labels[..., 0] < 0
    assert (labels[padding] == -1).all()
    assert not (padding[:, :-1] & ~padding[:, 1:]).any()
    assert not padding[:, 0].any()
    rows = objects(labels)
    assert set(rows[:, 0].tolist()) == set(range(len(CLASS_NAMES)))
    assert (rows[:, 1:] >= 0).all()
    assert (rows[:, 1:] <= 1).all()
    assert (rows[:, 3:] > rows[:, 1:3]).all()


def test_images_are_colored_and_lie_between_0_and_1():
    images, _ = shapes_on_photos(40, image_size=32, generator=seeded())
    assert images.shape == (40, 3, 32, 32)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert (images.std(dim=1) > 0.01).float().mean() > 0.5


def test_images_hold_one_to_max_objects():
    _, labels = shapes_on_photos(200, image_size=32, max_size=0.3, generator=seeded())
    counts = (labels[..., 0] >= 0).sum(dim=1).bincount()
    assert counts[0] == 0
    assert (counts[1:] > 20).all()


def test_sizes_are_those_asked_for():
    _, labels = shapes_on_photos(60, image_size=128, min_size=0.3, max_size=0.5, generator=seeded())
    boxes = objects(labels)[:, 1:]
    longer = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1)
    assert longer.min() > 0.3 - 4 / 128  # the tip of a star is thinner than a pixel
    assert longer.max() < 0.5 + 2 / 128
    assert longer.max() - longer.min() > 0.15


def largest_overlaps(labels):
    for rows in labels:
        iou = box_iou(*2 * [objects(rows)[:, 1:]]).fill_diagonal_(0)
        yield iou.max().item()


def test_objects_stay_apart_unless_overlap_is_asked_for():
    easy = shapes_on_photos(60, image_size=64, generator=seeded())
    overlapping = shapes_on_photos(60, image_size=64, hard="overlap", generator=seeded())
    assert max(largest_overlaps(easy.labels)) < 0.02
    assert sum(iou > 0.1 for iou in largest_overlaps(overlapping.labels)) > 20


def test_of_two_objects_the_later_one_covers_the_earlier_one():
    scenes, both = paint(hard="overlap", max_objects=2)
    alone = [
        paint_scenes(scenes._replace(wanted=scenes.wanted & torch.tensor(chosen)), 48).masks[:, 0]
        for chosen in ([True, False], [False, True])
    ]
    kept = both.masks.flatten(2).any(dim=2).all(dim=1)  # images in which both are left
    covered = alone[0] & alone[1]
    assert covered[kept].flatten(1).any(dim=1).sum() > 5
    assert torch.equal(both.masks[kept][:, 0], (alone[0] & ~covered)[kept])
    assert torch.equal(both.masks[kept][:, 1], alone[1][kept])


def test_truncated_objects_touch_the_border():
    _, labels = shapes_on_photos(60, hard="truncation", generator=seeded())
    boxes = objects(labels)[:, 1:]
    touching = (boxes[:, :2] == 0).any(dim=1) | (boxes[:, 2:] == 1).any(dim=1)
    assert touching.float().mean() > 0.95


def test_tiny_objects_are_at_most_a_tenth_of_the_side():
    _, labels = shapes_on_photos(60, hard="tiny", generator=seeded())
    boxes = objects(labels)[:, 1:]
    longer = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1)
    assert longer.max() <= 0.1 + 1.5 / 96


def test_the_same_seed_draws_the_same_set():
    one, other, third = (
        shapes_on_photos(5, image_size=32, generator=seeded(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.labels, other.labels)
    assert not torch.equal(one.images, third.images)


def test_the_set_does_not_depend_on_the_default_dtype():
    _photos.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        images, labels = shapes_on_photos(5, image_size=40, generator=seeded())
    finally:
        torch.set_default_dtype(torch.float32)
    _photos.cache_clear()
    expected = shapes_on_photos(5, image_size=40, generator=seeded())
    assert images.dtype == labels.dtype == torch.float32
    assert torch.equal(images, expected.images)
    assert torch.equal(labels, expected.labels)


def test_without_a_generator_the_global_seed_counts():
    torch.manual_seed(3)
    one = shapes_on_photos(3, image_size=32)
    torch.manual_seed(3)
    other = shapes_on_photos(3, image_size=32)
    assert torch.equal(one.images, other.images)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_images": 0}, "num_images must be greater than 0, got 0"),
        ({"image_size": -1}, "image_size must be greater than 0, got -1"),
        ({"max_objects": 0}, "max_objects must be greater than 0, got 0"),
        ({"min_size": 0.7}, r"min_size and max_size must be a rising pair in \(0, 1\], got \(0.7"),
        ({"max_size": 1.1}, r"min_size and max_size must be a rising pair in \(0, 1\], got \(0.2"),
        (
            {"image_size": 14},
            "image_size must give the smallest object 3 pixels, got 14 for a smallest size of 0.2",
        ),
        ({"image_size": 64, "hard": "tiny"}, "image_size must give the smallest object 3 pixels"),
        ({"hard": "fog"}, "hard must be one of .*'tiny'.* or None, got 'fog'"),
    ],
)
def test_what_cannot_be_drawn_is_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        shapes_on_photos(**{"num_images": 1, **arguments})


def test_scenes_that_cannot_be_painted_are_rejected():
    scenes = draw_scenes(1, 2, (0.2, 0.6), generator=seeded())
    with pytest.raises(ValueError, match="image_size must be greater than 0, got 0"):
        paint_scenes(scenes, 0)
    with pytest.raises(ValueError, match=r"scenes.classes must lie in \[0, 4\), got 4"):
        paint_scenes(scenes._replace(classes=torch.full((1, 2), 4)), 48)
