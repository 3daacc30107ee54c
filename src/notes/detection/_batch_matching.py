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

import torch
from torch import Tensor

from notes.detection._unchecked import Planes, at_least_float32, iou_of_planes, planes_of

AT_A_TIME = 2**18  # anchors of all images of a part: what lies in between fits the cache


@torch.no_grad()
def match_batch(
    anchors: Tensor, labels: Tensor, iou_threshold: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The anchors that have a box: what `match_anchors` finds in each image of a batch.

    Returns:
        Of each pair of anchor and box the image `(P,)`, the anchor `(P,)` and the row of the labels
        `(P,)`, in no particular order.
    """
    real = labels[:, :, 0] >= 0  # (B, M)
    # Images with many boxes first, so that those in a part have about as many; and padding last, as
    # boxes without area, which overlap nothing.
    order = real.sum(dim=1).argsort(descending=True)
    real = real[order]
    rows = real.int().argsort(dim=1, descending=True, stable=True)  # (B, M)
    boxes = labels[order, :, 1:].masked_fill_(~real[:, :, None], 0)
    boxes = boxes.gather(1, rows[:, :, None].expand_as(boxes))
    num_boxes = [number for number in real.sum(dim=1).tolist() if number]
    anchor_planes = planes_of(at_least_float32(anchors))  # (A,) each
    box_planes = torch.stack(planes_of(at_least_float32(boxes.transpose(0, 1))))  # (5, M, B)
    at_a_time = max(1, AT_A_TIME // max(1, len(anchors)))
    found = [(order[:0], order[:0], order[:0])]
    for first in range(0, len(num_boxes) if len(anchors) else 0, at_a_time):
        part = slice(first, first + at_a_time)
        images, chosen, best = _match_part(
            anchor_planes, box_planes[:, :, part], num_boxes[part], iou_threshold
        )
        images += first
        found.append((order[images], chosen, rows[images, best]))
    images, chosen, matched = map(torch.cat, zip(*found, strict=True))
    return images, chosen, matched


def _match_part(
    anchors: Planes, boxes: Tensor, num_boxes: list[int], iou_threshold: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Match images that are sorted by their number of boxes, the most boxes first."""
    num_anchors, num_images, most = len(anchors[0]), len(num_boxes), num_boxes[0]
    # The overlaps with the first boxes are the largest so far, so they are computed in that place.
    largest, *scratch = anchors[0].new_empty(4, num_images, num_anchors).unbind()  # (B, A) each
    values = anchors[0].new_zeros(most, num_images)
    wanted = torch.zeros(most, num_images, dtype=torch.int64, device=values.device)
    have_box = [sum(number > box for number in num_boxes) for box in range(most)]
    for box, n in enumerate(have_box):
        width, height, other = (space[:n] for space in scratch)
        own = boxes[:, box, :n, None].unbind()  # (n, 1) each
        iou = iou_of_planes(anchors, own, width if box else largest, height, other)  # (n, A)
        if box:
            torch.maximum(largest[:n], iou, out=largest[:n])
        torch.max(iou, dim=1, out=(values[box, :n], wanted[box, :n]))  # of equal ones the first
    queues: list[list[tuple[float, int, int]]] = [[] for _ in num_boxes]
    for box, (n, *row) in enumerate(zip(have_box, values.tolist(), wanted.tolist(), strict=True)):
        for queue, value, anchor in zip(queues[:n], *(part[:n] for part in row), strict=True):
            queue.append((-value, anchor, box))
    served = [
        (image, anchor, box)
        for image, queue in enumerate(queues)
        for anchor, box in _serve(queue, anchors, boxes[:, :, image])
    ]
    own_images, own_anchors, own_boxes = torch.tensor(served, device=values.device).T
    largest[own_images, own_anchors] = -1  # they have their box, whatever else they overlap
    images, chosen = (largest >= iou_threshold).nonzero(as_tuple=True)
    few = tuple(plane[chosen, None] for plane in anchors)  # (P, 1) each
    theirs = boxes.transpose(1, 2).index_select(1, images).unbind()  # (P, M) each
    # Padding stands last, so that of equal overlaps, even of 0, the first belongs to a box.
    best = iou_of_planes(few, theirs).max(dim=1).indices  # (P,)
    return (
        torch.cat([own_images, images]),
        torch.cat([own_anchors, chosen]),
        torch.cat([own_boxes, best]),
    )


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
            iou = iou_of_planes(anchors, boxes[:, box, None].unbind())  # (A,)
            iou[taken] = -1
            anchor = int(iou.argmax())
            heapq.heappush(queue, (-float(iou[anchor]), anchor, box))
