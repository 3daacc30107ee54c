"""From readable to fast: each utility of detection in the forms it went through."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torchvision
from anchors_loop import anchors_loop
from detection_boxes import RATIOS, SIZES, anchors_of_every_cell, make_boxes
from detection_detect import SCORE_THRESHOLD, classic, make_outputs
from detection_nms import IOU_THRESHOLD
from detection_nms import make_boxes as make_scored_boxes
from detection_targets import loop_targets, make_anchors, make_labels, readable_targets
from tables import Table, rows_against, times_as_fast
from timing import Contestant, now, take_turns
from torch import Tensor

from notes.detection.anchors import grid_anchors
from notes.detection.boxes import box_area
from notes.detection.detections import Detections, detect
from notes.detection.nms import nms, nms_by_hand
from notes.detection.overlap import box_iou
from notes.detection.targets import make_targets

SCALES = {"million": 1e-6, "thousand": 1e-3}
Form = tuple[Callable[..., Any], tuple[Any, ...], int]  # a function, its arguments, units of work


def overlap_of_numbers(box1: Sequence[float], box2: Sequence[float]) -> float:
    """Of two boxes, in plain numbers."""
    width = max(0.0, min(box1[2], box2[2]) - max(box1[0], box2[0]))
    height = max(0.0, min(box1[3], box2[3]) - max(box1[1], box2[1]))
    area1, area2 = ((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (box1, box2))
    union = area1 + area2 - width * height
    return width * height / union if union > 0 else 0.0


def overlap_loop(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Pair by pair."""
    columns = boxes2.tolist()
    return torch.tensor(
        [[overlap_of_numbers(row, column) for column in columns] for row in boxes1.tolist()],
        dtype=boxes1.dtype,
    )


def overlap_at_once(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """All pairs, as the chapter on overlap shows it."""
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[:, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[:, 2:])
    inter = (bottom_right - top_left).clamp(min=0).prod(dim=2)
    union = box_area(boxes1)[:, None] + box_area(boxes2) - inter
    return inter / torch.where(union > 0, union, 1.0)


def nms_loop(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Box by box, in plain numbers."""
    numbers, kept = boxes.tolist(), []
    for index in scores.argsort(descending=True, stable=True).tolist():
        if all(overlap_of_numbers(numbers[index], numbers[k]) <= iou_threshold for k in kept):
            kept.append(index)
    return torch.tensor(kept)


def likely_first(probabilities: Tensor, offsets: Tensor, anchors: Tensor) -> list[Detections]:
    """The classic loops, after dropping what is unlikely from each image."""
    found = []
    for one, its_offsets in zip(probabilities, offsets, strict=True):
        likely = one[:, 1:].amax(dim=1) >= SCORE_THRESHOLD
        found += classic(one[likely][None], its_offsets[likely][None], anchors[likely])
    return found


def make_steps(small: bool = False) -> dict[str, tuple[str, Mapping[str, Form]]]:
    """For each utility the unit of its work and its forms, the slowest first.

    Args:
        small: Whether to make so little work that only the answers are of interest.
    """
    few, many = (10, 20) if small else (150, 3000)
    height, width = (4, 6) if small else (561, 728)
    num_images, num_outputs = (1, 1) if small else (32, 4)
    anchors = make_anchors()[-84 if small else 0 :]
    labels = make_labels(num_images, most_boxes=10)
    outputs = (*make_outputs(num_outputs, 20, anchors), anchors)
    scored = (*make_scored_boxes(30 if small else 3000), IOU_THRESHOLD)
    pair, pairs = ((make_boxes(count, 0), make_boxes(count, 1)) for count in (few, many))
    grid = (height, width, SIZES, RATIOS)
    coarse = (math.ceil(height / 20), math.ceil(width / 20), SIZES, RATIOS)
    num_anchors, num_coarse = (5 * rows * columns for rows, columns, *_ in (grid, coarse))
    return {
        "Overlap, step by step": (
            "million pairs per second",
            {
                "a loop over all pairs": (overlap_loop, pair, few**2),
                "all pairs at once": (overlap_at_once, pairs, many**2),
                "planes, block by block: `box_iou`": (box_iou, pairs, many**2),
            },
        ),
        "Anchors, step by step": (
            "million anchors per second",
            {
                "a loop over rows, columns and shapes": (anchors_loop, coarse, num_coarse),
                "centers repeated for all shapes": (anchors_of_every_cell, grid, num_anchors),
                "a row plus a column: `grid_anchors`": (grid_anchors, grid, num_anchors),
            },
        ),
        "Targets, step by step": (
            "images per second",
            {
                "a loop over images and boxes": (loop_targets, (anchors, labels), num_images),
                "image by image: `make_image_targets`": (
                    readable_targets,
                    (anchors, labels),
                    num_images,
                ),
                "the batch: `make_targets`": (make_targets, (anchors, labels), num_images),
            },
        ),
        "Suppression, step by step": (
            "thousand boxes per second",
            {
                "a loop over pairs": (nms_loop, scored, len(scored[0])),
                "each box with all others: `nms_by_hand`": (nms_by_hand, scored, len(scored[0])),
                "compiled: `torchvision.ops.nms`": (
                    torchvision.ops.nms,
                    scored,
                    len(scored[0]),
                ),
                "compiled, in blocks: `nms`": (nms, scored, len(scored[0])),
            },
        ),
        "Detections, step by step": (
            "images per second",
            {
                "loops over images, classes and boxes": (classic, outputs, num_outputs),
                "the same, without unlikely boxes": (likely_first, outputs, num_outputs),
                "the batch: `detect`": (detect_all, outputs, num_outputs),
            },
        ),
    }


def detect_all(probabilities: Tensor, offsets: Tensor, anchors: Tensor) -> list[Detections]:
    """`detect` with the settings of the loops."""
    return detect(
        probabilities,
        offsets,
        anchors,
        iou_threshold=IOU_THRESHOLD,
        score_threshold=SCORE_THRESHOLD,
        max_detections=len(anchors),
    )


def seconds_per_unit(function: Callable[..., Any], arguments: tuple[Any, ...], units: int) -> float:
    """Time one call, divided by how much it did."""
    start = now()
    function(*arguments)
    return (now() - start) / units


def measure(num_rounds: int, small: bool = False) -> list[Table]:
    """Compare the forms of each utility with the slowest."""
    tables = []
    for title, (unit, forms) in make_steps(small).items():
        contestants: dict[str, Contestant] = {
            name: partial(seconds_per_unit, *form) for name, form in forms.items()
        }
        seconds = take_turns(contestants, num_rounds)
        scale = SCALES.get(unit.split()[0], 1.0)

        def per_second(value: float, scale: float = scale) -> float:
            return scale / value

        tables.append(
            Table(
                title=title,
                setting=f"{torch.get_num_threads()} threads, {num_rounds} rounds.",
                own=unit,
                compared="times as fast as the loop",
                rows=rows_against(next(iter(forms)), seconds, per_second, times_as_fast),
            )
        )
    return tables
