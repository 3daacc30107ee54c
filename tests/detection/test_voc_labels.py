from xml.etree import ElementTree

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.datasets import VOCDetection

from notes.detection.coco_labels import read_coco_labels
from notes.detection.voc_labels import read_voc_labels

VOC = """<annotation>
  <filename>{name}.png</filename>
  <size><width>200</width><height>100</height><depth>3</depth></size>
  {objects}
</annotation>"""
OBJECT = """<object><name>{name}</name>{more}<bndbox>
  <xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"""
COCO = """{
  "images": [{"id": 10, "file_name": "a.png", "width": 200, "height": 100}],
  "annotations": [{"id": 1, "image_id": 10, "category_id": 3, "bbox": [20, 10, 100, 50]}],
  "categories": [{"id": 3, "name": "cat"}]
}"""


@pytest.fixture
def voc(tmp_path):
    """Writes an XML file for each list of objects, and gives the folder."""

    def write(*images, more=""):
        for name, objects in zip("abc", images, strict=False):
            text = "".join(OBJECT.format(*box, name=kind, more=more) for kind, *box in objects)
            content = VOC.format(name=name, objects=text)
            (tmp_path / f"{name}.xml").write_text(content, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def changed(tmp_path):
    """Writes a file of one object in which something is replaced, and gives the folder."""

    def write(old, new):
        text = VOC.format(name="a", objects=OBJECT.format(1, 1, 9, 9, name="cat", more=""))
        assert old in text
        (tmp_path / "a.xml").write_text(text.replace(old, new), encoding="utf-8")
        return tmp_path

    return write


def test_a_voc_box_begins_with_pixel_one(voc):
    found = read_voc_labels(voc([("cat", 1, 1, 200, 100)], [("dog", 101, 51, 200, 100)]))
    assert found.files == ["a.png", "b.png"]
    assert found.class_names == ["cat", "dog"]
    assert found.labels[:, 0].tolist() == [[0, 0, 0, 1, 1], [1, 0.5, 0.5, 1, 1]]
    assert not found.ignored.any()


def test_both_formats_agree_on_the_same_box(voc, tmp_path):
    """Pixels 21 to 120 and 11 to 60, counted from 1."""
    (tmp_path / "labels.json").write_text(COCO, encoding="utf-8")
    from_voc = read_voc_labels(voc([("cat", 21, 11, 120, 60)]))
    from_coco = read_coco_labels(tmp_path / "labels.json")
    torch.testing.assert_close(from_voc.labels, from_coco.labels)
    assert from_voc.files == from_coco.files


def test_given_class_names_decide_the_indices(voc):
    found = read_voc_labels(voc([("dog", 1, 1, 9, 9)]), class_names=["cat", "dog", "bird"])
    assert found.labels[0, 0, 0] == 1
    assert found.class_names == ["cat", "dog", "bird"]


def test_files_without_objects_are_padding(voc):
    found = read_voc_labels(voc([], [("cat", 1, 1, 9, 9), ("cat", 5, 5, 9, 9)]))
    assert found.labels[:, :, 0].tolist() == [[-1, -1], [0, 0]]


@pytest.mark.parametrize(("value", "is_difficult"), [("1", True), (" 0 ", False)])
def test_difficult_objects_are_marked_or_left_out(voc, value, is_difficult):
    folder = voc([("cat", 1, 1, 9, 9)], more=f"<difficult>{value}</difficult>")
    assert read_voc_labels(folder).ignored.tolist() == [[is_difficult]]
    found = read_voc_labels(folder, difficult=False)
    assert (found.labels[0, 0, 0] < 0).item() is is_difficult
    assert found.class_names == ["cat"]


def test_flat_boxes_are_left_out_and_counted(voc):
    folder = voc([("cat", 9, 9, 8, 12), ("cat", 9, 9, 9, 9)])
    with pytest.raises(ValueError, match=r"must have an area .* got .* in object 1 of 'a\.xml'"):
        read_voc_labels(folder)
    found = read_voc_labels(folder, skip_flat=True)
    assert found.num_flat == 1
    torch.testing.assert_close(found.labels, torch.tensor([[[0, 0.04, 0.08, 0.045, 0.09]]]))


def test_parts_of_a_person_are_no_objects(changed):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part></object>"
    found = read_voc_labels(changed("</object>", part))
    assert found.class_names == ["cat"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "gb2312", "gbk", "big5", "latin-1"]
)
def test_files_in_any_encoding_are_read(changed, encoding):
    name = "caf\u00e9" if encoding in ("latin-1", "utf-8-sig") else "\u4e2d"
    path = changed("cat", name) / "a.xml"
    known = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f"<?xml version='1.0' encoding='{known}'?>" + path.read_text(encoding="utf-8")
    path.write_bytes(text.encode(encoding))
    assert read_voc_labels(path.parent).class_names == [name]


