"""A tiny YOLO: each cell of a grid answers for the object whose center lies in it.

Source: Redmon et al., "You Only Look Once: Unified, Real-Time Object Detection" (2016),
https://arxiv.org/abs/1506.02640. Differs from the paper: seven convolutions instead of 24, with
batch normalization; no dense layers, so images may have any size; sigmoids, where the paper leaves
coordinates and confidence as they come; and cross-entropies, where it squares all errors.

Shapes: `B` batch, `S T` rows and columns of the grid, `N` boxes of a cell, `K` classes, `M` most
objects in one image, `P` cells with an object.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from notes.checks import (
    check_finite,
    check_floating,
    check_positive,
    check_probability,
    check_same,
    check_shape,
)
from notes.detection._unchecked import (
    at_least_float32,
    best_of_images,
    iou_of_planes,
    planes_of,
    suppress,
)
from notes.detection.detections import Detections
from notes.detection.yolo_grid import decode_cells, make_grid_targets


def convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    """3x3, normalized, with a small slope for negative numbers; keeps the size.

    Explained in:
        [YOLO][yolo]
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(0.1),
    )


class TinyYOLO(nn.Module):
    """Three halvings, three convolutions on the grid, and one that answers.

    Args:
        num_classes: Classes; there is none for the background.
        in_channels: Channels of the images.
        num_boxes: Boxes that each cell predicts.
        width: Channels of the first convolution; the last ones have 8 times as many.

    Raises:
        ValueError: If a number is not positive.

    Examples:
        >>> TinyYOLO(num_classes=3)(torch.zeros(2, 3, 64, 96)).shape
        torch.Size([2, 8, 12, 13])

    Explained in:
        [YOLO][yolo]
    """

    def __init__(
        self, num_classes: int, in_channels: int = 3, *, num_boxes: int = 2, width: int = 16
    ) -> None:
        super().__init__()
        check_positive("num_classes", num_classes)
        check_positive("in_channels", in_channels)
        check_positive("num_boxes", num_boxes)
        check_positive("width", width)
        # --8<-- [start:layers]
        channels = [in_channels, width, 2 * width, 4 * width]
        halvings = [
            nn.Sequential(convolution(*pair), nn.MaxPool2d(2)) for pair in pairwise(channels)
        ]
        self.layers = nn.Sequential(
            *halvings,  # (B, 4 * width, H/8, W/8): from here on, a place is a cell of the grid
            convolution(4 * width, 8 * width),
            convolution(8 * width, 8 * width),
            convolution(8 * width, 8 * width),
            nn.Conv2d(8 * width, 5 * num_boxes + num_classes, kernel_size=1),
        )
        # --8<-- [end:layers]

    def forward(self, images: Tensor) -> Tensor:
        """`(B, in_channels, H, W)` images to `(B, H/8, W/8, 5 N + K)` outputs."""
        check_shape("images", images, "B", "C", "H", "W")
        if min(images.shape[2:]) < 8 or images.shape[2] % 8 or images.shape[3] % 8:
            raise ValueError(
                f"images must be a multiple of 8 high and wide, got {tuple(images.shape)}"
            )
        outputs: Tensor = self.layers(images)
        return outputs.permute(0, 2, 3, 1)


