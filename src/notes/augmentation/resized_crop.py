"""Random resized crops: a part of each image, enlarged or reduced to one size for all.

Shapes: `B` batch, `C` channels, `H` height, `W` width.
"""

import torch
from torch import Tensor

from notes.augmentation._inputs import check_images
from notes.augmentation.rectangles import (
    Rectangles,
    check_rectangles,
    draw_sides,
    place_first_fit,
)
from notes.checks import check_positive


def central_crop(height: int, width: int, ratio: tuple[float, float]) -> tuple[int, int, int, int]:
    """Find the largest window in the middle of an image whose ratio is allowed.

    Args:
        height: Height of the image.
        width: Width of the image.
        ratio: Smallest and largest width over height.

    Returns:
        Top, left, height and width.

    Examples:
        >>> central_crop(10, 40, ratio=(0.5, 2.0))
        (0, 10, 10, 20)

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    crop_height, crop_width = height, width
    if width / height < ratio[0]:
        crop_height = round(width / ratio[0])
    elif width / height > ratio[1]:
        crop_width = round(height * ratio[1])
    return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width


# --8<-- [start:draw_resized_crops]
def draw_resized_crops(
    images: Tensor,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    generator: torch.Generator | None = None,
) -> Rectangles:
    """Draw which part of each image is kept.

    Ten rectangles are drawn for each image, and the first that fits is taken. Where none fits,
    the part is the largest one in the middle with an allowed ratio.

    Args:
        images: `(B, C, H, W)` images, only looked at for their shape and device.
        scale: Smallest and largest *area* of the part, as a share of the image.
        ratio: Smallest and largest *width over height* of the part.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        One rectangle for each image, at least one pixel large.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If the images are not `(B, C, H, W)` or empty, `scale` is not a rising pair in
            [0, 1], or `ratio` not a rising pair above 0.

    Examples:
        >>> draw_resized_crops(torch.zeros(1, 3, 8, 8), scale=(1.0, 1.0), ratio=(1.0, 1.0))
        Rectangles(tops=tensor([0]), lefts=tensor([0]), heights=tensor([8]), widths=tensor([8]))

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    height, width = images.shape[2:]
    widths, heights = draw_sides(images, scale, ratio, generator)  # (B, NUM_TRIES)
    fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
    drawn = place_first_fit(heights, widths, fits, (height, width), generator)
    middle = central_crop(height, width, ratio)
    found = fits.any(dim=1)
    return Rectangles(
        *(torch.where(found, one, other) for one, other in zip(drawn, middle, strict=True))
    )


# --8<-- [end:draw_resized_crops]


# --8<-- [start:resize_weights]
def resize_weights(starts: Tensor, lengths: Tensor, old_size: int, new_size: int) -> Tensor:
    """How much each old pixel of a line counts for each new one.

    Bilinear with antialiasing, as in Pillow: the weight of an old pixel falls linearly with its
    distance from the middle of the new one, to 0 at one step of the coarser of the two grids.

    Args:
        starts: `(B,)` first old pixel that is used.
        lengths: `(B,)` number of old pixels that are used.
        old_size: Length of the old line.
        new_size: Length of the new line.

    Returns:
        `(B, new_size, old_size)` `float32` weights; each row sums to 1.

    Examples:
        >>> resize_weights(torch.tensor([1]), torch.tensor([2]), old_size=4, new_size=1)
        tensor([[[0.0000, 0.5000, 0.5000, 0.0000]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    step = (lengths / new_size)[:, None, None]  # (B, 1, 1) old pixels per new pixel
    new = torch.arange(new_size, device=starts.device)[:, None] + 0.5  # middles of pixels
    old = torch.arange(old_size, device=starts.device) - starts[:, None, None] + 0.5
    used = (old > 0) & (old < lengths[:, None, None])  # (B, 1, old_size)
    distance = (old - new * step).abs() / step.clamp(min=1)  # (B, new_size, old_size)
    weights = (1 - distance).clamp(min=0) * used
    return weights / weights.sum(dim=2, keepdim=True)


# --8<-- [end:resize_weights]


# --8<-- [start:resized_crop_at]
def resized_crop_at(images: Tensor, parts: Rectangles, size: tuple[int, int]) -> Tensor:
    """Cut a part out of each image and bring all parts to one size.

    Does what [`resized_crop_each`][notes.augmentation.one_by_one.resized_crop_each] does, in one
    step.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        parts: One rectangle for each image, at least one pixel large.
        size: Height and width of the answer.

    Returns:
        `(B, C, *size)` images in the dtype of the images; `uint8` ones are rounded.

    Raises:
        TypeError: If the images are neither `uint8` nor floating-point.
        ValueError: If a shape or device does not fit, `size` is not positive, or a part is empty
            or leaves its image.

    Examples:
        >>> image = torch.tensor([[[[0.0, 2.0], [4.0, 6.0]]]])
        >>> whole = Rectangles(*torch.tensor([[0], [0], [2], [2]]))
        >>> resized_crop_at(image, whole, (1, 1))
        tensor([[[[3.]]]])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    check_images(images)
    check_rectangles(parts, images, smallest=1)
    check_positive("size", min(size))
    height, width = images.shape[2:]
    # Why this is fast: resizing is linear, first down the columns, then along the rows. The parts
    # differ in size, but as matrices over the whole image their weights have one shape, so two
    # batched matrix products resize all of them.
    dtype = torch.promote_types(images.dtype, torch.float32)
    vertical = resize_weights(parts.tops, parts.heights, height, size[0]).to(dtype)
    horizontal = resize_weights(parts.lefts, parts.widths, width, size[1]).to(dtype)
    resized = vertical[:, None] @ images.to(dtype) @ horizontal[:, None].mT  # (B, C, *size)
    return resized.round().to(images.dtype) if images.dtype == torch.uint8 else resized.to(images)


# --8<-- [end:resized_crop_at]


# --8<-- [start:random_resized_crop]
def random_resized_crop(
    images: Tensor,
    size: tuple[int, int],
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Cut a random part out of each image and bring all parts to one size.

    Like `torchvision.transforms.v2.RandomResizedCrop` applied to each image.

    Args:
        images: `(B, C, H, W)` images, `uint8` or floating-point.
        size: Height and width of the answer.
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
