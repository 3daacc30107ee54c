import json
import sys

import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from notes.detection.label_files import load_images, read_coco_labels, read_voc_labels

COCO = {
    "images": [
        {"id": 10, "file_name": "a.png", "width": 200, "height": 100},
        {"id": 7, "file_name": "b.png", "width": 50, "height": 50},
    ],
    "annotations": [
        {"id": 1, "image_id": 10, "category_id": 90, "bbox": [20, 10, 100, 50], "iscrowd": 0},
        {"id": 2, "image_id": 10, "category_id": 3, "bbox": [0, 0, 200, 100]},
        {"id": 3, "image_id": 10, "category_id": 3, "bbox": [0, 0, 9, 9], "iscrowd": 1},
    ],
    "categories": [{"id": 90, "name": "toothbrush"}, {"id": 3, "name": "car"}],
}

VOC = """<annotation>
  <filename>{name}.png</filename>
  <size><width>200</width><height>100</height><depth>3</depth></size>
  {objects}
</annotation>"""
OBJECT = """<object><name>{name}</name><difficult>0</difficult><bndbox>
  <xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"""


@pytest.fixture
def coco(tmp_path):
    """Writes labels in COCO's format, with changes, and gives the path."""

    def write(**changes):
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(COCO | changes), encoding="utf-8")
        return path

    return write


@pytest.fixture
def voc(tmp_path):
    """Writes an XML file for each list of objects, and gives the folder."""

    def write(*images):
        for name, objects in zip("abc", images, strict=False):
            text = "".join(OBJECT.format(*box, name=kind) for kind, *box in objects)
            content = VOC.format(name=name, objects=text)
            (tmp_path / f"{name}.xml").write_text(content, encoding="utf-8")
        return tmp_path

    return write


def annotation(**changes):
    return {"annotations": [COCO["annotations"][0] | changes]}


def test_coco_boxes_become_shares_and_ids_become_indices(coco):
    found = read_coco_labels(coco())
    assert found.files == ["a.png", "b.png"]
    assert found.class_names == ["car", "toothbrush"]
    expected = [[1, 0.1, 0.1, 0.6, 0.6], [0, 0, 0, 1, 1]]
    torch.testing.assert_close(found.labels[0], torch.tensor(expected))


def test_an_image_without_annotations_is_padding(coco):
    found = read_coco_labels(coco())
    assert found.labels.shape == (2, 2, 5)
    assert (found.labels[1] == -1).all()


def test_reading_prints_nothing(coco, capsys):
    read_coco_labels(coco())
    assert capsys.readouterr().out == ""


def test_a_box_that_leaves_its_image_by_rounding_is_cut(coco):
    found = read_coco_labels(coco(**annotation(bbox=[-0.5, 0, 201, 100])))
    assert found.labels[0, 0].tolist() == [1, 0, 0, 1, 1]


def test_a_voc_box_begins_with_pixel_one(voc):
    found = read_voc_labels(voc([("cat", 1, 1, 200, 100)], [("dog", 101, 51, 200, 100)]))
    assert found.files == ["a.png", "b.png"]
    assert found.class_names == ["cat", "dog"]
    assert found.labels[:, 0].tolist() == [[0, 0, 0, 1, 1], [1, 0.5, 0.5, 1, 1]]


def test_both_formats_agree_on_the_same_box(coco, voc):
    """Pixels 21 to 120 and 11 to 60, counted from 1."""
    from_voc = read_voc_labels(voc([("cat", 21, 11, 120, 60)])).labels[0, 0, 1:]
    from_coco = read_coco_labels(coco()).labels[0, 0, 1:]
    torch.testing.assert_close(from_voc, from_coco)


def test_given_class_names_decide_the_indices(voc):
    found = read_voc_labels(voc([("dog", 1, 1, 9, 9)]), class_names=["cat", "dog", "bird"])
    assert found.labels[0, 0, 0] == 1
    assert found.class_names == ["cat", "dog", "bird"]


def test_voc_files_without_objects_are_padding(voc):
    found = read_voc_labels(voc([], [("cat", 1, 1, 9, 9), ("cat", 5, 5, 9, 9)]))
    assert found.labels[:, :, 0].tolist() == [[-1, -1], [0, 0]]


def test_boxes_follow_their_stretched_images_as_in_torchvision(coco, tmp_path):
    found = read_coco_labels(coco())
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    images = load_images(tmp_path, found.files[:1], size=(64, 48))
    assert images.shape == (1, 3, 64, 48)
    box = tv_tensors.BoundingBoxes([[20.0, 10, 120, 60]], format="XYXY", canvas_size=(100, 200))
    resized = v2.Resize((64, 48))(box)
    ours = found.labels[0, :1, 1:] * torch.tensor([48, 64, 48, 64])
    torch.testing.assert_close(ours, resized.as_subclass(torch.Tensor))


