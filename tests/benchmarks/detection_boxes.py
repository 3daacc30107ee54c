"""Overlaps of many boxes, and the anchors of a whole photo."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torchvision
from tables import Row, Table, median_compared, rows_against, times_as_fast, with_goal
from timing import Contestant, now, take_turns
from torch import Tensor

from notes.detection.anchors import grid_anchors
from notes.detection.overlap import box_iou

SIZES, RATIOS = (0.75, 0.5, 0.25), (1.0, 2.0, 0.5)
TORCHVISION, OURS = "`torchvision.ops.box_iou`", "`box_iou`"
ANCHORS, CLASSIC, FILL = "`grid_anchors`", "centers repeated for all shapes", "a fill of the memory"


def make_boxes(num_boxes: int, seed: int) -> Tensor:
    """Boxes of many sizes in the unit square."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(num_boxes, 2, 2, generator=generator)
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)


def anchors_of_every_cell(
    height: int, width: int, sizes: Sequence[float], ratios: Sequence[float]
) -> Tensor:
    """Anchors as in most lessons: repeat all centers for all shapes, then add."""
    y = (torch.arange(height) + 0.5) / height
    x = (torch.arange(width) + 0.5) / width
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    centers = torch.stack([columns, rows, columns, rows], dim=1).repeat_interleave(
        len(sizes) + len(ratios) - 1, dim=0
    )
    size, root = torch.tensor(sizes), torch.tensor(ratios).sqrt()
    w = torch.cat([size * root[0], size[0] * root[1:]]) * height / width
    h = torch.cat([size / root[0], size[0] / root[1:]])
    # The halves are taken after the repetition, of every anchor, as in the notes.
    return centers + torch.stack([-w, -h, w, h], dim=1).repeat(height * width, 1) / 2


def seconds_for(work: Callable[[], Tensor]) -> float:
    """Time it right after a run of itself, so that it finds the memory as it left it."""
    work()
    start = now()
    work()
    return now() - start


def measure_overlap(num_rounds: int, num_boxes: Sequence[int] = (1000, 5000)) -> Table:
    """Compare the ways to all pairs."""
    rows: list[Row] = []
    for count in num_boxes:
        boxes1, boxes2 = make_boxes(count, seed=0), make_boxes(count, seed=1)
        ways = {TORCHVISION: torchvision.ops.box_iou, OURS: box_iou}
        contestants: dict[str, Contestant] = {
            f"{name}: {count:,} × {count:,}": partial(seconds_for, partial(way, boxes1, boxes2))  # noqa: RUF001
            for name, way in ways.items()
        }
        reference, ours = contestants
        seconds = take_turns(contestants, num_rounds)
        against = rows_against(reference, seconds, lambda value: 1e3 * value, times_as_fast)
        rows += with_goal(against, ours, median_compared, at_least=4)
    return Table(
        title="The overlap of all pairs of boxes",
        setting=f"float32, {torch.get_num_threads()} threads. {num_rounds} rounds; each "
        "measurement follows a run of its own, which does not count.",
        own="ms",
        compared="times as fast as torchvision",
        rows=tuple(rows),
    )


def measure_anchors(num_rounds: int, height: int = 561, width: int = 728) -> Table:
    """Compare the anchors of a photo with the classic code and with a bare fill."""
    num_anchors = height * width * (len(SIZES) + len(RATIOS) - 1)
    arguments = (height, width, SIZES, RATIOS)
    contestants: dict[str, Contestant] = {
        ANCHORS: partial(seconds_for, partial(grid_anchors, *arguments)),
        CLASSIC: partial(seconds_for, partial(anchors_of_every_cell, *arguments)),
        FILL: partial(seconds_for, partial(torch.full, (num_anchors, 4), 1.0)),
    }
    seconds = take_turns(contestants, num_rounds)
    rows = rows_against(
        ANCHORS, seconds, lambda value: 1e3 * value, lambda ours, theirs: theirs / ours
    )
    rows = with_goal(rows, CLASSIC, median_compared, at_least=12)
    return Table(
        title="The anchors of a photo",
        setting=f"{height} × {width} cells, {num_anchors:,} anchors, float32, "  # noqa: RUF001
        f"{torch.get_num_threads()} threads. {num_rounds} rounds; each measurement follows a run "
        "of its own, which does not count.",
        own="ms",
        compared="times as long as `grid_anchors`",
        rows=with_goal(rows, FILL, median_compared, at_least=0.33),
    )
