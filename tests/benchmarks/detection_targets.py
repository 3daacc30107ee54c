"""Targets of a batch: a loop over images and boxes, torchvision's classes, and `make_targets`."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from tables import Table, median_compared, rows_against, times_as_fast, with_goal
from timing import Contestant, now, take_turns
from torch import Tensor
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.ops import box_iou

from notes.detection.anchors import grid_anchors
from notes.detection.targets import Targets, make_image_targets, make_targets

LOOP = "a loop over images and boxes"
TORCHVISION = "torchvision's `Matcher` and `BoxCoder`"
READABLE = "`make_image_targets` for each image"
OURS = "`make_targets`"
MAPS = {32: (0.2, 0.272), 16: (0.37, 0.447), 8: (0.54, 0.619), 4: (0.71, 0.79), 1: (0.88, 0.961)}


def loop_targets(anchors: Tensor, labels: Tensor, iou_threshold: float = 0.5) -> Targets:
    """Make targets as the study notes do, in our words and without their errors.

    Each image for itself; all overlaps; the threshold; then for each box a search through the
    overlaps that are left; offsets for all anchors, multiplied by a mask.
    """
    all_classes, all_offsets, all_positive = [], [], []
    for padded in labels:
        objects = padded[padded[:, 0] >= 0]
        matches = match_in_a_loop(anchors, objects[:, 1:], iou_threshold)
        positive = matches >= 0
        classes = torch.zeros(len(anchors), dtype=torch.int64)
        boxes = torch.zeros_like(anchors)
        classes[positive] = objects[matches[positive], 0].long() + 1
        boxes[positive] = objects[matches[positive], 1:]
        mask = positive[:, None].repeat(1, 4).to(anchors.dtype)
        all_offsets.append(offsets_in_a_loop(anchors, boxes) * mask)
        all_classes.append(classes)
        all_positive.append(positive)
    return Targets(*map(torch.stack, (all_classes, all_offsets, all_positive)))


def match_in_a_loop(anchors: Tensor, boxes: Tensor, iou_threshold: float) -> Tensor:
    num_anchors, num_boxes = len(anchors), len(boxes)
    matches = torch.full((num_anchors,), -1)
    if num_boxes == 0:
        return matches
    top_left = torch.max(anchors[:, None, :2], boxes[:, :2])
    bottom_right = torch.min(anchors[:, None, 2:], boxes[:, 2:])
    sides = (bottom_right - top_left).clamp(min=0)
    inter = sides[:, :, 0] * sides[:, :, 1]
    areas1, areas2 = (
        (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
        for corners in (anchors, boxes)
    )
    union = areas1[:, None] + areas2 - inter
    iou = torch.where(union > 0, inter / union, 0.0)
    largest, best_box = iou.max(dim=1)
    above = largest >= iou_threshold
    matches[above] = best_box[above]
    for _ in range(num_boxes):
        index = iou.argmax()
        anchor, box = index // num_boxes, index % num_boxes
        if iou[anchor, box] < 0:  # no anchor is left
            break
        matches[anchor] = box
        iou[:, box] = -1
        iou[anchor, :] = -1
    return matches


def offsets_in_a_loop(anchors: Tensor, boxes: Tensor) -> Tensor:
    centers1, centers2 = ((corners[:, :2] + corners[:, 2:]) / 2 for corners in (anchors, boxes))
    sizes1, sizes2 = (corners[:, 2:] - corners[:, :2] for corners in (anchors, boxes))
    shifts = (centers2 - centers1) / sizes1 / 0.1
    scales = torch.log((sizes2 / sizes1).clamp(min=1e-6)) / 0.2
    return torch.cat([shifts, scales], dim=1)


def torchvision_targets(anchors: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Classes and offsets as torchvision's detectors make them, image by image.

    Their rule is not quite ours: an anchor that several boxes like best goes to the one it overlaps
    most, and the others get none of their own.
    """
    matcher = Matcher(0.5, 0.5, allow_low_quality_matches=True)
    coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
    all_classes, all_offsets = [], []
    for padded in labels:
        objects = padded[padded[:, 0] >= 0]
        matches = matcher(box_iou(objects[:, 1:], anchors))
        positive = matches >= 0
        chosen = objects[matches.clamp(min=0)]
        all_classes.append(torch.where(positive, chosen[:, 0].long() + 1, 0))
        (offsets,) = coder.encode([chosen[:, 1:]], [anchors])
        all_offsets.append(offsets * positive[:, None])
    return torch.stack(all_classes), torch.stack(all_offsets)


