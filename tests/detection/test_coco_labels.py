import contextlib
import copy
import io
import json
import math

import pycocotools.coco
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2

from notes.detection.coco_labels import read_coco_labels

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


@pytest.fixture
def coco(tmp_path):
    """Writes labels in COCO's format, with changes, and gives the path."""

    def write(**changes):
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(COCO | changes), encoding="utf-8")
        return path

    return write


def first(part, **changes):
    """A change of the first entry of a part; None takes a key away."""
    entries = copy.deepcopy(COCO[part])
    entries[0] = {k: v for k, v in (entries[0] | changes).items() if v is not LOST}
    return {part: entries}


LOST = object()


def test_coco_boxes_become_shares_and_ids_become_indices(coco):
    found = read_coco_labels(coco())
    assert found.files == ["a.png", "b.png"]
    assert found.class_names == ["car", "toothbrush"]
    expected = [[1, 0.1, 0.1, 0.6, 0.6], [0, 0, 0, 1, 1]]
    torch.testing.assert_close(found.labels[0], torch.tensor(expected))
    assert not found.ignored.any()


def test_an_image_without_annotations_is_padding(coco):
    found = read_coco_labels(coco())
    assert found.labels.shape == (2, 2, 5)
    assert (found.labels[1] == -1).all()


def test_crowds_are_left_out_or_marked(coco):
    found = read_coco_labels(coco(), crowds=True)
    assert found.labels[0, :, 0].tolist() == [1, 0, 0]
    assert found.ignored.tolist() == [[False, False, True], [False] * 3]


@pytest.mark.parametrize(
    ("value", "is_crowd"), [(True, True), (1, True), (False, False), (0, False)]
)
def test_a_crowd_may_be_marked_by_a_number_or_a_truth_value(coco, value, is_crowd):
    found = read_coco_labels(coco(**first("annotations", iscrowd=value)), crowds=True)
    assert found.ignored[0, 0].item() is is_crowd


def test_the_flat_box_of_an_official_file_is_left_out_and_counted(coco):
    path = coco(**first("annotations", bbox=[29.6, 38.3, 1.03, 0.0]))
    with pytest.raises(
        ValueError,
        match=r"must have an area .* got \(29\.6, 38\.3, .* in annotation 1 of 'labels\.js",
    ):
        read_coco_labels(path)
    found = read_coco_labels(path, skip_flat=True)
    assert found.num_flat == 1
    assert found.labels[..., 0].tolist() == [[0], [-1]]


def test_ids_may_be_texts_and_whole_floats(coco):
    texts = json.dumps(COCO).replace('"id": 10', '"id": "ten"').replace('_id": 10', '_id": "ten"')
    found = read_coco_labels(coco(**json.loads(texts.replace('_id": 3', '_id": 3.0'))))
    assert found.labels[0, :, 0].tolist() == [1, 0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_names_of_any_script_are_read_in_any_unicode(coco, encoding):
    path = coco()
    text = json.dumps(COCO, ensure_ascii=False).replace("toothbrush", "\u7259\u5237")
    path.write_text(text, encoding=encoding)
    assert read_coco_labels(path).class_names == ["car", "\u7259\u5237"]


def test_a_wave_stands_for_the_home_folder(coco, monkeypatch):
    monkeypatch.setenv("HOME", str(coco().parent))
    assert read_coco_labels("~/labels.json").files == ["a.png", "b.png"]


def test_boxes_follow_their_stretched_images_as_in_torchvision(coco):
    found = read_coco_labels(coco())
    box = tv_tensors.BoundingBoxes([[20.0, 10, 120, 60]], format="XYXY", canvas_size=(100, 200))
    resized = v2.Resize((64, 48))(box)
    ours = found.labels[0, :1, 1:] * torch.tensor([48, 64, 48, 64])
    torch.testing.assert_close(ours, resized.as_subclass(torch.Tensor))


@pytest.mark.parametrize("key", ["images", "annotations", "categories"])
def test_json_without_a_part_is_rejected(coco, key):
    with pytest.raises(ValueError, match=f"COCO labels with a list of {key}, got 'labels.json'"):
        read_coco_labels(coco(**{key: None}))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("images", "ids of images must be unique, got 10 twice in 'labels.json'"),
        ("annotations", "ids of annotations must be unique, got 1 twice in 'labels.json'"),
        ("categories", "ids of categories must be unique, got 90 twice in 'labels.json'"),
    ],
)
def test_an_id_that_is_given_twice_is_rejected(coco, part, message):
    for same in (COCO[part][0]["id"], float(COCO[part][0]["id"])):
        again = COCO[part][1] | {"id": same, "image_id": 99, "file_name": "c.png", "name": "dog"}
        with pytest.raises(ValueError, match=message):
            read_coco_labels(coco(**{part: [*COCO[part], again]}))