def test_files_are_found_whatever_the_case_of_their_ending(voc):
    folder = voc([("cat", 1, 1, 9, 9)])
    (folder / "a.xml").rename(folder / "a.XML")
    assert read_voc_labels(folder).files == ["a.png"]


def test_a_wave_stands_for_the_home_folder(voc, monkeypatch):
    monkeypatch.setenv("HOME", str(voc([("cat", 1, 1, 9, 9)])))
    assert read_voc_labels("~").files == ["a.png"]


ONE = "in object 1 of 'a.xml'"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</annotation>", "", "folder must hold XML files, got 'a.xml': no element found"),
        (
            "<annotation>",
            "<?xml version='1.0' encoding='x-9'?><annotation>",
            "'a.xml': unknown enc",
        ),
        (
            "<annotation>",
            "<?xml version='1.0' encoding='ascii'?><annotation>\u4e2d",
            "'a.xml': 'ascii'",
        ),
        ("annotation>", "other>", "folder must hold VOC labels, got <other> in 'a.xml'"),
        ("filename>", "file>", "annotation must have one filename, got 0 in 'a.xml'"),
        (
            ".png</filename>",
            "</filename><filename>b</filename>",
            "have one filename, got 2 in 'a.xml'",
        ),
        (">a.png<", "> <", "filename must hold a text, got none in 'a.xml'"),
        ("size>", "sizes>", "annotation must have one size, got 0 in 'a.xml'"),
        ("<size>", "<size></size><size>", "annotation must have one size, got 2 in 'a.xml'"),
        ("height>", "tall>", "size must have one height, got 0 in 'a.xml'"),
        (">100<", ">0<", "height must be greater than 0, got 0.0 in 'a.xml'"),
        (">100<", ">-7<", "height must be greater than 0, got -7.0 in 'a.xml'"),
        (">100<", ">many<", "height must be a finite number, got 'many' in 'a.xml'"),
        (">100<", f">{'9' * 400}<", "height must be a finite number, got '999"),
        ("name>", "names>", f"object must have one name, got 0 {ONE}"),
        ("<name>", "<name>dog</name><name>", f"object must have one name, got 2 {ONE}"),
        (">cat<", "><", f"name must hold a text, got none {ONE}"),
        ("bndbox>", "box>", f"object must have one bndbox, got 0 {ONE}"),
        ("<bndbox>", "<bndbox></bndbox><bndbox>", f"object must have one bndbox, got 2 {ONE}"),
        ("xmin>", "x1>", f"bndbox must have one xmin, got 0 {ONE}"),
        ("<xmin>", "<xmin>5</xmin><xmin>", f"bndbox must have one xmin, got 2 {ONE}"),
        ("<xmin>1", "<xmin>?", rf"xmin must be a finite number, got '\?' {ONE}"),
        ("<xmin>1", "<xmin>", f"xmin must hold a text, got none {ONE}"),
        ("<xmin>1", "<xmin>nan", f"xmin must be a finite number, got 'nan' {ONE}"),
        ("<xmin>1", "<xmin>1_0", f"xmin must be a finite number, got '1_0' {ONE}"),
        ("<xmax>9", "<xmax>1e999", f"xmax must be a finite number, got '1e999' {ONE}"),
        ("<xmax>9", "<xmax>300", f"image of 200 by 100 pixels, got .* {ONE}"),
        ("<xmax>9", "<xmax>-1", f"a box must not end before it begins, got .* {ONE}"),
        (
            "<bndbox>",
            "<difficult>yes</difficult><bndbox>",
            f"difficult must be 0 or 1, got 'yes' {ONE}",
        ),
        ("<bndbox>", "<difficult/><bndbox>", f"difficult must hold a text, got none {ONE}"),
        ("<bndbox>", 2 * "<difficult>0</difficult>" + "<bndbox>", f"one difficult, got 2 {ONE}"),
    ],
)
def test_wrong_voc_files_are_rejected(changed, old, new, message):
    with pytest.raises(ValueError, match=message):
        read_voc_labels(changed(old, new))