def readable_targets(anchors: Tensor, labels: Tensor) -> Targets:
    """The readable form, image by image."""
    images = [make_image_targets(anchors, rows) for rows in labels]
    return Targets(*(torch.stack(parts) for parts in zip(*images, strict=True)))


def make_labels(num_images: int, most_boxes: int, num_classes: int = 20) -> Tensor:
    """Between one and `most_boxes` random boxes in each image, the rest padding."""
    generator = torch.Generator().manual_seed(0)
    sizes = 0.08 + 0.5 * torch.rand(num_images, most_boxes, 2, generator=generator)
    corners = (1 - sizes) * torch.rand(num_images, most_boxes, 2, generator=generator)
    classes = torch.randint(num_classes, (num_images, most_boxes, 1), generator=generator)
    labels = torch.cat([classes, corners, corners + sizes], dim=2)
    num_boxes = torch.randint(1, most_boxes + 1, (num_images, 1), generator=generator)
    labels[torch.arange(most_boxes) >= num_boxes] = -1
    return labels


def make_anchors() -> Tensor:
    """The 5,444 anchors of TinySSD: four in each cell of its five maps."""
    maps = [grid_anchors(side, side, sizes, [1.0, 2.0, 0.5]) for side, sizes in MAPS.items()]
    return torch.cat(maps)


def make_contestants() -> dict[str, Callable[[Tensor, Tensor], object]]:
    """The contestants; the first is the reference."""
    return {
        LOOP: loop_targets,
        TORCHVISION: torchvision_targets,
        READABLE: readable_targets,
        OURS: make_targets,
    }


def seconds_per_call(
    function: Callable[[Tensor, Tensor], object], anchors: Tensor, labels: Tensor, num_calls: int
) -> float:
    """Time some calls after one of the same kind, so that they find the memory as it left it."""
    function(anchors, labels)
    start = now()
    for _ in range(num_calls):
        function(anchors, labels)
    return (now() - start) / num_calls


def measure(num_rounds: int, num_images: int = 32, num_calls: int = 3) -> Table:
    """Compare with the loop, and once more with torchvision."""
    anchors, labels = make_anchors(), make_labels(num_images, most_boxes=10)
    contestants: dict[str, Contestant] = {
        name: partial(seconds_per_call, function, anchors, labels, num_calls)
        for name, function in make_contestants().items()
    }
    seconds = take_turns(contestants, num_rounds)

    def milliseconds(value: float) -> float:
        return 1e3 * value

    rows = with_goal(
        rows_against(LOOP, seconds, milliseconds, times_as_fast), OURS, median_compared, at_least=8
    )
    against = {name: seconds[name] for name in (TORCHVISION, OURS)}
    (_, row) = with_goal(
        rows_against(TORCHVISION, against, milliseconds, times_as_fast),
        OURS,
        median_compared,
        at_least=4,
    )
    return Table(
        title="Targets for a detector",
        setting=f"A batch of {num_images} images with 1 to 10 boxes each, padded, and "
        f"{len(anchors):,} anchors; {torch.get_num_threads()} threads. {num_rounds} rounds of "
        f"{num_calls} calls, after one that does not count. All but torchvision's classes, which "
        "follow another rule where boxes compete for an anchor, give the same targets bit by bit.",
        own="milliseconds per batch",
        compared="times as fast as the loop",
        rows=(*rows, replace(row, name=f"{OURS}, compared with torchvision's classes")),
    )
