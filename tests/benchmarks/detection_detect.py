"""Detections of a batch: `detect` and the classic loops over images, classes and boxes."""

from collections.abc import Callable
from functools import partial

import torch
from detection_targets import make_anchors
from tables import Row, Table, median_compared, rows_against, times_as_fast, with_goal
from timing import Contestant, now, take_turns
from torch import Tensor

from notes.detection.boxes import xyxy_to_cxcywh
from notes.detection.detections import Detections, detect

IOU_THRESHOLD, SCORE_THRESHOLD, NO_LIMIT = 0.5, 0.01, 10_000
Detect = Callable[[Tensor, Tensor, Tensor], list[Detections]]


def make_outputs(
    num_images: int, num_classes: int, anchors: Tensor, max_objects: int = 10
) -> tuple[Tensor, Tensor]:
    """Probabilities and offsets like those of a trained network.

    Nearly all anchors are background, and sure of it. Those that overlap one of a few objects are
    drawn to it, and the surer the more they overlap.
    """
    generator = torch.Generator().manual_seed(0)
    num_anchors = len(anchors)
    logits = torch.randn(num_images, num_anchors, num_classes + 1, generator=generator)
    logits[:, :, 0] += 10
    offsets = 0.3 * torch.randn(num_images, num_anchors, 4, generator=generator)
    for image in range(num_images):
        count = int(torch.randint(1, max_objects + 1, (1,), generator=generator))
        for anchor in torch.randperm(num_anchors, generator=generator)[:count].tolist():
            near = _overlap(anchors[anchor][None], anchors)
            label = int(torch.randint(1, num_classes + 1, (1,), generator=generator))
            logits[image, :, label] += 50 * (near.clamp(max=0.8) - 0.3).clamp(min=0)
            close = near > 0.4
            offsets[image, close] += _encode(anchors[close], anchors[anchor])
    return logits.softmax(dim=2), offsets


def classic(
    probabilities: Tensor, offsets: Tensor, anchors: Tensor, class_wise: bool = True
) -> list[Detections]:
    """As books write it: decode and cut off all, suppress box by box, look at the scores last."""
    found = []
    for image_probabilities, image_offsets in zip(probabilities, offsets, strict=True):
        scores, classes = image_probabilities[:, 1:].max(dim=1)
        boxes = _decode(anchors, image_offsets).clamp(0, 1)
        kept = []
        for label in classes.unique() if class_wise else [None]:
            mine = torch.arange(len(boxes)) if label is None else (classes == label).nonzero()[:, 0]
            kept.append(mine[_classic_nms(boxes[mine], scores[mine])])
        keep = torch.cat(kept)
        keep = keep[scores[keep] >= SCORE_THRESHOLD]
        keep = keep.sort().values
        keep = keep[scores[keep].argsort(descending=True, stable=True)]
        found.append(Detections(boxes[keep], scores[keep], classes[keep]))
    return found


def _classic_nms(boxes: Tensor, scores: Tensor) -> Tensor:
    order = scores.argsort(descending=True, stable=True)
    keep = []
    while len(order) > 0:
        keep.append(order[0])
        near = _overlap(boxes[order[:1]], boxes[order[1:]])
        order = order[1:][near <= IOU_THRESHOLD]
    return torch.stack(keep)


def _overlap(box: Tensor, boxes: Tensor) -> Tensor:
    """Of one box with each of the others."""
    sizes = torch.minimum(box[:, 2:], boxes[:, 2:]) - torch.maximum(box[:, :2], boxes[:, :2])
    inter = sizes.clamp(min=0).prod(dim=1)
    areas = [(some[:, 2:] - some[:, :2]).prod(dim=1) for some in (box, boxes)]
    union = areas[0] + areas[1] - inter
    return inter / torch.where(union > 0, union, 1.0)


def _encode(anchors: Tensor, box: Tensor) -> Tensor:
    from_anchors, to_box = xyxy_to_cxcywh(anchors), xyxy_to_cxcywh(box[None])
    shift = (to_box[:, :2] - from_anchors[:, :2]) / from_anchors[:, 2:] / 0.1
    return torch.cat([shift, (to_box[:, 2:] / from_anchors[:, 2:]).log() / 0.2], dim=1)


def _decode(anchors: Tensor, offsets: Tensor) -> Tensor:
    centers_sizes = xyxy_to_cxcywh(anchors)
    centers = centers_sizes[:, :2] + offsets[:, :2] * 0.1 * centers_sizes[:, 2:]
    sizes = centers_sizes[:, 2:] * (offsets[:, 2:] * 0.2).exp()
    return torch.cat([centers - sizes / 2, centers + sizes / 2], dim=1)


def make_contestants(num_classes: int) -> dict[str, Detect]:
    """The reference first; with one class there is nothing for the classes to share."""
    own = partial(
        detect,
        iou_threshold=IOU_THRESHOLD,
        score_threshold=SCORE_THRESHOLD,
        max_detections=NO_LIMIT,
    )
    contestants: dict[str, Detect] = {"classic loop": classic, "`detect`": own}
    if num_classes > 1:
        contestants["classic loop, class-blind"] = partial(classic, class_wise=False)
        contestants["`detect`, class-blind"] = partial(own, class_agnostic=True)
    return contestants


def seconds_of(run: Detect, *arguments: Tensor) -> float:
    """Time one batch."""
    start = now()
    run(*arguments)
    return now() - start


def measure(num_rounds: int, num_images: int = 32, num_anchors: int = 5444) -> Table:
    """Compare them with one class and with twenty."""
    anchors = make_anchors()[-num_anchors:]
    rows: list[Row] = []
    for num_classes, goal in ((1, 100), (20, 40)):
        outputs = make_outputs(num_images, num_classes, anchors)
        kind = f": {num_classes} class{'es' if num_classes > 1 else ''}"
        contestants: dict[str, Contestant] = {
            name + kind: partial(seconds_of, run, *outputs, anchors)
            for name, run in make_contestants(num_classes).items()
        }
        seconds = take_turns(contestants, num_rounds)
        rows += with_goal(
            rows_against("classic loop" + kind, seconds, lambda value: 1e3 * value, times_as_fast),
            "`detect`" + kind,
            median_compared,
            at_least=goal,
        )
    return Table(
        title="Detections of a batch",
        setting=f"{num_images} images of {len(anchors):,} anchors, outputs like those of a trained "
        f"network, {torch.get_num_threads()} threads. {num_rounds} rounds. The two class-blind "
        "rows do less, and are compared with the class-wise loop too.",
        own="ms per batch",
        compared="times as fast as the classic loop",
        rows=tuple(rows),
    )
