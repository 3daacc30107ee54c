"""The grid of a YOLO: which cell answers for which object, and with which four numbers.

Shapes: `B` images, `S T` rows and columns of the grid, `N` boxes of a cell, `M` most objects in one
image, `P` objects.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from notes.checks import as_pair, check_finite, check_floating, check_shape
from notes.detection.boxes import check_boxes, xyxy_to_cxcywh


class GridTargets(NamedTuple):
    """What each cell should answer.

    Attributes:
        classes: `(B, S, T)` int64: the class of the cell's object, -1 where there is none.
        boxes: `(B, S, T, 4)` its box, `xyxy`, as shares of the image; 0 where there is none.
        coordinates: `(B, S, T, 4)` the same box as the network answers it, see `decode_cells`; 0
            where there is none.

    Explained in:
        [YOLO][yolo]
    """

    classes: Tensor
    boxes: Tensor
    coordinates: Tensor


def make_grid_targets(labels: Tensor, grid_size: int | tuple[int, int]) -> GridTargets:
    """Each object goes to the cell in which its center lies.

    A cell has room for one object. Of several the first row of the labels gets the cell, the others
    are lost.

    Args:
        labels: `(B, M, 5)` rows of class, x1, y1, x2, y2; rows with a class below 0 are padding.
        grid_size: Rows and columns of the grid, or one number for both.

    Returns:
        Classes `(B, S, T)`, boxes and coordinates `(B, S, T, 4)`.

    Raises:
        TypeError: If the labels are not floating-point numbers.
        ValueError: If the labels are not `(B, M, 5)`, a number is NaN or infinite, a box ends
            before it begins or has its center outside the image, or the grid has no cell.

    Examples:
        >>> labels = torch.tensor([[[2.0, 0.5, 0.0, 1.0, 0.5], [-1, -1, -1, -1, -1]]])
        >>> targets = make_grid_targets(labels, grid_size=2)
        >>> targets.classes
        tensor([[[-1,  2],
                 [-1, -1]]])
        >>> targets.coordinates[0, 0, 1]
        tensor([0.5000, 0.5000, 0.7071, 0.7071])

    Explained in:
        [YOLO][yolo]
    """
    rows, columns = as_pair("grid_size", grid_size)
    check_shape("labels", labels, "B", "M", 5)
    check_floating("labels", labels)
    check_finite("labels", labels)
    is_object = labels[:, :, 0] >= 0  # (B, M), without the padding
    check_boxes("labels", labels[is_object][:, 1:])
    _check_centers(xyxy_to_cxcywh(labels[is_object][:, 1:])[:, :2])
    # --8<-- [start:targets]
    classes = labels.new_full((len(labels), rows, columns), -1, dtype=torch.int64)
    boxes = labels.new_zeros(len(labels), rows, columns, 4)
    coordinates = torch.zeros_like(boxes)
    for position in reversed(range(labels.shape[1])):  # so that the first object overwrites
        image = is_object[:, position].nonzero()[:, 0]  # (P,) images with an object there
        found = labels[image, position]  # (P, 5)
        centers, sizes = xyxy_to_cxcywh(found[:, 1:]).split(2, dim=1)  # (P, 2) each
        places = centers * centers.new_tensor([columns, rows])  # in cells
        column, row = places.long().T
        # A center on the image's last edge belongs to the last cell.
        column, row = column.clamp(max=columns - 1), row.clamp(max=rows - 1)
        inside = places - torch.stack([column, row], dim=1)
        classes[image, row, column] = found[:, 0].long()
        boxes[image, row, column] = found[:, 1:]
        coordinates[image, row, column] = torch.cat([inside, sizes.sqrt()], dim=1)
    return GridTargets(classes, boxes, coordinates)
    # --8<-- [end:targets]


def decode_cells(coordinates: Tensor) -> Tensor:
    """The boxes that the cells' coordinates mean.

    Args:
        coordinates: `(B, S, T, N, 4)`. The first two say where in its cell the center lies, right
            and down, 0 to 1; the others are the *square roots* of the box's width and height as
            shares of the image.

    Returns:
        `(B, S, T, N, 4)` boxes, `xyxy`, as shares of the image. They may leave it.

    Raises:
        TypeError: If the coordinates are not floating-point numbers.
        ValueError: If the shape is another one.

    Examples:
        >>> coordinates = torch.zeros(1, 2, 2, 1, 4)
        >>> coordinates[0, 0, 1, 0] = torch.tensor([0.5, 0.5, 0.5, 1.0])
        >>> decode_cells(coordinates)[0, 0, 1]
        tensor([[ 0.6250, -0.2500,  0.8750,  0.7500]])

    Explained in:
        [YOLO][yolo]
    """
    check_shape("coordinates", coordinates, "B", "S", "T", "N", 4)
    check_floating("coordinates", coordinates)
    # --8<-- [start:decode]
    rows, columns = coordinates.shape[1:3]
    row, column = torch.meshgrid(
        torch.arange(rows, device=coordinates.device),
        torch.arange(columns, device=coordinates.device),
        indexing="ij",
    )
    cells = torch.stack([column, row], dim=-1)[:, :, None]  # (S, T, 1, 2)
    inside, roots = coordinates.split(2, dim=-1)
    centers = (cells + inside) / inside.new_tensor([columns, rows])
    halves = roots.square() / 2
    return torch.cat([centers - halves, centers + halves], dim=-1)
    # --8<-- [end:decode]


def _check_centers(centers: Tensor) -> None:
    outside = ((centers < 0) | (centers > 1)).any(dim=1)
    if outside.any():
        values = [round(value, 4) for value in centers[outside][0].tolist()]
        raise ValueError(f"labels must have their centers in the image, [0, 1], got {values}")
