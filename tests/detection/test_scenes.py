import pytest
import torch

from notes.detection._shapes import SHAPES, shape_extents
from notes.detection.scenes import draw_scenes


def draw(num_images=200, max_objects=4, sizes=(0.2, 0.6), hard=None):
    return draw_scenes(num_images, max_objects, sizes, hard, torch.Generator().manual_seed(0))


def boxes_of(scenes):
    """The smallest boxes around the outlines, `(N, M, 4)`, whether they are wanted or not."""
    low, high = shape_extents(*(part.flatten() for part in scenes[1:4]))
    corners = torch.stack([low, high], dim=1).view(*scenes.classes.shape, 2, 2)
    return (scenes.origins[:, :, None] + corners * scenes.scales[..., None, None]).flatten(2)


def test_a_scene_has_numbers_for_each_image_and_each_object():
    scenes = draw(5, 3)
    shapes = {name: tuple(part.shape[2:]) for name, part in scenes._asdict().items()}
    assert scenes.backgrounds.shape == (5, 3)
    assert {tuple(part.shape[:2]) for part in scenes[1:]} == {(5, 3)}
    assert shapes["origins"] == (2,)
    assert shapes["colors"] == (6, 3)


def test_the_longer_sides_are_spread_evenly_between_the_sizes():
    boxes = boxes_of(draw(sizes=(0.2, 0.6)))
    longer = (boxes[..., 2:] - boxes[..., :2]).amax(dim=2).flatten()
    assert longer.min() >= 0.2 - 1e-6
    assert longer.max() <= 0.6 + 1e-6
    counts = torch.histc(longer, bins=4, min=0.2, max=0.6)
    assert (counts - len(longer) / 4).abs().max() < 5 * (len(longer) * 3 / 16) ** 0.5


def test_wanted_objects_lie_inside_and_apart():
    scenes = draw()
    boxes = boxes_of(scenes)
    assert boxes[scenes.wanted].min() >= -1e-6
    assert boxes[scenes.wanted].max() <= 1 + 1e-6
    for own, wanted in zip(boxes, scenes.wanted, strict=True):
        one, other = torch.combinations(torch.arange(int(wanted.sum()))).T
        own = own[wanted]
        gaps = torch.maximum(own[one, :2], own[other, :2]) - torch.minimum(
            own[one, 2:], own[other, 2:]
        )
        assert (gaps.amax(dim=1) > -1e-6).all()


def test_truncated_objects_lie_across_a_border():
    scenes = draw(hard="truncation")
    boxes = boxes_of(scenes)[scenes.wanted]
    assert ((boxes < 0) | (boxes > 1)).any(dim=1).float().mean() > 0.8


def test_every_class_and_every_pattern_occurs_and_each_image_wants_an_object():
    scenes = draw()
    assert scenes.classes.unique().tolist() == list(range(len(SHAPES)))
    assert scenes.patterns.unique().tolist() == [0, 1, 2]
    assert scenes.wanted[:, 0].all()


def test_the_seed_decides():
    expected = draw(3)
    assert all(map(torch.equal, draw(3), expected))
    other = draw_scenes(3, 4, (0.2, 0.6), generator=torch.Generator().manual_seed(1))
    assert not torch.equal(other.colors, expected.colors)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_images": 0}, "num_images must be greater than 0, got 0"),
        ({"max_objects": -1}, "max_objects must be greater than 0, got -1"),
        ({"sizes": (0.5, 0.4)}, r"sizes must be a rising pair in \(0, 1\], got \(0.5, 0.4\)"),
        ({"sizes": (0.0, 0.4)}, r"sizes must be a rising pair in \(0, 1\]"),
    ],
)
def test_what_cannot_be_drawn_is_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(**arguments)
