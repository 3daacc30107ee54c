"""Four shapes, drawn by asking of each pixel whether it is inside.

A shape lives in coordinates of its own: `u` to the right, `v` down, its corners at distance 1 from
the middle. A `Pose` says how it is stretched, turned, enlarged and moved into an image.

Shapes: `N` objects, `H W` space, `P` points on the outline.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

NUM_POINTS = 60  # of an outline; the corners of a shape are repeated until there are so many


def _in_ellipse(u: Tensor, v: Tensor) -> Tensor:
    return u.square() + v.square() < 1


def _in_rectangle(u: Tensor, v: Tensor) -> Tensor:
    return torch.maximum(u.abs(), v.abs()) < math.sqrt(0.5)


def _in_triangle(u: Tensor, v: Tensor) -> Tensor:
    return (v < 0.5) & (math.sqrt(3) * u.abs() - v < 1)


def _in_star(u: Tensor, v: Tensor) -> Tensor:
    # Five straight lines make a star. Its points lie outside of none of them (the middle) or of
    # one (the arms).
    angles = [math.tau * (k / 5 - 1 / 4) for k in range(5)]
    beyond = (u * math.cos(a) + v * math.sin(a) > math.cos(math.tau / 5) for a in angles)
    return torch.stack([line.to(torch.uint8) for line in beyond]).sum(dim=0) <= 1


SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "ellipse": _in_ellipse,
    "rectangle": _in_rectangle,
    "triangle": _in_triangle,
    "star": _in_star,
}
# The angle of the first corner, and the number of corners.
CORNERS = {
    "ellipse": (0.0, 60),
    "rectangle": (1 / 8, 4),
    "triangle": (-1 / 4, 3),
    "star": (-1 / 4, 5),
}


class Pose(NamedTuple):
    """Where shapes lie in their images, and how; lengths are shares of the image's side.

    Attributes:
        stretches: `(N,)` width over height before turning, 1 for a shape that is not stretched.
        angles: `(N,)` by how much it is turned, in radians.
        scales: `(N,)` length of 1 in the shape's own coordinates.
        origins: `(N, 2)` where the shape's own middle lies, x and y.
    """

    stretches: Tensor
    angles: Tensor
    scales: Tensor
    origins: Tensor


def shape_extents(classes: Tensor, stretches: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """How far stretched and turned shapes reach from their own middle.

    Args:
        classes: `(N,)` int64, places in `SHAPES`.
        stretches: `(N,)` width over height before turning.
        angles: `(N,)` radians.

    Returns:
        `(N, 2)` smallest and `(N, 2)` largest x and y, for a scale of 1.

    Examples:
        >>> one, none = torch.ones(1), torch.zeros(1)
        >>> shape_extents(torch.tensor([2]), one, none)  # a triangle that points up
        (tensor([[-0.8660, -1.0000]]), tensor([[0.8660, 0.5000]]))
    """
    u, v = _outlines().to(stretches)[classes].unbind(dim=2)  # (N, P) each
    u, v = u * stretches.sqrt()[:, None], v / stretches.sqrt()[:, None]
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    points = torch.stack([u * cos - v * sin, u * sin + v * cos], dim=2)  # (N, P, 2)
    return points.amin(dim=1), points.amax(dim=1)


def shape_coordinates(pose: Pose, image_size: int) -> tuple[Tensor, Tensor]:
    """Each pixel's place in the coordinates of each shape.

    The way back: from the pixel's middle take the shape's, then undo scale, turn and stretch.

    Args:
        pose: Of `N` shapes.
        image_size: Height and width of the images.

    Returns:
        `u` and `v`, `(N, H, W)` each.
    """
    # --8<-- [start:shape_coordinates]
    middles = (torch.arange(image_size).to(pose.origins) + 0.5) / image_size
    x = ((middles - pose.origins[:, :1]) / pose.scales[:, None])[:, None, :]  # (N, 1, W)
    y = ((middles - pose.origins[:, 1:]) / pose.scales[:, None])[:, :, None]  # (N, H, 1)
    cos, sin = pose.angles.cos()[:, None, None], pose.angles.sin()[:, None, None]
    root = pose.stretches.sqrt()[:, None, None]
    return (x * cos + y * sin) / root, (y * cos - x * sin) * root  # (N, H, W) each
    # --8<-- [end:shape_coordinates]


def shape_masks(classes: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Which pixels lie inside which shape.

    Args:
        classes: `(N,)` int64, places in `SHAPES`.
        u: `(N, H, W)` first coordinate of each pixel, from `shape_coordinates`.
        v: `(N, H, W)` second coordinate.

    Returns:
        `(N, H, W)` booleans.
    """
    masks = torch.zeros(u.shape, dtype=torch.bool)
    for index, is_inside in enumerate(SHAPES.values()):
        chosen = classes == index
        masks[chosen] = is_inside(u[chosen], v[chosen])
    return masks


def _outlines() -> Tensor:
    """Points on the outline of each shape that no other point of it lies beyond: `(K, P, 2)`."""
    turns = [
        [first + k % count / count for k in range(NUM_POINTS)] for first, count in CORNERS.values()
    ]
    angles = math.tau * torch.tensor(turns, dtype=torch.float64)
    return torch.stack([angles.cos(), angles.sin()], dim=2)
