"""Labels that others have made: COCO's JSON and VOC's XML files, as padded labels.

Both give pixels, in two ways. A COCO box is `[left, top, width, height]`; a VOC box names its first
and its last pixel, counted from 1. Here both become shares of the image's sides, so the labels stay
right when the images are resized.

Shapes: `N` images, `M` most objects in one image, `H W` space.
"""

import contextlib
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError, parse

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torchvision.datasets import VOCDetection
from torchvision.transforms.functional import pil_to_tensor

from notes.checks import check_positive
from notes.detection.labels import pad_labels

TOLERANCE = 1.0  # pixels by which a box may leave its image; tools round


class FileLabels(NamedTuple):
    """The labels of image files.

    Attributes:
        files: `N` names of image files, as the labels give them.
        labels: `(N, M, 5)` float32 rows of class, x1, y1, x2, y2, padded with -1, as in a
            `DetectionSet`.
        class_names: The name of each class index.

    Explained in:
        [Detection data][detection-data]
    """

    files: list[str]
    labels: Tensor
    class_names: list[str]


# --8<-- [start:read_coco_labels]
def read_coco_labels(path: str | Path) -> FileLabels:
    """Read a JSON file with labels in COCO's format, by pycocotools.

    Classes are numbered in the order of their COCO ids, which may have gaps. Boxes around crowds
    (`iscrowd`) are left out, as there is no single object in them.

    Args:
        path: A JSON file with `images`, `annotations` and `categories`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If pycocotools is not installed.
        ValueError: If the file is no JSON or lacks something, an annotation names an unknown image
            or category, or a box has no area or leaves its image.

    Explained in:
        [Detection data][detection-data]
    """
    path = _existing(path)
    coco = _read_coco(path)
    numbers = {key: number for number, key in enumerate(sorted(coco.cats))}
    rows = []
    for key, image in coco.imgs.items():
        objects = []
        for annotation in coco.imgToAnns[key]:
            if annotation.get("iscrowd"):
                continue
            where = f"annotation {annotation['id']} of {path.name!r}"
            left, top, width, height = _four_numbers(annotation["bbox"], where)
            box = (left, top, left + width, top + height)
            shares = _shares(box, image["width"], image["height"], where)
            objects.append([numbers[annotation["category_id"]], *shares])
        rows.append(torch.tensor(objects, dtype=torch.float32).reshape(-1, 5))
    names = [coco.cats[key]["name"] for key in numbers]
    return FileLabels([image["file_name"] for image in coco.imgs.values()], pad_labels(rows), names)


# --8<-- [end:read_coco_labels]


# --8<-- [start:read_voc_labels]
def read_voc_labels(folder: str | Path, class_names: Sequence[str] | None = None) -> FileLabels:
    """Read a folder of XML files with labels in Pascal VOC's format, by torchvision.

    Args:
        folder: Holds an XML file for each image; they are read in the order of their names.
        class_names: The classes in the order of their indices; without them, the names that occur,
            sorted. Give them for a test set, which may lack a class.

    Raises:
        FileNotFoundError: If the folder does not exist or holds no XML file.
        ValueError: If a file is no XML or lacks something, a name is not among `class_names`, or a
            box has no area or leaves its image.

    Explained in:
        [Detection data][detection-data]
    """
    paths = sorted(_existing(folder).glob("*.xml"))
    if not paths:
        raise FileNotFoundError(f"folder must hold XML files, got none in {str(folder)!r}")
    annotations = [_read_voc(path) for path in paths]
    found = {one["name"] for annotation in annotations for one in annotation["object"]}
    names = sorted(found) if class_names is None else list(class_names)
    if unknown := sorted(found - set(names)):
        raise ValueError(f"class_names must hold the classes of all files, got no {unknown[0]!r}")
    rows = []
    for path, annotation in zip(paths, annotations, strict=True):
        width, height = (float(annotation["size"][side]) for side in ("width", "height"))
        objects = []
        for one in annotation["object"]:
            sides = [one["bndbox"][side] for side in ("xmin", "ymin", "xmax", "ymax")]
            first_x, first_y, last_x, last_y = _four_numbers(sides, repr(path.name))
            # The first pixel has number 1, and the box ends where its last pixel ends.
            box = (first_x - 1, first_y - 1, last_x, last_y)
            objects.append([names.index(one["name"]), *_shares(box, width, height, path.name)])
        rows.append(torch.tensor(objects, dtype=torch.float32).reshape(-1, 5))
    return FileLabels([one["filename"] for one in annotations], pad_labels(rows), names)