def test_images_of_any_mode_are_read_as_colors(tmp_path):
    Image.new("L", (4, 4), 255).save(tmp_path / "gray.png")
    Image.new("RGBA", (8, 2), (255, 0, 0, 255)).save(tmp_path / "clear.png")
    images = load_images(tmp_path, ["gray.png", "clear.png"], size=(4, 4))
    assert images.shape == (2, 3, 4, 4)
    assert (images[0] == 1).all()
    assert images[1, :, 0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("key", ["images", "annotations", "categories"])
def test_json_without_a_part_is_rejected(coco, key):
    with pytest.raises(ValueError, match=f"COCO labels with a list of {key}, got 'labels.json'"):
        read_coco_labels(coco(**{key: None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (annotation(image_id=99), "image_id must name one of the file, got 99 in annotation 1"),
        (annotation(category_id=1), "category_id must name one of the file, got 1 in annotation 1"),
        (annotation(bbox=[1, 2, 3]), r"a box must be four finite numbers, got \[1, 2, 3\]"),
        (annotation(bbox=[1, 2, 3, "x"]), "a box must be four finite numbers, got .* annotation 1"),
        (annotation(bbox=[5, 5, 0, 9]), "a box must have an area, got .* in annotation 1 of 'lab"),
        (annotation(bbox=[5, 5, -3, 9]), "a box must have an area"),
        (annotation(bbox=[150, 5, 60, 9]), "a box must lie in its image of 200 by 100 pixels, got"),
        (
            {"annotations": [{"id": 4}]},
            "path must be COCO labels, got 'labels.json' without 'image",
        ),
        ({"images": [{"id": 1}]}, "path must be COCO labels, got 'labels.json' without 'file_name"),
    ],
)
def test_wrong_coco_labels_are_rejected(coco, changes, message):
    with pytest.raises(ValueError, match=message):
        read_coco_labels(coco(**changes))


def test_a_file_that_is_no_json_is_rejected(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"path must be a JSON file, got 'labels\.json': Expecting"
    ):
        read_coco_labels(path)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="path must be COCO labels with a list of images, got"):
        read_coco_labels(path)


def test_missing_pycocotools_is_named(coco, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(ImportError, match=r"COCO labels need pycocotools: pip install pycocotools"):
        read_coco_labels(coco())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<annotation>", "folder must hold XML files, got 'a.xml': no element found"),
        ("<other/>", "folder must hold VOC labels with a filename, got 'a.xml' without"),
        (
            "<annotation><filename>a</filename></annotation>",
            "folder must hold VOC labels with a size, got 'a.xml' without",
        ),
        (
            "<annotation><filename>a</filename><size><width>9</width><depth>3</depth></size>"
            "</annotation>",
            "each size must have a height, got one without in 'a.xml'",
        ),
        (
            "<annotation><filename>a</filename><size><width>9</width><height>9</height></size>"
            "<object><name>x</name><pose>y</pose></object></annotation>",
            "each object must have a bndbox, got one without in 'a.xml'",
        ),
    ],
)
def test_wrong_voc_files_are_rejected(tmp_path, content, message):
    (tmp_path / "a.xml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_voc_labels(tmp_path)


def test_wrong_voc_boxes_are_rejected(voc):
    with pytest.raises(ValueError, match=r"a box must have an area, got .* in a\.xml"):
        read_voc_labels(voc([("cat", 9, 9, 5, 12)]))
    with pytest.raises(ValueError, match="a box must lie in its image of 200 by 100 pixels"):
        read_voc_labels(voc([("cat", 9, 9, 300, 12)]))
    with pytest.raises(ValueError, match=r"a box must be four finite numbers, got .* in 'a\.xml'"):
        read_voc_labels(voc([("cat", 9, "?", 12, 12)]))


def test_a_class_without_a_name_in_the_list_is_rejected(voc):
    with pytest.raises(ValueError, match="class_names must hold the classes of all files, got no"):
        read_voc_labels(voc([("dog", 1, 1, 9, 9)]), class_names=["cat"])


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path must exist, got .*none\.json"):
        read_coco_labels(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError, match="folder must hold XML files, got none in"):
        read_voc_labels(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"path must exist, got .*a\.png"):
        load_images(tmp_path, ["a.png"], (8, 8))


def test_images_that_cannot_be_read_are_rejected(tmp_path):
    (tmp_path / "a.png").write_text("no image", encoding="utf-8")
    with pytest.raises(ValueError, match=r"files must be images, got 'a\.png'"):
        load_images(tmp_path, ["a.png"], (8, 8))
    with pytest.raises(ValueError, match="files must name at least one image, got none"):
        load_images(tmp_path, [], (8, 8))
    with pytest.raises(ValueError, match="size must be greater than 0, got 0"):
        load_images(tmp_path, ["a.png"], (8, 0))
