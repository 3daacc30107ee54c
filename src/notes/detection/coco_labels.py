"""Labels in COCO's format: one JSON file for all images, boxes as left, top, width and height.

Ids, values and references are checked, because a slip in a label raises no error in training; it
only makes the detector worse.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

from notes.detection.label_files import FileImage, FileLabels, FileObject, join_labels


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        raise ValueError(f"a key is given twice in {entry}")
    return entry


def _read(path: Path) -> dict[str, dict[int | str, Any]]:
    """Images, annotations and categories by their ids."""
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"path must be a JSON file, got {path.name!r}: {error}") from None
    parts: dict[str, dict[int | str, Any]] = {}
    for part in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(part), list):
            raise ValueError(f"path must be COCO labels with a list of {part}, got {path.name!r}")
        parts[part] = {}
        for number, entry in enumerate(content[part]):
            key = _id(entry, "id", f"{part}[{number}] of {path.name!r}")
            if key in parts[part]:
                raise ValueError(
                    f"ids of {part} must be unique, got {key!r} twice in {path.name!r}"
                )
            parts[part][key] = entry
    return parts


def _value(entry: Any, key: str, place: str) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        raise ValueError(f"{place} must be an object with the key {key}, got {entry!r}")
    return entry[key]


def _id(entry: Any, key: str, place: str) -> int | str:
    value = _value(entry, key, place)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{key} must be a whole number or a text, got {value!r} in {place}")
    return value


def _reference(entry: Any, key: str, known: dict[int | str, Any], place: str) -> int | str:
    value = _id(entry, key, place)
    if value not in known:
        raise ValueError(f"{key} must name one of the file, got {value!r} in {place}")
    return value


def _text(entry: Any, key: str, place: str) -> str:
    value = _value(entry, key, place)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text, got {value!r} in {place}")
    return value


def _is_finite(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(value)
    except (TypeError, OverflowError):  # no number, or one of hundreds of digits
        return False


def _side(entry: Any, key: str, place: str) -> float:
    value = _value(entry, key, place)
    if not _is_finite(value) or value <= 0:
        raise ValueError(f"{key} must be a number greater than 0, got {value!r} in {place}")
    side: float = value
    return side


def _is_crowd(annotation: Any, place: str) -> bool:
    value = annotation.get("iscrowd", 0)
    if value not in (0, 1):
        raise ValueError(f"iscrowd must be 0 or 1, got {value!r} in {place}")
    return bool(value)


def _box(annotation: Any, place: str) -> tuple[float, float, float, float]:
    value = _value(annotation, "bbox", place)
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_finite, value)):
        raise ValueError(f"bbox must be four finite numbers, got {value!r} in {place}")
    left, top, width, height = map(float, value)
    return left, top, left + width, top + height


def read_coco_labels(
    path: str | Path, *, crowds: bool = False, skip_flat: bool = False
) -> FileLabels:
    """Read a JSON file with labels in COCO's format.

    Classes are numbered in the order of their COCO ids, which may have gaps.

    Args:
        path: A JSON file with `images`, `annotations` and `categories`, `~` for the home folder.
        crowds: Whether to keep boxes around crowds (`iscrowd`), marked in `ignored`. There is no
            single object in them: keep them to evaluate, not to train.
        skip_flat: Whether to leave out boxes without area, of which COCO's own files have a few.
            Otherwise they are an error.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no JSON, lacks something or holds a value of another kind, an id
            or a file name is given twice, an annotation names an unknown image or category, or a
            box leaves its image, ends before it begins or has no area.

    Explained in:
        [Detection data][detection-data]
    """
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f"path must be an existing file, got {str(path)!r}")
    images, annotations, categories = _read(path).values()
    if not images:
        raise ValueError(f"path must be COCO labels of at least one image, got {path.name!r}")
    if len({type(key) for key in categories}) > 1:
        raise ValueError(f"ids of categories must be of one kind, got two in {path.name!r}")
    numbers = {key: number for number, key in enumerate(sorted(categories))}
    objects: dict[int | str, list[FileObject]] = {key: [] for key in images}
    for key, annotation in annotations.items():
        place = f"annotation {key} of {path.name!r}"
        image = _reference(annotation, "image_id", images, place)
        number = numbers[_reference(annotation, "category_id", categories, place)]
        is_crowd = _is_crowd(annotation, place)
        if crowds or not is_crowd:
            objects[image].append(FileObject(number, _box(annotation, place), is_crowd, place))
    sized = []
    for key, image in images.items():
        place = f"image {key} of {path.name!r}"
        sides = _side(image, "width", place), _side(image, "height", place)
        sized.append(FileImage(_text(image, "file_name", place), *sides, objects[key], place))
    names = [_text(categories[key], "name", f"category {key} of {path.name!r}") for key in numbers]
    return join_labels(sized, names, skip_flat=skip_flat)
