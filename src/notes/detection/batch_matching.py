"""`match_anchors` for all images of a batch at once.

Image by image is slow: many small steps, and for each box a search through the overlaps of *all*
boxes of its image. Here many images handle their first box together, then those that have a second
one, and so on, in memory that is used again and again. An anchor remembers only how much the best
box overlaps it; which box that is, is asked for the few above the threshold. And a box searches a
second time only if another one has taken its anchor. The matches are the same.

Shapes: `B` images, `A` anchors, `M` most boxes in one image, `P` pairs of anchor and box, `n`
    images of a part that have another box.
"""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import check_probability, check_same
from notes.detection.boxes import check_boxes
from notes.detection.labels import check_label_rows
from notes.detection.overlap import check_areas

AT_A_TIME = 2**18  # anchors of all images of a part: what lies in between fits the cache
Planes = tuple[Tensor, ...]  # left, top, right, bottom, and of anchors the area, each for itself


class Pairs(NamedTuple):
    """Which anchor in which image looks for which box, in no particular order.

    Attributes:
        images: `(P,)` int64 indices into the batch.
        anchors: `(P,)` int64 indices into the anchors; no anchor twice in one image.
        rows: `(P,)` int64 indices into the labels of the image.

    Explained in:
        [Assigning anchors][assigning-anchors]
    """

    images: Tensor
    anchors: Tensor
    rows: Tensor


