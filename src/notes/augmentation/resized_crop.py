"""Random resized crops: a part of each image, enlarged or reduced to one size for all.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
from torch import Tensor

from notes.augmentation._draws import check_images, check_parts, draw_sides, place_first_fit
from notes.checks import as_pair


def _central_crop(height: int, width: int, ratio: tuple[float, float]) -> tuple[int, int, int, int]:
    """Top, left, height and width of the largest window in the middle whose ratio is allowed."""
    crop_height, crop_width = height, width
    if width / height < ratio[0]:
        crop_height = max(1, round(width / ratio[0]))
    elif width / height > ratio[1]:
        crop_width = max(1, round(height * ratio[1]))
    return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width


# --8<-- [start:draw_resized_crops]
def draw_resized_crops(
    images: Tensor,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw which part of each image is kept.

    Ten rectangles are drawn for each image, and the first that fits is taken. Where none fits,
    the part is the largest one in the middle with an allowed ratio.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        scale: Smallest and largest *area* of the part, as a share of the image.
        ratio: Smallest and largest *width over height* of the part.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, 4)` `int64`: top, left, height and width of each part, at least one pixel large.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `scale` is not a rising pair in
            [0, 1], or `ratio` not a rising pair above 0.

    Examples:
        >>> draw_resized_crops(torch.zeros(1, 3, 8, 8), scale=(1.0, 1.0), ratio=(1.0, 1.0))
        tensor([[0, 0, 8, 8]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    height, width = images.shape[2:]
    widths, heights = draw_sides(images, scale, ratio, generator)  # (B, NUM_TRIES)
    fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
    drawn = place_first_fit(heights, widths, fits, (height, width), generator)
    middle = torch.tensor(_central_crop(height, width, ratio), device=images.device)
    return torch.where(fits.any(dim=1, keepdim=True), drawn, middle)


# --8<-- [end:draw_resized_crops]


def _resize_weights(starts: Tensor, lengths: Tensor, old_size: int, new_size: int) -> Tensor:
    """How much each old pixel of a line counts for each new one: `(B, new_size, old_size)`.

    Bilinear with antialiasing, as in Pillow: the weight of an old pixel falls linearly with its
    distance from the middle of the new one, to 0 at one step of the coarser of the two grids. Old
    pixels outside the part, which has a start and a length for each image, count nothing.
    """
    step = (lengths / new_size)[:, None, None]  # (B, 1, 1) old pixels per new pixel
    new = torch.arange(new_size, device=starts.device)[:, None] + 0.5  # middles of pixels
    old = torch.arange(old_size, device=starts.device) - starts[:, None, None] + 0.5
    used = (old > 0) & (old < lengths[:, None, None])  # (B, 1, old_size)
    distance = (old - new * step).abs() / step.clamp(min=1)  # (B, new_size, old_size)
    weights = (1 - distance).clamp(min=0) * used
    return weights / weights.sum(dim=2, keepdim=True)


# --8<-- [start:resized_crop_at]
def resized_crop_at(images: Tensor, parts: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Cut a part out of each image and bring all parts to one size.

    Does what [`resized_crop_each`][notes.augmentation.one_by_one.resized_crop_each] does, in one
    step.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        parts: `(B, 4)` integers: top, left, height and width of each part, at least one pixel
            large.
        size: Height and width of the answer, or one number for a square.

    Returns:
        `(B, C, *size)` images in the dtype of the images; `uint8` ones are rounded.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If a shape or device does not fit, `size` is not positive, or a part is empty
            or leaves its image.

    Examples:
        >>> image = torch.tensor([[[[0.0, 2.0], [4.0, 6.0]]]])
        >>> whole = torch.tensor([[0, 0, 2, 2]])
        >>> resized_crop_at(image, whole, (1, 1))
        tensor([[[[3.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    tops, lefts, heights, widths = check_parts(parts, images, smallest=1).unbind(dim=1)
    new_height, new_width = as_pair("size", size)
    # Why this is fast: resizing is linear, first down the columns, then along the rows. The parts
    # differ in size, but as matrices over the whole image their weights have one shape, so two
    # batched matrix products resize all of them.
    dtype = torch.promote_types(images.dtype, torch.float32)
    vertical = _resize_weights(tops, heights, images.shape[2], new_height).to(dtype)
    horizontal = _resize_weights(lefts, widths, images.shape[3], new_width).to(dtype)
    resized = vertical[:, None] @ images.to(dtype) @ horizontal[:, None].mT  # (B, C, *size)
    return resized.round().to(images.dtype) if images.dtype == torch.uint8 else resized.to(images)


# --8<-- [end:resized_crop_at]


# --8<-- [start:random_resized_crop]
def random_resized_crop(
    images: Tensor,
    size: int | tuple[int, int],
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Cut a random part out of each image and bring all parts to one size.

    Like `torchvision.transforms.v2.RandomResizedCrop` applied to each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        size: Height and width of the answer, or one number for a square.
        scale: Smallest and largest *area* of the part, as a share of the image.
        ratio: Smallest and largest *width over height* of the part.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `(B, C, *size)` images in the dtype of the images.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `size` is not positive, `scale`
            is not a rising pair in [0, 1], or `ratio` not a rising pair above 0.

    Source:
        Szegedy et al., "Going Deeper with Convolutions" (2014), section 6,
        https://arxiv.org/abs/1409.4842.

    Examples:
        >>> random_resized_crop(torch.zeros(8, 3, 48, 64), size=(32, 32)).shape
        torch.Size([8, 3, 32, 32])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    return resized_crop_at(images, draw_resized_crops(images, scale, ratio, generator), size)


# --8<-- [end:random_resized_crop]
