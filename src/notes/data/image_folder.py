"""A folder of images, drawn by code: circles, squares and triangles.

It has the layout that `torchvision.datasets.ImageFolder` reads: one folder for each class.

Shapes: `H` height, `W` width.
"""

import os
from pathlib import Path

import torch
from torch import Generator, Tensor
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms.functional import to_pil_image

from notes.checks import as_integer

CLASSES = ("circle", "square", "triangle")
SMALLEST_SIZE = 16  # below, the three shapes look alike


# --8<-- [start:draw_image_folder]
def draw_image_folder(
    root: str | Path,
    *,
    num_train: int = 20,
    num_val: int = 10,
    image_size: int = 32,
    generator: Generator | None = None,
) -> None:
    """Write `root/train/circle/0000.png` and so on, for every class of `CLASSES`.

    The same seed draws the same images, so a second run changes nothing.

    Args:
        root: Folder to fill, `~` for the home folder. It and its parents are made if they are not
            there.
        num_train: Images for each class in `root/train`.
        num_val: Images for each class in `root/val`.
        image_size: Height and width in pixels.
        generator: Draws places, sizes and colors. Without one, PyTorch's global generator does.

    Raises:
        FileExistsError: If `root` holds images that this call does not write. They would end up in
            the data set.
        NotADirectoryError: If `root` is a file.
        PermissionError: If `root` cannot be written.
        TypeError: If a number is not an integer.
        ValueError: If a number is below 1, or `image_size` below 16.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from torchvision.datasets import ImageFolder
        >>> with TemporaryDirectory() as folder:
        ...     draw_image_folder(folder, num_train=2, num_val=1)
        ...     train = ImageFolder(f"{folder}/train")
        ...     train.classes, len(train)
        (['circle', 'square', 'triangle'], 6)

    Explained in:
        [Data][data]
    """
    sizes = {"train": as_integer("num_train", num_train), "val": as_integer("num_val", num_val)}
    image_size = as_integer("image_size", image_size, minimum=SMALLEST_SIZE)
    root = Path(os.path.expanduser(root))
    paths = [
        root / part / name / f"{number:04}.png"
        for part, num_images in sizes.items()
        for name in CLASSES
        for number in range(num_images)
    ]
    _check_root(root, paths)
    for path in paths:
        _make_folder(path.parent)
        image = draw_shape(path.parent.name, image_size, generator=generator)
        to_pil_image(image).save(path)


# --8<-- [end:draw_image_folder]


def draw_shape(name: str, image_size: int, *, generator: Generator | None = None) -> Tensor:
    """One image of a shape: its place, size and colors are random, and every pixel is noisy.

    Args:
        name: One of `CLASSES`.
        image_size: Height and width in pixels.
        generator: Draws the image. Without one, PyTorch's global generator does.

    Returns:
        `(3, image_size, image_size)` uint8, red, green and blue. The shape is lighter than what
        is behind it.

    Raises:
        TypeError: If the size is not an integer.
        ValueError: If the name is none of `CLASSES`, or the size below 1.

    Explained in:
        [Data][data]
    """
    if name not in CLASSES:
        raise ValueError(f"name must be one of {CLASSES}, got {name!r}")
    image_size = as_integer("image_size", image_size)
    radius = _draw_between(0.2, 0.4, 1, generator) * image_size
    center = radius + torch.rand(2, generator=generator) * (image_size - 2 * radius)
    y, x = torch.meshgrid(*2 * [torch.arange(image_size) + 0.5], indexing="ij")  # (H, W) each
    inside = _is_inside(name, x - center[0], y - center[1], radius)  # (H, W)
    light = _draw_between(150, 230, 3, generator)[:, None, None]
    dark = _draw_between(25, 100, 3, generator)[:, None, None]
    noise = _draw_between(-25, 25, 3 * image_size**2, generator).view(3, image_size, image_size)
    return (torch.where(inside, light, dark) + noise).to(torch.uint8)  # (3, H, W)


def _is_inside(name: str, dx: Tensor, dy: Tensor, radius: Tensor) -> Tensor:
    if name == "circle":
        return dx**2 + dy**2 < radius**2
    if name == "square":
        return torch.maximum(dx.abs(), dy.abs()) < 0.85 * radius
    # The top is at -radius; the base has the width of the circle.
    return (dy < radius) & (dx.abs() < (dy + radius) / 2)


def _draw_between(low: float, high: float, count: int, generator: Generator | None) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _check_root(root: Path, paths: list[Path]) -> None:
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(f"root must be a folder, got the file {str(root)!r}")
    images = [path for path in root.rglob("*") if path.suffix.lower() in IMG_EXTENSIONS]
    strangers = sorted(set(images) - set(paths))
    if strangers:
        raise FileExistsError(
            f"root must hold no other images, got {len(strangers)}, the first is "
            f"{strangers[0].relative_to(root).as_posix()!r}"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise PermissionError(f"root must be a writable folder, got {str(folder)!r}") from error