@torch.no_grad()
def match_batch(anchors: Tensor, labels: Tensor, iou_threshold: float = 0.5) -> Pairs:
    """The anchors that have a box: what `match_anchors` finds in each image of a batch.

    Args:
        anchors: `(A, 4)` boxes, `xyxy`, the same for all images.
        labels: `(B, M, 5)` rows of class, x1, y1, x2, y2. Rows with a class below 0 are padding,
            wherever they stand, and never matched.
        iou_threshold: As for `match_anchors`.

    Returns:
        `(P,)` images, anchors and rows of the labels.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If the anchors or the labels do not hold `xyxy` boxes, a coordinate is so large
            that areas overflow, the devices differ, or the threshold lies outside [0, 1].

    Examples:
        >>> halves = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]])
        >>> padding, left = [-1.0, -1.0, -1.0, -1.0, -1.0], [7.0, 0.1, 0.0, 0.5, 1.0]
        >>> match_batch(halves, torch.tensor([[padding, left], [padding, padding]]))
        Pairs(images=tensor([0]), anchors=tensor([0]), rows=tensor([1]))

    Explained in:
        [Assigning anchors][assigning-anchors]
    """
    check_boxes("anchors", anchors)
    check_label_rows("labels", labels)
    check_same("anchors", anchors, "labels", labels)
    check_probability("iou_threshold", iou_threshold)
    if anchors.itemsize < 4:
        return match_batch(anchors.float(), labels.float(), iou_threshold)
    real = labels[:, :, 0] >= 0  # (B, M)
    check_areas("anchors", anchors)
    check_areas("labels", labels[real][:, 1:])
    if len(anchors) == 0 or not real.any():
        none = torch.zeros(0, dtype=torch.int64, device=labels.device)
        return Pairs(none, none, none)
    # --8<-- [start:order]
    # Images with many boxes first, so that those in a part have about as many; and padding last, as
    # boxes without area, which overlap nothing.
    order = real.sum(dim=1).argsort(descending=True)
    real = real[order]
    rows = real.int().argsort(dim=1, descending=True, stable=True)  # (B, M)
    boxes = labels[order, :, 1:].masked_fill_(~real[:, :, None], 0)
    boxes = boxes.gather(1, rows[:, :, None].expand_as(boxes)).permute(2, 0, 1).contiguous()
    num_boxes = [number for number in real.sum(dim=1).tolist() if number]
    # --8<-- [end:order]
    left, top, right, bottom = anchors.t().contiguous().unbind()  # (A,) each
    areas = (right - left) * (bottom - top)
    # An area of 1 in place of 0 makes 0 / 1 of 0 / 0; the intersections are 0 anyway.
    planes = left, top, right, bottom, torch.where(areas > 0, areas, 1.0)
    at_a_time = max(1, AT_A_TIME // len(anchors))
    found = []
    for first in range(0, len(num_boxes), at_a_time):
        part = slice(first, first + at_a_time)
        images, chosen, best = _match_part(planes, boxes[:, part], num_boxes[part], iou_threshold)
        images += first
        found.append((order[images], chosen, rows[images, best]))
    return Pairs(*map(torch.cat, zip(*found, strict=True)))


def _match_part(
    anchors: Planes, boxes: Tensor, num_boxes: list[int], iou_threshold: float
) -> tuple[Tensor, ...]:
    """Match images that are sorted by their number of boxes, the most boxes first."""
    # The overlaps with the first boxes are the largest so far, so they are computed in that place.
    largest, *scratch = boxes.new_empty(4, len(num_boxes), len(anchors[0])).unbind()  # (B, A) each
    queues: list[list[tuple[float, int, int]]] = [[] for _ in num_boxes]
    # --8<-- [start:scan]
    for box in range(num_boxes[0]):
        n = sum(number > box for number in num_boxes)
        width, height, other = (space[:n] for space in scratch)
        place = width if box else largest
        iou = _iou(anchors, boxes[:, :n, box, None].unbind(), place, height, other)  # (n, A)
        if box:
            torch.maximum(largest[:n], iou, out=largest[:n])
        values, wanted = (part.tolist() for part in iou.max(dim=1))  # of equal ones the first
        for queue, value, anchor in zip(queues, values, wanted, strict=False):
            queue.append((-value, anchor, box))
    # --8<-- [end:scan]
    # --8<-- [start:pairs]
    served = [
        (image, anchor, box)
        for image, queue in enumerate(queues)
        for anchor, box in _serve(queue, anchors, boxes[:, image])
    ]
    own = torch.tensor(list(zip(*served, strict=True)), device=boxes.device).unbind()
    largest[own[:2]] = -1  # they have their box, whatever else they overlap
    images, chosen = (largest >= iou_threshold).nonzero(as_tuple=True)
    few = tuple(plane[chosen, None] for plane in anchors)  # (P, 1) each
    # Padding stands last, so that of equal overlaps, even of 0, the first belongs to a box.
    best = _iou(few, boxes.index_select(1, images).unbind()).max(dim=1).indices  # (P,)
    # --8<-- [end:pairs]
    return tuple(map(torch.cat, zip(own, (images, chosen, best), strict=True)))


def _iou(
    anchors: Planes,
    boxes: Planes,
    width: Tensor | None = None,
    height: Tensor | None = None,
    other: Tensor | None = None,
) -> Tensor:
    """What `box_iou` computes, from planes of coordinates that broadcast, in given memory."""
    left, top, right, bottom, area = anchors
    x1, y1, x2, y2 = boxes
    width = torch.minimum(right, x2, out=width).sub_(torch.maximum(left, x1, out=other))
    height = torch.minimum(bottom, y2, out=height).sub_(torch.maximum(top, y1, out=other))
    inter = width.clamp_(min=0).mul_(height.clamp_(min=0))
    union = torch.add(area, (x2 - x1) * (y2 - y1), out=other).sub_(inter)
    return inter.div_(union)


# --8<-- [start:serve]
def _serve(
    queue: list[tuple[float, int, int]], anchors: Planes, boxes: Tensor
) -> Iterator[tuple[int, int]]:
    """Pairs of anchor and box, the largest overlap first, as `match_anchors` forms them."""
    heapq.heapify(queue)
    num_anchors = len(anchors[0])
    taken: list[int] = []
    while queue and len(taken) < num_anchors:
        _, anchor, box = heapq.heappop(queue)
        if anchor not in taken:
            taken.append(anchor)
            yield anchor, box
        else:  # this box comes again, with the best anchor that is left for it
            iou = _iou(anchors, boxes[:, box, None].unbind())  # (A,)
            iou[taken] = -1
            anchor = int(iou.argmax())
            heapq.heappush(queue, (-float(iou[anchor]), anchor, box))


# --8<-- [end:serve]
