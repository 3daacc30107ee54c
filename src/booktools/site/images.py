"""Show the figures of a page in the colors of its scheme, without a jump while they load."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

IMAGE = re.compile(r"<img (?P<attributes>[^>]*?) ?/?>")
SOURCE = re.compile(r'src="(?P<src>[^"]*)"')
PIXELS_PER_POINT = 1.5  # a figure of 7 inches is saved 1050 pixels wide and shown 700 wide


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG image in pixels, read from its header.

    Raises:
        ValueError: If the file is not a PNG image.
    """
    header = path.read_bytes()[:24]
    if not header.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError(f"{path.name} must be a PNG image, got {header[:8]!r}")
    width, height = struct.unpack(">II", header[16:24])
    return width, height


def dark_twin(path: Path) -> Path:
    """Where the same figure in light ink lies.

    Examples:
        >>> print(dark_twin(Path("lenet-1.png")))
        lenet-1.dark.png
    """
    return path.with_suffix(".dark" + path.suffix)


def dress_images(page: str, find: Callable[[str], Path | None]) -> str:
    """Give the PNG images of a page's HTML their sizes, and a dark twin where one exists.

    Args:
        page: HTML.
        find: Gives the file behind a `src`, or None for an image that is not a local PNG file.
    """

    def replacement(match: re.Match[str]) -> str:
        source = SOURCE.search(match["attributes"])
        path = find(source["src"]) if source else None
        if source is None or path is None:
            return match[0]
        width, height = (round(size / PIXELS_PER_POINT) for size in png_size(path))
        rest = SOURCE.sub("", match["attributes"]).strip()
        rest += f' width="{width}" height="{height}" loading="lazy" decoding="async"'
        if not dark_twin(path).exists():
            return f'<img src="{source["src"]}" {rest}>'
        dark_source = source["src"].removesuffix(".png") + ".dark.png"
        return (
            f'<img class="only-light" src="{source["src"]}" {rest}>'
            f'<img class="only-dark" src="{dark_source}" {rest}>'
        )

    return IMAGE.sub(replacement, page)