ANNOTATION = "annotation 1 of 'labels.json'"
HUGE = 10**400


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            first("annotations", image_id=99),
            f"image_id must name one of the file, got 99 in {ANNOTATION}",
        ),
        (
            first("annotations", image_id="10"),
            f"must name one of the file, got '10' in {ANNOTATION}",
        ),
        (
            first("annotations", category_id=9),
            f"category_id must name one of .*, got 9 in {ANNOTATION}",
        ),
        (
            first("annotations", category_id=[3]),
            "category_id must be a whole number or a text, got",
        ),
        (
            first("annotations", category_id=LOST),
            f"{ANNOTATION} must be an object with the key cat",
        ),
        (first("annotations", bbox=LOST), f"{ANNOTATION} must be an object with the key bbox"),
        (
            first("annotations", bbox=[1, 2, 3]),
            rf"bbox must be four finite .*, got \[1, 2, 3\] in {ANNOTATION}",
        ),
        (first("annotations", bbox=[1, 2, 3, "4"]), f"bbox must be four finite .* in {ANNOTATION}"),
        (
            first("annotations", bbox="1234"),
            f"bbox must be four finite numbers, got '1234' in {ANNOTATION}",
        ),
        (first("annotations", bbox=[1, 2, 3, True]), "bbox must be four finite numbers"),
        (first("annotations", bbox=[1, 2, 3, None]), "bbox must be four finite numbers"),
        (first("annotations", bbox=[1, 2, 3, HUGE]), "bbox must be four finite numbers"),
        (first("annotations", bbox=[1, 2, 3, math.nan]), "bbox must be four finite numbers"),
        (first("annotations", bbox=[1, 2, 3, 1e308]), "a box must lie in its image"),
        (first("annotations", bbox=[1e308, 2, 1e308, 3]), "a box must lie in its image"),
        (first("annotations", bbox=None), "bbox must be four finite numbers, got None"),
        (first("annotations", bbox={"x": 1}), "bbox must be four finite numbers, got {'x': 1}"),
        (first("annotations", bbox=[5, 5, -3, 9]), f"a box must not end before .* in {ANNOTATION}"),
        (
            first("annotations", bbox=[150, 5, 60, 9]),
            "a box must lie in its image of 200 by 100 pixels, got",
        ),
        (first("annotations", iscrowd="0"), f"iscrowd must be 0 or 1, got '0' in {ANNOTATION}"),
        (first("annotations", iscrowd=None), "iscrowd must be 0 or 1, got None"),
        (first("annotations", iscrowd=2), "iscrowd must be 0 or 1, got 2"),
        (
            first("annotations", id=LOST),
            r"annotations\[0\] of 'labels.json' must be an object with the key id",
        ),
        (
            first("annotations", id=None),
            "id must be a whole number or a text, got None in annotations",
        ),
        (
            first("annotations", id=True),
            "id must be a whole number or a text, got True in annotations",
        ),
        (
            first("annotations", id=0.5),
            "id must be a whole number or a text, got 0.5 in annotations",
        ),
        ({"annotations": [7]}, r"annotations\[0\] of 'labels.json' must be an object .*, got 7"),
        (
            first("images", width=None),
            "width must be a number greater than 0, got None in image 10 of 'lab",
        ),
        (
            first("images", width="100"),
            "width must be a number greater than 0, got '100' in image 10",
        ),
        (first("images", height=0), "height must be a number greater than 0, got 0 in image 10"),
        (first("images", height=-5), "height must be a number greater than 0, got -5 in image 10"),
        (first("images", height=HUGE), "height must be a number greater than 0, got 1000"),
        (first("images", height=True), "height must be a number greater than 0, got True"),
        (
            first("images", height=LOST),
            "image 10 of 'labels.json' must be an object with the key height",
        ),
        (first("images", file_name=LOST), "image 10 of 'labels.json' must be .* the key file_name"),
        (
            first("images", file_name=7),
            "file_name must be a text, got 7 in image 10 of 'labels.json'",
        ),
        (
            first("images", file_name="b.png"),
            "names of .* must be different, got 'b.png' again in image 7 of 'labels.json'",
        ),
        ({"images": [], "annotations": []}, "COCO labels of at least one image, got 'labels.json'"),
        (
            first("categories", name=None),
            "name must be a text, got None in category 90 of 'labels.json'",
        ),
        (first("categories", name=LOST), "category 90 of 'labels.json' must be .* the key name"),
        (
            first("categories", id="90"),
            "ids of categories must be of one kind, got two in 'labels.json'",
        ),
    ],
)
def test_wrong_coco_labels_are_rejected(coco, changes, message):
    with pytest.raises(ValueError, match=message):
        read_coco_labels(coco(**changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"path must be a JSON file, got 'labels\.json': Expecting"),
        ("[]", r"path must be COCO labels with a list of images, got 'labels\.json'"),
        ('{"images": [{"id": 1, "id": 2}]}', "'labels.json': a key is given twice in {'id': 2}"),
        ("[" * 100_000, r"path must be a JSON file, got 'labels\.json'"),
        ('{"images": ' + "1" * 5_000 + "}", r"path must be a JSON file, got 'labels\.json'"),
        ("\xff", r"path must be a JSON file, got 'labels\.json'"),
    ],
)
def test_a_file_that_is_no_json_is_rejected(tmp_path, content, message):
    (tmp_path / "labels.json").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=message):
        read_coco_labels(tmp_path / "labels.json")