# --8<-- [start:read]
def _take_apart(outputs: Tensor, num_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """The numbers of the cells, `(B, S, T, 5 N + K)`.

    Returns:
        Coordinates `(B, S, T, N, 4)` in [0, 1], as `decode_cells` wants them; objectness
        `(B, S, T, N)`: how sure a box is, as a logit, that there is an object and that it fits it;
        class logits `(B, S, T, K)`: which object it would be, one answer for all boxes of a cell.
    """
    boxes, class_logits = outputs.split([outputs.shape[3] - num_classes, num_classes], dim=3)
    boxes = boxes.unflatten(3, (-1, 5))  # (B, S, T, N, 5)
    return boxes[..., :4].sigmoid(), boxes[..., 4], class_logits


# --8<-- [end:read]


def yolo_loss(
    outputs: Tensor,
    labels: Tensor,
    num_classes: int,
    *,
    box_weight: float = 5.0,
    background_weight: float = 0.5,
) -> Tensor:
    """How far the outputs are from the labels: boxes, objectness and classes, for each image.

    In a cell with an object the box that overlaps it most is *responsible*. It alone learns
    coordinates; its objectness should say how much it overlaps. All other boxes should say 0.

    Args:
        outputs: `(B, S, T, 5 N + K)` as `TinyYOLO` gives them.
        labels: `(B, M, 5)` rows of class, x1, y1, x2, y2; rows with a class below 0 are padding.
        num_classes: `K`.
        box_weight: How much the errors of coordinates count.
        background_weight: How much the objectness of boxes without an object counts.

    Returns:
        One number: the sum over the cells, as a mean over the images.

    Raises:
        TypeError: If a dtype is not a floating-point one, or the two differ.
        ValueError: If a shape, a number or a label is wrong, a weight is not positive, there is no
            image, or the devices differ.

    Examples:
        >>> labels = torch.tensor([[[0.0, 0.2, 0.2, 0.6, 0.6]]])
        >>> yolo_loss(torch.zeros(1, 8, 8, 11), labels, num_classes=1)
        tensor(45.7834)

    Explained in:
        [YOLO][yolo]
    """
    _check_outputs(outputs, num_classes)
    check_shape("labels", labels, max(1, len(outputs)), "M", 5)
    check_same("outputs", outputs, "labels", labels)
    check_positive("box_weight", box_weight)
    check_positive("background_weight", background_weight)
    targets = make_grid_targets(labels, (outputs.shape[1], outputs.shape[2]), num_classes)
    # --8<-- [start:loss]
    coordinates, objectness, class_logits = _take_apart(at_least_float32(outputs), num_classes)
    cells = (targets.classes >= 0).nonzero(as_tuple=True)  # images, rows and columns, (P,) each
    boxes = decode_cells(coordinates.detach())[cells]  # (P, N, 4)
    overlaps = iou_of_planes(planes_of(boxes), planes_of(targets.boxes[cells][:, None]))  # (P, N)
    overlap, responsible = overlaps.max(dim=1)  # (P,)

    found = coordinates[*cells, responsible]  # (P, 4)
    box_loss = (found - targets.coordinates[cells]).square().sum()

    wanted = torch.zeros_like(objectness)
    wanted[*cells, responsible] = overlap
    weights = torch.full_like(wanted, background_weight)
    weights[*cells, responsible] = 1.0
    object_loss = F.binary_cross_entropy_with_logits(
        objectness, wanted, weight=weights, reduction="sum"
    )

    class_loss = F.cross_entropy(class_logits[cells], targets.classes[cells], reduction="sum")
    return (box_weight * box_loss + object_loss + class_loss) / len(outputs)
    # --8<-- [end:loss]


@torch.no_grad()
def yolo_detections(
    outputs: Tensor,
    num_classes: int,
    *,
    iou_threshold: float = 0.5,
    score_threshold: float = 0.01,
    max_detections: int = 100,
) -> list[Detections]:
    """Objects in each image: read the cells, drop what is unlikely, keep the best of what overlaps.

    Each box gives at most one detection, of its cell's most likely class. Its score is objectness
    times the probability of that class.

    Args:
        outputs: `(B, S, T, 5 N + K)` as `TinyYOLO` gives them.
        num_classes: `K`.
        iou_threshold: The largest overlap that two detections of one class may have, in [0, 1].
        score_threshold: The least score of a detection, in [0, 1].
        max_detections: At most so many for each image, the best.

    Returns:
        Detections of each image, best first. Boxes end at the edges of the image.

    Raises:
        TypeError: If the outputs are not floating-point numbers.
        ValueError: If the shape does not fit the number of classes, an output is NaN or infinite,
            a threshold lies outside [0, 1], or `max_detections` is not positive.

    Explained in:
        [YOLO][yolo]
    """
    _check_outputs(outputs, num_classes)
    check_probability("iou_threshold", iou_threshold)
    check_probability("score_threshold", score_threshold)
    check_positive("max_detections", max_detections)
    # --8<-- [start:detections]
    coordinates, objectness, class_logits = _take_apart(at_least_float32(outputs), num_classes)
    probability, cell_class = class_logits.softmax(dim=3).max(dim=3)  # (B, S, T)
    all_scores = objectness.sigmoid() * probability[..., None]  # (B, S, T, N)
    likely = image, row, column, _ = (all_scores >= score_threshold).nonzero(as_tuple=True)
    boxes = decode_cells(coordinates)[likely].clamp(0, 1)  # cut off at the image's edges
    scores, classes = all_scores[likely], cell_class[image, row, column]
    # Boxes of different images or classes do not suppress each other.
    group, num_groups = image * num_classes + classes, len(outputs) * num_classes
    kept = suppress(boxes, scores, group, num_groups, iou_threshold)
    found = best_of_images(kept, scores, len(outputs), max_detections)
    boxes, scores = boxes.to(outputs.dtype), scores.to(outputs.dtype)
    return [Detections(boxes[one], scores[one], classes[one]) for one in found]
    # --8<-- [end:detections]


def _check_outputs(outputs: Tensor, num_classes: int) -> None:
    check_shape("outputs", outputs, "B", "S", "T", "5 N + K")
    check_floating("outputs", outputs)
    check_finite("outputs", outputs)
    check_positive("num_classes", num_classes)
    num_boxes, rest = divmod(outputs.shape[3] - num_classes, 5)
    if num_boxes < 1 or rest:
        raise ValueError(
            f"outputs must have {num_classes} plus a multiple of 5 numbers for each cell, "
            f"got {outputs.shape[3]}"
        )
