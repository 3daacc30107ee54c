"""The grid of a YOLO: which cell answers for which object, and with which four numbers.

Shapes: `B` images, `S T` rows and columns of the grid, `N` boxes of a cell, `M` most objects in one
image, `P` objects.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.checks import as_pair, check_floating, check_label_rows, check_shape, shown
from notes.detection._unchecked import at_least_float32, centers_and_sizes


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


def make_grid_targets(
    labels: Tensor, grid_size: int | tuple[int, int], num_classes: int | None = None
) -> GridTargets:
    """Each object goes to the cell in which its center lies.

    A cell has room for one object. Of several the first row of the labels gets the cell, the others
    are lost.

    Args:
        labels: `(B, M, 5)` rows of class, x1, y1, x2, y2; rows with a class below 0 are padding.
        grid_size: Rows and columns of the grid, or one number for both.
        num_classes: Classes have to lie below it, if it is given.

    Returns:
        Classes `(B, S, T)`, boxes and coordinates `(B, S, T, 4)`.

    Raises:
        TypeError: If the labels are not floating-point numbers.
        ValueError: If the labels are not labeled boxes, a class is too large, a box has its center
            outside the image, or the grid has no cell.

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
    check_label_rows("labels", labels, num_classes)
    _check_centers(labels)
    # --8<-- [start:targets]
    centers, sizes = centers_and_sizes(labels[:, :, 1:])  # (B, M, 2) each
    x, y = centers[..., 0] * columns, centers[..., 1] * rows  # in cells, (B, M) each
    # A center on the image's last edge belongs to the last cell.
    column, row = x.long().clamp(max=columns - 1), y.long().clamp(max=rows - 1)
    inside = torch.stack([x - column, y - row], dim=2)  # (B, M, 2)
    answers = torch.cat([labels, inside, sizes.sqrt()], dim=2).flatten(0, 1)  # (B * M, 9)

    # The cells of all images are numbered through. Of several objects the first gets the cell.
    num_cells = len(labels) * rows * columns
    image = torch.arange(len(labels), device=labels.device)[:, None]
    cell = (image * rows + row) * columns + column  # (B, M)
    cell = torch.where(labels[:, :, 0] >= 0, cell, num_cells)  # padding: one that is cut off below
    numbers = torch.arange(len(answers), device=labels.device)
    nobody = numbers.new_full((num_cells + 1,), len(answers))
    first = nobody.scatter_reduce(0, cell.flatten(), numbers, "amin")[:-1]  # (B * S * T,)
    table = F.pad(answers, (0, 0, 0, 1))[first].to(labels.dtype)  # nobody's answers are 0
    classes = torch.where(first < len(answers), table[:, 0].long(), -1)
    shape = (len(labels), rows, columns)
    return GridTargets(classes.view(shape), *table[:, 1:].view(*shape, 8).split(4, dim=3))
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
    row = torch.arange(rows, device=coordinates.device)[:, None, None]  # (S, 1, 1)
    column = torch.arange(columns, device=coordinates.device)[:, None]  # (T, 1)
    right, down, root_width, root_height = at_least_float32(coordinates).unbind(dim=-1)
    x, y = (column + right) / columns, (row + down) / rows
    half_width, half_height = root_width.square() / 2, root_height.square() / 2
    sides = [x - half_width, y - half_height, x + half_width, y + half_height]
    return torch.stack(sides, dim=-1).to(coordinates.dtype)
    # --8<-- [end:decode]


def _check_centers(labels: Tensor) -> None:
    centers, _ = centers_and_sizes(labels[:, :, 1:])  # (B, M, 2)
    outside = ((centers < 0) | (centers > 1)).any(dim=2) & (labels[:, :, 0] >= 0)
    if outside.any():
        values = shown(centers[outside][0])
        raise ValueError(f"labels must have their centers in the image, [0, 1], got {values}")