def test_what_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FileNotFoundError, match="path must be an existing file, got"):
            read_coco_labels(path)


def read_by_pycocotools(content):
    """Names and boxes in pixels by image, as the usual reader has them; without crowds."""
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress
        coco = pycocotools.coco.COCO()
        coco.dataset = content
        coco.createIndex()
    return {
        image["file_name"]: [
            (coco.cats[one["category_id"]]["name"], one["bbox"])
            for one in coco.loadAnns(coco.getAnnIds(imgIds=[key], iscrowd=0))
        ]
        for key, image in coco.imgs.items()
    }


IDS = st.lists(st.integers(0, 9**9), min_size=1, max_size=5, unique=True)


@st.composite
def files(draw):
    images = draw(IDS)
    categories = draw(IDS)
    annotation = st.fixed_dictionaries(
        {
            "image_id": st.sampled_from(images),
            "category_id": st.sampled_from(categories),
            "bbox": st.tuples(
                *[st.integers(0, 20), st.integers(0, 20), st.integers(1, 30)] * 2
            ).map(lambda x: [x[0], x[1], x[2], x[5]]),
            "iscrowd": st.sampled_from([0, 0, 1]),
        }
    )
    annotations = draw(st.lists(annotation, max_size=8))
    keys = draw(st.permutations(range(len(annotations))))
    return {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 50, "height": 60} for i in images],
        "categories": [{"id": i, "name": f"class {i}"} for i in categories],
        "annotations": [one | {"id": k} for one, k in zip(annotations, keys, strict=True)],
    }


def as_pixels(found):
    boxes = found.labels[..., 1:].double() * torch.tensor([50, 60, 50, 60])
    return {
        name: [
            (found.class_names[int(row[0])], [round(x, 3) for x in box.tolist()])
            for row, box in zip(rows, pixels, strict=True)
            if row[0] >= 0
        ]
        for name, rows, pixels in zip(found.files, found.labels, boxes, strict=True)
    }


@settings(deadline=None, max_examples=50)
@given(content=files())
def test_the_labels_are_those_that_pycocotools_reads(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "labels.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    expected = {
        name: [(label, [x, y, x + w, y + h]) for label, (x, y, w, h) in objects]
        for name, objects in read_by_pycocotools(content).items()
    }
    assert as_pixels(read_coco_labels(path)) == expected


VALUES = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        3,
        90,
        0.5,
        1e308,
        math.inf,
        math.nan,
        HUGE,
        "",
        "1",
        "1234",
        [],
        {},
        [1],
    ]
)


def places(content, path=()):
    """All keys and positions of nested objects and lists."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@settings(deadline=None, max_examples=300)
@given(place=st.sampled_from(sorted(places(COCO), key=str)), value=VALUES)
def test_any_other_value_is_read_or_named(tmp_path_factory, place, value):
    content = copy.deepcopy(COCO)
    part = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path = tmp_path_factory.getbasetemp() / "labels.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        found, message = read_coco_labels(path), ""
    except ValueError as error:
        found, message = None, str(error)
    if found is None:
        assert "labels.json" in message
        return
    boxes = found.labels[found.labels[..., 0] >= 0][:, 1:]
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert len(boxes) == sum(not one.get("iscrowd") for one in content["annotations"])
