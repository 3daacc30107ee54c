"""What the public functions of this folder do once they have looked at their arguments.

Nothing here looks again, so everything can be combined freely. One gatekeeper stands at the end,
because it needs the arithmetic itself.

Shapes: `N M` boxes, `A` anchors, `P` pairs of an anchor and a box.
"""

import math

import numpy as np
import torch
import torchvision
from torch import Tensor

from notes.checks import LONGEST_SIDE, check_finite, shown

BLOCK = 2**17  # pairs at a time for each thread: what lies in between stays in its cache
BEST = 256  # boxes that the suppression settles at a time
FEW = 1000  # boxes up to which it settles all at once, which is quicker then

CENTER_VARIANCE = 0.1  # called variances since SSD's first code; they divide as deviations do
SIZE_VARIANCE = 0.2
SMALLEST_RATIO = 1e-6  # the logarithm of a box without width stays finite

Planes = tuple[Tensor, ...]  # left, top, right, bottom and area of boxes, each for itself


def at_least_float32(numbers: Tensor) -> Tensor:
    """Half precision has too few digits for overlaps, and too small a range for areas and sums."""
    return numbers.float() if numbers.itemsize < 4 else numbers


def planes_of(boxes: Tensor) -> Planes:
    """From boxes `(..., 4)`, five tensors `(...)`."""
    left, top, right, bottom = boxes.movedim(-1, 0).contiguous().unbind()
    area = (right - left) * (bottom - top)
    # An area of 1 in place of 0 makes 0 / 1 of 0 / 0; the intersections are 0 anyway.
    return left, top, right, bottom, area.masked_fill_(area == 0, 1.0)


# --8<-- [start:planes]
def iou_of_planes(
    boxes1: Planes,
    boxes2: Planes,
    width: Tensor | None = None,
    height: Tensor | None = None,
    other: Tensor | None = None,
) -> Tensor:
    """Overlaps of planes that broadcast, in the memory of `width` if there is any."""
    left1, top1, right1, bottom1, area1 = boxes1
    left2, top2, right2, bottom2, area2 = boxes2
    width = torch.minimum(right1, right2, out=width).sub_(torch.maximum(left1, left2, out=other))
    height = torch.minimum(bottom1, bottom2, out=height).sub_(torch.maximum(top1, top2, out=other))
    inter = width.clamp_(min=0).mul_(height.clamp_(min=0))
    union = torch.add(area1, area2, out=other).sub_(inter)
    return inter.div_(union)


# --8<-- [end:planes]


