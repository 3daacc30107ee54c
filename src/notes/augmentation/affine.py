"""Random rotations and affine maps: turn, shift, scale and shear each image by its own amount.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from notes.augmentation._draws import (
    check_draws,
    check_fill,
    check_images,
    check_range,
    draw_uniform,
)


class AffineDraws(NamedTuple):
    """One affine map for each image.

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """

    angles: Tensor
    """`(B,)` clockwise turn, in degrees."""
    shifts: Tensor
    """`(B, 2)` shift to the right and down, in pixels."""
    scales: Tensor
    """`(B,)` magnification."""
    shears: Tensor
    """`(B,)` shear along the rows, in degrees."""


# --8<-- [start:draw_affine]
def draw_affine(
    images: Tensor,
    degrees: float,
    translate: tuple[float, float] = (0.0, 0.0),
    scale: tuple[float, float] = (1.0, 1.0),
    shear: float = 0.0,
    generator: torch.Generator | None = None,
) -> AffineDraws:
    """Draw how each image is turned, shifted, scaled and sheared.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        degrees: Turn by at most this angle, either way.
        translate: Shift by at most this share of the width, and this share of the height.
        scale: Smallest and largest magnification.
        shear: Shear along the rows by at most this angle, either way.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        One draw for each image; shifts are whole pixels.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, an angle is negative, a share is
            outside [0, 1], or `scale` is not a rising pair above 0.

    Examples:
        >>> draw_affine(torch.zeros(1, 3, 8, 8), degrees=0.0, scale=(2.0, 2.0)).scales
        tensor([2.])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_range("scale", scale, torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max)
    for name, value, limit in (
        ("degrees", degrees, 360.0),
        ("translate[0]", translate[0], 1.0),
        ("translate[1]", translate[1], 1.0),
        ("shear", shear, 89.0),
    ):
        if not 0 <= value <= limit:
            raise ValueError(f"{name} must lie in [0, {limit:g}], got {value}")
    batch_size, _, height, width = images.shape
    shape, device = (batch_size,), images.device
    farthest = [translate[0] * width, translate[1] * height]
    largest_shifts = torch.tensor(farthest, dtype=torch.float32, device=device)
    return AffineDraws(
        angles=draw_uniform(shape, -degrees, degrees, generator, device),
        shifts=(largest_shifts * draw_uniform((batch_size, 2), -1, 1, generator, device)).round(),
        scales=draw_uniform(shape, *scale, generator, device),
        shears=draw_uniform(shape, -shear, shear, generator, device),
    )


# --8<-- [end:draw_affine]


def _inverse_matrices(draws: AffineDraws) -> Tensor:
    """Matrices that lead from the new image back to the old one: `(B, 2, 2)` `float64`.

    A map that moves pixels forward would leave holes. So each *new* pixel asks where it came from:
    points `(x, y)` seen from the middle of the image. Forward, an image is sheared, turned and
    scaled; backward, each step is undone, last one first.
    """
    angles, shears = draws.angles.double().deg2rad(), draws.shears.double().deg2rad()
    cosines, sines, one = angles.cos(), angles.sin(), torch.ones_like(angles)
    turn_back = torch.stack([cosines, sines, -sines, cosines], dim=1).view(-1, 2, 2)
    shear_back = torch.stack([one, shears.tan(), 0 * one, one], dim=1).view(-1, 2, 2)
    return shear_back @ turn_back / draws.scales.double()[:, None, None]


