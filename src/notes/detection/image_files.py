"""Image files of any shape and mode, as one tensor."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms.functional import pil_to_tensor

from notes.checks import as_pair

EIGHT_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"}
BITS, WHITE = 258, 262  # tags of TIFF: bits of a pixel, and whether 0 is black (1) or white (0)


def _as_colors(image: Image.Image) -> Image.Image:
    """Red, green and blue, 8 bits each. Transparency is dropped."""
    if image.mode in EIGHT_BITS:
        if image.mode == "P":  # may have transparent colors, of which Pillow would warn
            image = image.convert("RGBA")
        return image.convert("RGB")
    if image.mode.startswith("I") and _is_16_bits(image):
        gray = np.rint(np.asarray(image) / 257).astype(np.uint8)  # 65535 becomes 255
        return Image.fromarray(gray).convert("RGB")
    raise ValueError(f"mode {image.mode} of {image.format} has no known range")


def _is_16_bits(image: Image.Image) -> bool:
    """Whether the numbers of the image end at 65535, and that means white."""
    if image.format == "TIFF":
        tags = image.getexif()
        return image.mode != "I" and tags.get(BITS) == 16 and tags.get(WHITE) == 1
    return image.format in ("PNG", "JPEG2000", "PPM")  # they know no other range


def load_images(folder: str | Path, files: Sequence[str], size: int | tuple[int, int]) -> Tensor:
    """Read image files and bring all to one size, whatever their shape.

    Boxes in shares of the image's sides stay right: they are stretched with it. Gray and palette
    images become colors, 16 bits become 8, transparency is dropped, and of an animation the first
    picture counts.

    Args:
        folder: Where the files lie, `~` for the home folder.
        files: Their names, such as `FileLabels.files`.
        size: Height and width of the answer; one number for a square.

    Returns:
        `(N, 3, *size)` float32 in [0, 1].

    Raises:
        FileNotFoundError: If a file does not exist.
        TypeError: If the size does not consist of integers.
        ValueError: If there is no file, a file is no image or a damaged one, its numbers have no
            known range (floats, 32 bits), or the size is not positive.

    Explained in:
        [Detection data][detection-data]
    """
    height, width = as_pair("size", size)
    if not files:
        raise ValueError("files must name at least one image, got none")
    images = []
    for name in files:
        path = Path(os.path.expanduser(folder)) / name
        if not path.is_file():
            raise FileNotFoundError(f"files must exist, got {str(path)!r}")
        try:
            with Image.open(path) as image:
                images.append(pil_to_tensor(_as_colors(image).resize((width, height))))
        except UnidentifiedImageError:
            raise ValueError(f"files must be images, got {name!r}") from None
        except Exception as error:
            if getattr(error, "errno", None) is not None:  # of the disk, not of what is on it
                raise
            raise ValueError(f"files must be whole images, got {name!r}: {error}") from error
    return torch.stack(images).float() / 255
