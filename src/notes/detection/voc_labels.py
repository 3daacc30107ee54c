"""Labels in Pascal VOC's format: an XML file for each image, boxes as first and last pixel.

Pixels are counted from 1. Names, values and doubled parts are checked, because a slip in a label
raises no error in training; it only makes the detector worse.
"""

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

from notes.detection.label_files import FileImage, FileLabels, FileObject, join_labels

DECLARED = re.compile(rb"""\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)""")


def _read(path: Path) -> Element:
    content = path.read_bytes()
    declared = DECLARED.match(content)
    try:
        # Python knows encodings that the parser does not, such as gb2312.
        text = content.decode(declared[1].decode()) if declared else content
        root = fromstring(text)
    except (ParseError, ValueError, LookupError) as error:
        raise ValueError(f"folder must hold XML files, got {path.name!r}: {error}") from None
    if root.tag != "annotation":
        raise ValueError(f"folder must hold VOC labels, got <{root.tag}> in {path.name!r}")
    return root


def _part(element: Element, tag: str, place: str) -> Element:
    """The one part of this name."""
    parts = element.findall(tag)
    if len(parts) != 1:
        raise ValueError(f"{element.tag} must have one {tag}, got {len(parts)} in {place}")
    return parts[0]


def _text(element: Element, tag: str, place: str) -> str:
    text = (_part(element, tag, place).text or "").strip()
    if not text:
        raise ValueError(f"{tag} must hold a text, got none in {place}")
    return text


def _number(element: Element, tag: str, place: str) -> float:
    text = _text(element, tag, place)
    try:
        number = math.nan if "_" in text else float(text)  # 1_0 is a number in Python only
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{tag} must be a finite number, got {text!r} in {place}")
    return number


def _side(size: Element, tag: str, place: str) -> float:
    number = _number(size, tag, place)
    if number <= 0:
        raise ValueError(f"{tag} must be greater than 0, got {number} in {place}")
    return number


def _is_difficult(element: Element, place: str) -> bool:
    text = "0" if element.find("difficult") is None else _text(element, "difficult", place)
    if text not in ("0", "1"):
        raise ValueError(f"difficult must be 0 or 1, got {text!r} in {place}")
    return text == "1"


def _box(element: Element, place: str) -> tuple[float, float, float, float]:
    box = _part(element, "bndbox", place)
    first_x, first_y, last_x, last_y = (
        _number(box, tag, place) for tag in ("xmin", "ymin", "xmax", "ymax")
    )
    # The first pixel has number 1, and the box ends where its last pixel ends.
    return first_x - 1, first_y - 1, last_x, last_y


def read_voc_labels(
    folder: str | Path,
    class_names: Sequence[str] | None = None,
    *,
    difficult: bool = True,
    skip_flat: bool = False,
) -> FileLabels:
    """Read a folder of XML files with labels in Pascal VOC's format.

    Args:
        folder: Holds an XML file for each image, `~` for the home folder; the files are read in the
            order of their names.
        class_names: The classes in the order of their indices; without them, the names that occur,
            sorted. Give them for a test set, which may lack a class.
        difficult: Whether to keep objects marked as difficult, which are marked in `ignored` then.
            Keep them to evaluate; whether to train on them is a choice.
        skip_flat: Whether to leave out boxes without area. Otherwise they are an error.

    Raises:
        FileNotFoundError: If the folder does not exist or holds no XML file.
        ValueError: If a file is no XML, lacks something or holds it twice, a value is no number,
            two files name one image, a class is not among `class_names` or that has a name twice,
            or a box leaves its image, ends before it begins or has no area.

    Explained in:
        [Detection data][detection-data]
    """
    folder = Path(os.path.expanduser(folder))
    if not folder.is_dir():
        raise FileNotFoundError(f"folder must exist, got {str(folder)!r}")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml")
    if not paths:
        raise FileNotFoundError(f"folder must hold XML files, got none in {str(folder)!r}")
    roots = [(path.name, _read(path)) for path in paths]
    found = {
        _text(one, "name", f"object {number} of {name!r}")
        for name, root in roots
        for number, one in enumerate(root.findall("object"), start=1)
    }
    names = sorted(found) if class_names is None else list(class_names)
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        raise ValueError(f"class_names must be different, got {names}")
    if unknown := sorted(found - set(names)):
        raise ValueError(f"class_names must hold the classes of all files, got no {unknown[0]!r}")
    images = []
    for file, root in roots:
        size = _part(root, "size", repr(file))
        sides = _side(size, "width", repr(file)), _side(size, "height", repr(file))
        image = FileImage(_text(root, "filename", repr(file)), *sides, [], repr(file))
        for number, one in enumerate(root.findall("object"), start=1):
            place = f"object {number} of {file!r}"
            is_difficult = _is_difficult(one, place)
            label = numbers[_text(one, "name", place)]
            if difficult or not is_difficult:
                image.objects.append(FileObject(label, _box(one, place), is_difficult, place))
        images.append(image)
    return join_labels(images, names, skip_flat=skip_flat)