# --8<-- [start:blocks]
@torch.no_grad()
def pairwise_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """`box_iou` without a gradient, at least in float32, block by block: `(N, M)`."""
    boxes1, boxes2 = at_least_float32(boxes1), at_least_float32(boxes2)
    if len(boxes2) < len(boxes1):  # long rows are faster than many rows
        return pairwise_iou(boxes2, boxes1).T.contiguous()
    iou = boxes1.new_empty(len(boxes1), len(boxes2))
    column, row = planes_of(boxes1[:, None]), planes_of(boxes2)  # (N, 1) and (M,) each
    block = BLOCK * torch.get_num_threads() if iou.device.type == "cpu" else iou.numel()
    num_columns = max(1, min(block, len(boxes2)))
    num_rows = max(1, block // num_columns)
    spaces = iou.new_empty(2, min(num_rows, len(boxes1)), num_columns)
    for rows in (slice(start, start + num_rows) for start in range(0, len(boxes1), num_rows)):
        some1 = tuple(plane[rows] for plane in column)
        for start in range(0, len(boxes2), num_columns):
            columns = slice(start, start + num_columns)
            some2 = tuple(plane[columns] for plane in row)
            place = iou[rows, columns]
            iou_of_planes(some1, some2, place, *spaces[:, : place.shape[0], : place.shape[1]])
    return iou


# --8<-- [end:blocks]


def centers_and_sizes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """From boxes `(..., 4)`, centers and sizes `(..., 2)`, at least in float32."""
    top_left, bottom_right = at_least_float32(boxes).split(2, dim=-1)
    return (top_left + bottom_right) / 2, bottom_right - top_left


# --8<-- [start:encode]
def encode(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Offsets `(P, 4)` of boxes from their anchors, at least in float32."""
    anchor_centers, anchor_sizes = centers_and_sizes(anchors)  # (P, 2) each
    centers, sizes = centers_and_sizes(boxes)
    shifts = (centers - anchor_centers) / anchor_sizes
    ratios = (sizes / anchor_sizes).clamp(min=SMALLEST_RATIO)
    return torch.cat([shifts / CENTER_VARIANCE, ratios.log() / SIZE_VARIANCE], dim=-1)


# --8<-- [end:encode]


# --8<-- [start:decode]
def decode(anchors: Tensor, offsets: Tensor) -> Tensor:
    """The boxes `(..., P, 4)` that offsets from anchors mean, at least in float32."""
    anchor_centers, anchor_sizes = centers_and_sizes(anchors)  # (P, 2) each
    shifts, ratios = at_least_float32(offsets).split(2, dim=-1)  # (..., P, 2) each
    centers = anchor_centers + shifts * CENTER_VARIANCE * anchor_sizes
    sizes = anchor_sizes * (ratios * SIZE_VARIANCE).exp()
    return torch.cat([centers - sizes / 2, centers + sizes / 2], dim=-1)


# --8<-- [end:decode]


def kernel(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The suppression of torchvision, which compares overlaps in float32 with a float64.

    So the threshold is rounded as they are: 0.6 would lie below the 0.6 of float32.
    """
    threshold = np.float32(iou_threshold) if boxes.dtype == torch.float32 else iou_threshold
    keep: Tensor = torchvision.ops.nms(boxes, scores, float(threshold))
    return keep


# --8<-- [start:settle]
def settle(boxes: Tensor, iou_threshold: float) -> Tensor:
    """Which boxes stay, given them best first: their positions, ascending.

    torchvision's kernel compares box by box, in one thread. So with many boxes it settles only a
    few of the best; what these remove is found for all others at once, and the next few are free
    of it.
    """
    falling = torch.arange(len(boxes), 0, -1, dtype=boxes.dtype, device=boxes.device)
    if len(boxes) <= FEW or boxes.device.type != "cpu":
        return kernel(boxes, falling, iou_threshold)
    left, kept = torch.arange(len(boxes), device=boxes.device), []
    while len(left) > 0:
        best, left = left[:BEST], left[BEST:]
        winners = best[kernel(boxes[best], falling[best], iou_threshold)]
        kept.append(winners)
        largest = pairwise_iou(boxes[winners], boxes[left]).amax(dim=0)  # (left,)
        left = left[largest <= iou_threshold]
    return torch.cat(kept)


# --8<-- [end:settle]


def keep_best(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The indices of the boxes that stay, best first."""
    boxes = at_least_float32(boxes)
    if len(boxes) <= FEW and scores.dtype == boxes.dtype and boxes.device.type == "cpu":
        return kernel(boxes, scores, iou_threshold)  # which sorts them in the same way
    order = scores.argsort(descending=True, stable=True)
    return order[settle(boxes[order], iou_threshold)]


# --8<-- [start:suppress]
def suppress(
    boxes: Tensor, scores: Tensor, groups: Tensor, num_groups: int, iou_threshold: float
) -> list[Tensor]:
    """For each group, numbered from 0, the indices of its boxes that stay, best first.

    Boxes of different groups do not suppress each other.
    """
    boxes = at_least_float32(boxes)
    order = scores.argsort(descending=True, stable=True)
    order = order[groups[order].argsort(stable=True)]  # group by group, best first in each
    sizes = groups.new_zeros(num_groups).index_add_(0, groups, torch.ones_like(groups)).tolist()
    parts = zip(order.split(sizes), boxes[order].split(sizes), strict=True)
    return [one if len(one) < 2 else one[settle(own, iou_threshold)] for one, own in parts]


def best_first(kept: list[Tensor], scores: Tensor) -> Tensor:
    """The indices of several groups together; of equal scores the first comes first."""
    keep = torch.cat([scores.new_empty(0, dtype=torch.int64), *kept]).sort().values
    return keep[scores[keep].argsort(descending=True, stable=True)]


# --8<-- [end:suppress]


def best_of_images(kept: list[Tensor], scores: Tensor, num_images: int, most: int) -> list[Tensor]:
    """What is kept in each image, if its groups stand side by side, and `most` of it."""
    groups = len(kept) // max(1, num_images)  # of each image
    parts = (kept[image * groups : (image + 1) * groups] for image in range(num_images))
    return [best_first(part, scores)[:most] for part in parts]


def check_offsets(anchors: Tensor, offsets: Tensor) -> None:
    """Refuse offsets `(..., A, 4)` that are not finite, or lead to boxes beyond all measure.

    Raises:
        ValueError: If there are any. The boxes are nothing that the caller has given, so the
            message shows the offsets.
    """
    if offsets.numel() == 0:
        return
    anchors, offsets = anchors.detach(), offsets.detach()
    far, low, high = torch.stack([anchors.abs().amax(), *offsets.aminmax()]).tolist()
    # No box reaches farther than this one would: the largest anchor with the largest offsets.
    stretch = math.exp(min(high * SIZE_VARIANCE, 700.0))
    if far * (1 + 2 * CENTER_VARIANCE * max(-low, high) + stretch) <= LONGEST_SIDE:
        return
    check_finite("offsets", offsets)
    wrong = ~(decode(anchors, offsets).abs() <= LONGEST_SIDE).all(dim=-1)
    if wrong.any():
        index = tuple(wrong.nonzero()[0].tolist())
        got = f"{shown(offsets[index])} at index {index}"
        raise ValueError(
            f"offsets must lead to boxes with coordinates of at most {LONGEST_SIDE:.3g}, got {got}"
        )