# --8<-- [start:affine_at]
def affine_at(
    images: Tensor,
    draws: AffineDraws,
    mode: Literal["nearest", "bilinear"] = "nearest",
    fill: float = 0.0,
) -> Tensor:
    """Turn, shift, scale and shear each image around its middle, by its own amount.

    Does what [`affine_each`][notes.augmentation.one_by_one.affine_each] does, in one step.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        draws: One affine map for each image.
        mode: Take the nearest old pixel, or mix the four around the place.
        fill: Value of what comes from outside the image.

    Returns:
        `(B, C, H, W)` images in the same dtype; `uint8` ones are rounded.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If a shape or device does not fit, a draw is not finite, a scale is not greater
            than 0, the mode is unknown, or `fill` does not fit the dtype.

    Examples:
        >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> none = torch.zeros(1)
        >>> affine_at(image, AffineDraws(none, torch.tensor([[1.0, 0.0]]), none + 1, none))
        tensor([[[[0., 1.],
                  [0., 3.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_draws("angles", draws.angles, images)
    check_draws("shifts", draws.shifts, images, 2)
    check_draws("scales", draws.scales, images)
    check_draws("shears", draws.shears, images)
    if not (draws.scales > 0).all():
        raise ValueError(f"scales must be greater than 0, got {draws.scales.min().item()}")
    if mode not in ("nearest", "bilinear"):
        raise ValueError(f"mode must be 'nearest' or 'bilinear', got {mode!r}")
    check_fill("fill", fill, images)
    dtype = torch.promote_types(images.dtype, torch.float32)
    # PyTorch's grids measure the image from -1 to 1, so pixels become halves of the image.
    halves = torch.tensor(images.shape[:1:-1], device=images.device) / 2  # width, then height
    matrices = _inverse_matrices(draws)
    origins = matrices @ -draws.shifts.double()[:, :, None]  # (B, 2, 1)
    theta = torch.cat([matrices * halves, origins], dim=2) / halves[:, None]  # (B, 2, 3)
    theta = theta.clamp(-1e30, 1e30)  # so far outside that it makes no difference, and no infinity
    grid = F.affine_grid(theta.to(dtype), list(images.shape), align_corners=False)  # (B, H, W, 2)
    moved = F.grid_sample(images.to(dtype), grid, mode, "zeros", align_corners=False)
    if fill != 0:
        # From outside comes 0. What is missing there in a moved image of ones, `fill` replaces.
        ones = torch.ones_like(images[:, :1], dtype=dtype)
        missing = 1 - F.grid_sample(ones, grid, mode, "zeros", align_corners=False)
        moved.add_(F.threshold(missing, 1e-6, 0.0), alpha=float(fill))  # less is rounding
    return moved.round().to(images.dtype) if images.dtype == torch.uint8 else moved.to(images)


# --8<-- [end:affine_at]


# --8<-- [start:random_rotation]
def random_rotation(
    images: Tensor,
    degrees: float,
    mode: Literal["nearest", "bilinear"] = "nearest",
    fill: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Turn each image around its middle by its own random angle.

    Like `torchvision.transforms.v2.RandomRotation` applied to each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        degrees: Turn by at most this angle, either way.
        mode: Take the nearest old pixel, or mix the four around the place.
        fill: Value of the corners that come from outside the image.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `degrees` is not in [0, 360],
            the mode is unknown, or `fill` does not fit the dtype.

    Examples:
        >>> random_rotation(torch.ones(1, 1, 2, 2), degrees=0.0)
        tensor([[[[1., 1.],
                  [1., 1.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return affine_at(images, draw_affine(images, degrees, generator=generator), mode, fill)


# --8<-- [end:random_rotation]


# --8<-- [start:random_affine]
def random_affine(
    images: Tensor,
    degrees: float,
    translate: tuple[float, float] = (0.0, 0.0),
    scale: tuple[float, float] = (1.0, 1.0),
    shear: float = 0.0,
    mode: Literal["nearest", "bilinear"] = "nearest",
    fill: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Turn, shift, scale and shear each image by its own random amount.

    Like `torchvision.transforms.v2.RandomAffine` applied to each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        degrees: Turn by at most this angle, either way.
        translate: Shift by at most this share of the width, and this share of the height.
        scale: Smallest and largest magnification.
        shear: Shear along the rows by at most this angle, either way.
        mode: Take the nearest old pixel, or mix the four around the place.
        fill: Value of what comes from outside the image.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, H, W)` images in the same dtype.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, an angle is negative, a share is
            outside [0, 1], `scale` is not a rising pair above 0, the mode is unknown, or
            `fill` does not fit the dtype.

    Examples:
        >>> random_affine(torch.zeros(8, 3, 32, 32), degrees=15, translate=(0.1, 0.1)).shape
        torch.Size([8, 3, 32, 32])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    draws = draw_affine(images, degrees, translate, scale, shear, generator)
    return affine_at(images, draws, mode, fill)


# --8<-- [end:random_affine]
