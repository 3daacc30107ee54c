"""From a network's outputs to detections.

Shapes: `B` images, `A` anchors, `K` classes without the background, `N` candidates.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import (
    check_boxes,
    check_floating,
    check_probabilities,
    check_probability,
    check_same,
    check_shape,
)
from notes.detection._unchecked import (
    best_of_images,
    check_offsets,
    decode,
    suppress,
)


class Detections(NamedTuple):
    """What a detector found in one image, best first.

    Attributes:
        boxes: `(N, 4)` boxes, `xyxy`, as shares of the image's width and height, inside it.
        scores: `(N,)` probabilities in [0, 1], descending.
        classes: `(N,)` int64 class indices, counted from 0 without the background.

    Explained in:
        [Non-maximum suppression][non-maximum-suppression]
    """

    boxes: Tensor
    scores: Tensor
    classes: Tensor


@torch.no_grad()
def detect(
    class_probabilities: Tensor,
    offsets: Tensor,
    anchors: Tensor,
    *,
    iou_threshold: float = 0.5,
    score_threshold: float = 0.01,
    max_detections: int = 100,
    class_agnostic: bool = False,
) -> list[Detections]:
    """Objects in each image: the likely anchors, decoded, without those that a better one covers.

    Each anchor gives at most one detection, of its most likely class other than the background.
    Its score is that probability, so an anchor that is 98 % background has a score of at most
    0.02. Candidates below `score_threshold` go *before* the suppression: the result is the same,
    since no box is ever removed by one with a lower score, and there is far less to compare.

    Args:
        class_probabilities: `(B, A, K + 1)` in [0, 1]; class 0 is the background.
        offsets: `(B, A, 4)` as `encode_offsets` makes them.
        anchors: `(A, 4)` boxes, `xyxy`, as shares of the image's sides.
        iou_threshold: The largest overlap that two detections of one class may have, in [0, 1].
        score_threshold: The least score of a detection, in [0, 1].
        max_detections: At most so many for each image, the best; at least 1.
        class_agnostic: Whether boxes of different classes suppress each other.

    Returns:
        Detections of each image, best first. Boxes end at the edges of the image; one that lies
        outside altogether has no area. Classes count from 0 without the background.

    Raises:
        TypeError: If a dtype is not a floating-point one, or they differ.
        ValueError: If a shape, a probability, an offset, an anchor or a threshold is wrong, or the
            devices differ.

    Examples:
        >>> anchors = torch.tensor([[0.1, 0.1, 0.5, 0.9], [0.1, 0.1, 0.5, 0.8]])
        >>> probabilities = torch.tensor([[[0.1, 0.9], [0.2, 0.8]]])
        >>> detect(probabilities, torch.zeros(1, 2, 4), anchors)[0].scores
        tensor([0.9000])

    Explained in:
        [Non-maximum suppression][non-maximum-suppression]
    """
    _check_outputs(class_probabilities, offsets, anchors)
    check_probability("iou_threshold", iou_threshold)
    check_probability("score_threshold", score_threshold)
    if max_detections < 1:
        raise ValueError(f"max_detections must be at least 1, got {max_detections}")
    # --8<-- [start:detect]
    num_images, _, num_classes = class_probabilities[:, :, 1:].shape
    likely = class_probabilities[:, :, 1:].amax(dim=2) >= score_threshold  # (B, A)
    image, anchor = likely.nonzero(as_tuple=True)  # (N,) (N,)
    scores, classes = class_probabilities[image, anchor, 1:].max(dim=1)
    boxes = decode(anchors[anchor], offsets[image, anchor]).clamp(0, 1)  # cut off at the edges
    # Boxes of different groups do not suppress each other.
    group = image if class_agnostic else image * num_classes + classes
    num_groups = num_images if class_agnostic else num_images * num_classes
    kept = suppress(boxes, scores, group, num_groups, iou_threshold)
    found = best_of_images(kept, scores, num_images, max_detections)
    boxes = boxes.to(scores.dtype)  # in half precision they were float32
    return [Detections(boxes[one], scores[one], classes[one]) for one in found]
    # --8<-- [end:detect]


def _check_outputs(class_probabilities: Tensor, offsets: Tensor, anchors: Tensor) -> None:
    check_shape("class_probabilities", class_probabilities, "B", "A", "K + 1")
    num_images, num_anchors, num_outputs = class_probabilities.shape
    if num_outputs < 2:
        raise ValueError(
            "class_probabilities must have the background and at least one class in the last "
            f"dimension, got {tuple(class_probabilities.shape)}"
        )
    check_floating("class_probabilities", class_probabilities)
    check_shape("offsets", offsets, num_images, num_anchors, 4)
    check_shape("anchors", anchors, num_anchors, 4)
    check_same("class_probabilities", class_probabilities, "offsets", offsets)
    check_same("class_probabilities", class_probabilities, "anchors", anchors)
    check_probabilities("class_probabilities", class_probabilities)
    check_boxes("anchors", anchors, with_area=True)
    check_offsets(anchors, offsets)