# --8<-- [end:read_voc_labels]


# --8<-- [start:load_images]
def load_images(folder: str | Path, files: Sequence[str], size: tuple[int, int]) -> Tensor:
    """Read image files and bring all to one size, whatever their shape.

    Boxes in shares of the image's sides stay right: they are stretched with it.

    Args:
        folder: Where the files lie.
        files: Their names, such as `FileLabels.files`.
        size: Height and width of the answer.

    Returns:
        `(N, 3, *size)` float32 in [0, 1].

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If there is no file, a file is no image, or the size is not positive.

    Explained in:
        [Detection data][detection-data]
    """
    check_positive("size", min(size))
    if not files:
        raise ValueError("files must name at least one image, got none")
    height, width = size
    images = []
    for name in files:
        path = _existing(Path(folder) / name)
        try:
            with Image.open(path) as image:
                images.append(pil_to_tensor(image.convert("RGB").resize((width, height))))
        except UnidentifiedImageError:
            raise ValueError(f"files must be images, got {name!r}") from None
    return torch.stack(images).float() / 255


# --8<-- [end:load_images]


def _existing(path: str | Path) -> Path:
    if not Path(path).exists():
        raise FileNotFoundError(f"path must exist, got {str(path)!r}")
    return Path(path)


def _read_coco(path: Path) -> Any:
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise ImportError(
            "COCO labels need pycocotools: pip install pycocotools, or pytorch-notes[coco]"
        ) from error
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"path must be a JSON file, got {path.name!r}: {error}") from None
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise ValueError(f"path must be COCO labels with a list of {key}, got {path.name!r}")
    coco = COCO()
    coco.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress
        try:
            coco.createIndex()
            _check_references(coco, path.name)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"path must be COCO labels, got {path.name!r} without {error}"
            ) from None
    return coco


def _check_references(coco: Any, name: str) -> None:
    """Each image with what is needed; each annotation with an image and a category that exist."""
    for image in coco.imgs.values():
        _ = image["file_name"], image["width"], image["height"]
    for category in coco.cats.values():
        _ = category["name"]
    for annotation in coco.anns.values():
        for key, known in (("image_id", coco.imgs), ("category_id", coco.cats)):
            if annotation[key] not in known:
                raise ValueError(
                    f"{key} must name one of the file, got {annotation[key]!r} "
                    f"in annotation {annotation['id']} of {name!r}"
                )
        _ = annotation["bbox"]


def _read_voc(path: Path) -> Any:
    try:
        root: Element = parse(path).getroot()
    except ParseError as error:
        raise ValueError(f"folder must hold XML files, got {path.name!r}: {error}") from None
    annotation = VOCDetection.parse_voc_xml(root).get("annotation")
    for key in ("filename", "size", "object"):
        if not annotation or key not in annotation:
            raise ValueError(f"folder must hold VOC labels with a {key}, got {path.name!r} without")
    for key, needed in (("size", {"width", "height"}), ("object", {"name", "bndbox"})):
        for part in annotation[key] if key == "object" else [annotation[key]]:
            if missing := sorted(needed - set(part)):
                raise ValueError(
                    f"each {key} must have a {missing[0]}, got one without in {path.name!r}"
                )
    return annotation


def _four_numbers(values: Sequence[Any], where: str) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"a box must be four finite numbers, got {values} in {where}")
    return numbers


def _shares(
    box: tuple[float, float, float, float], width: float, height: float, where: str
) -> list[float]:
    """A box in pixels as shares of the image, cut at its borders."""
    x1, y1, x2, y2 = box
    if not (x1 < x2 and y1 < y2):
        raise ValueError(f"a box must have an area, got {box} in {where}")
    if min(x1, y1) < -TOLERANCE or x2 > width + TOLERANCE or y2 > height + TOLERANCE:
        raise ValueError(
            f"a box must lie in its image of {width:g} by {height:g} pixels, got {box} in {where}"
        )
    shares = (x1 / width, y1 / height, x2 / width, y2 / height)
    return [min(max(share, 0.0), 1.0) for share in shares]