def test_two_files_of_one_image_are_rejected(voc):
    folder = voc([("cat", 1, 1, 9, 9)])
    (folder / "b.xml").write_bytes((folder / "a.xml").read_bytes())
    with pytest.raises(ValueError, match=r"must be different, got 'a\.png' again in 'b\.xml'"):
        read_voc_labels(folder)


def test_class_names_that_do_not_fit_are_rejected(voc):
    folder = voc([("dog", 1, 1, 9, 9)])
    with pytest.raises(ValueError, match="class_names must hold the classes of all files, got no"):
        read_voc_labels(folder, class_names=["cat"])
    with pytest.raises(ValueError, match=r"class_names must be different, got \['dog', 'dog'\]"):
        read_voc_labels(folder, class_names=["dog", "dog"])


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder must hold XML files, got none in"):
        read_voc_labels(tmp_path)
    (tmp_path / "a.xml").touch()
    for path in (tmp_path / "none", tmp_path / "a.xml"):
        with pytest.raises(FileNotFoundError, match="folder must exist, got"):
            read_voc_labels(path)


SIDES = st.tuples(st.integers(1, 100), st.integers(1, 50), st.integers(0, 100), st.integers(0, 50))
OBJECTS = st.lists(st.tuples(st.sampled_from(["cat", "dog"]), SIDES), min_size=1, max_size=5)


@settings(deadline=None, max_examples=50)
@given(objects=OBJECTS)
def test_the_labels_are_those_that_torchvision_reads(tmp_path_factory, objects):
    folder = tmp_path_factory.getbasetemp() / "voc"
    folder.mkdir(exist_ok=True)
    texts = [
        OBJECT.format(x, y, x + w, y + h, name=name, more="") for name, (x, y, w, h) in objects
    ]
    (folder / "a.xml").write_text(VOC.format(name="a", objects="".join(texts)), encoding="utf-8")
    found = read_voc_labels(folder, ["cat", "dog"])
    root = ElementTree.parse(folder / "a.xml").getroot()
    theirs = VOCDetection.parse_voc_xml(root)["annotation"]["object"]
    pixels = (found.labels[0, :, 1:].double() * torch.tensor([200, 100, 200, 100])).round()
    for label, box, one in zip(found.labels[0, :, 0], pixels.tolist(), theirs, strict=True):
        assert found.class_names[int(label)] == one["name"]
        expected = [int(one["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax")]
        assert [box[0] + 1, box[1] + 1, *box[2:]] == expected


LEAVES = [">a.png<", ">200<", ">100<", ">cat<", "<xmin>1<", "<ymin>1<", "<xmax>9<", "<ymax>9<"]
TEXTS = st.sampled_from(
    ["", " ", "-1", "0", "0.5", "1e308", "-inf", "0x9", "9" * 5000, "\u0663", "1 2"]
)


@settings(deadline=None)
@given(leaf=st.sampled_from(LEAVES), text=TEXTS)
def test_any_other_text_is_read_or_named(tmp_path_factory, leaf, text):
    folder = tmp_path_factory.getbasetemp() / "texts"
    folder.mkdir(exist_ok=True)
    content = VOC.format(name="a", objects=OBJECT.format(1, 1, 9, 9, name="cat", more=""))
    start = leaf[: leaf.index(">") + 1]
    (folder / "a.xml").write_text(content.replace(leaf, f"{start}{text}<"), encoding="utf-8")
    try:
        found, message = read_voc_labels(folder), ""
    except ValueError as error:
        found, message = None, str(error)
    if found is None:
        assert "a.xml" in message
        return
    box = found.labels[0, 0, 1:]
    assert ((box >= 0) & (box <= 1)).all()
    assert (box[:2] < box[2:]).all()
