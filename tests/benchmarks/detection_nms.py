"""Non-maximum suppression: by hand, torchvision's, and `nms`."""

from collections.abc import Callable
from functools import partial

import torch
import torchvision
from tables import Row, Table, median_compared, rows_against, times_as_fast, with_goal
from timing import Contestant, now, take_turns
from torch import Tensor

from notes.detection.nms import nms, nms_by_hand

IOU_THRESHOLD = 0.5
Suppress = Callable[[Tensor, Tensor, float], Tensor]


def make_boxes(size: int) -> tuple[Tensor, Tensor]:
    """Boxes all over the image, with sides up to a fifth of it, and random scores."""
    generator = torch.Generator().manual_seed(0)
    centers, sides = torch.rand(2, size, 2, generator=generator)
    half = 0.01 + 0.1 * sides
    boxes = torch.cat([centers - half, centers + half], dim=1)
    return boxes, torch.rand(size, generator=generator)


def make_contestants(size: int) -> dict[str, Suppress]:
    """The reference first; the loop by hand takes too long for many boxes."""
    contestants: dict[str, Suppress] = {"`torchvision.ops.nms`": torchvision.ops.nms, "`nms`": nms}
    return contestants | ({"`nms_by_hand`": nms_by_hand} if size <= 1000 else {})


def seconds_of(suppress: Suppress, boxes: Tensor, scores: Tensor, repeats: int) -> float:
    """Time one call, as the mean of several."""
    start = now()
    for _ in range(repeats):
        suppress(boxes, scores, IOU_THRESHOLD)
    return (now() - start) / repeats


def measure(num_rounds: int, sizes: tuple[int, int] = (1000, 20_000)) -> Table:
    """Compare them on few boxes and on many."""
    rows: list[Row] = []
    for size, goal, repeats in zip(sizes, (0.91, 3.5), (5, 1), strict=True):
        boxes = make_boxes(size)
        kind = f": {size:,} boxes"
        contestants: dict[str, Contestant] = {
            name + kind: partial(seconds_of, suppress, *boxes, repeats)
            for name, suppress in make_contestants(size).items()
        }
        seconds = take_turns(contestants, num_rounds)
        rows += with_goal(
            rows_against(
                "`torchvision.ops.nms`" + kind, seconds, lambda value: 1e3 * value, times_as_fast
            ),
            "`nms`" + kind,
            median_compared,
            at_least=goal,
        )
    return Table(
        title="Suppression among many boxes",
        setting=f"Random boxes, threshold {IOU_THRESHOLD}, float32, "
        f"{torch.get_num_threads()} threads. {num_rounds} rounds.",
        own="ms",
        compared="times as fast as torchvision",
        rows=tuple(rows),
    )
