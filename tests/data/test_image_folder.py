import numpy as np
import pytest
import torch
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import pil_to_tensor

from notes.data.image_folder import CLASSES, draw_image_folder, draw_shape


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def files(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*.png")}


def share_of_box(image):
    """How much of its bounding box a shape fills."""
    light = image.float().mean(dim=0) > 125
    rows, columns = light.any(dim=1).nonzero(), light.any(dim=0).nonzero()
    box = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
    return (light.sum() / box).item()


def test_the_folder_holds_the_asked_number_of_images(tmp_path):
    draw_image_folder(tmp_path / "shapes", num_train=2, num_val=1)
    names = sorted(files(tmp_path / "shapes"))
    assert names == [
        *(f"train/{name}/000{number}.png" for name in CLASSES for number in (0, 1)),
        *(f"val/{name}/0000.png" for name in CLASSES),
    ]


def test_torchvision_reads_the_folder_with_the_right_classes(tmp_path):
    draw_image_folder(tmp_path, num_train=3, num_val=1, image_size=24, generator=seeded())
    train = ImageFolder(str(tmp_path / "train"))
    assert train.classes == list(CLASSES)
    assert train.targets == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert all(image.size == (24, 24) and image.mode == "RGB" for image, _ in train)


def test_an_image_on_disk_has_the_pixels_that_were_drawn(tmp_path):
    draw_image_folder(tmp_path, num_train=1, num_val=1, generator=seeded())
    image, label = ImageFolder(str(tmp_path / "train"), transform=pil_to_tensor)[0]
    assert label == 0
    assert torch.equal(image, draw_shape("circle", 32, generator=seeded()))


def test_the_same_seed_draws_the_same_files(tmp_path):
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        draw_image_folder(tmp_path / name, num_train=1, num_val=1, generator=seeded(seed))
    assert files(tmp_path / "first") == files(tmp_path / "again")
    assert not set(files(tmp_path / "first").values()) & set(files(tmp_path / "other").values())


def test_no_image_is_drawn_twice(tmp_path):
    draw_image_folder(tmp_path, num_train=5, num_val=5, generator=seeded())
    drawn = list(files(tmp_path).values())
    assert len(set(drawn)) == len(drawn) == 30


@pytest.mark.parametrize(
    ("name", "share"),
    [("square", 1.0), ("circle", 0.785), ("triangle", 0.5)],  # pi / 4 for the circle
)
def test_the_shapes_fill_their_boxes_as_geometry_says(name, share):
    generator = seeded()
    for _ in range(20):
        image = draw_shape(name, 96, generator=generator)
        assert share_of_box(image) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("name", CLASSES)
def test_a_shape_is_lighter_than_its_corners_and_lies_inside_the_image(name):
    generator = seeded()
    for _ in range(50):
        light = draw_shape(name, 32, generator=generator).float().mean(dim=0) > 125
        corners = light[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert light.sum() > 40
        assert not light.all(dim=0).any()  # no column and no row is full
        assert not light.all(dim=1).any()
        assert corners.sum() <= 1


def test_a_second_run_changes_nothing(tmp_path):
    draw_image_folder(tmp_path, num_train=1, num_val=1, generator=seeded())
    before = files(tmp_path)
    draw_image_folder(tmp_path, num_train=1, num_val=1, generator=seeded())
    assert files(tmp_path) == before


def test_images_of_somebody_else_are_neither_mixed_in_nor_touched(tmp_path):
    stranger = tmp_path / "train" / "cat" / "tom.JPG"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"tom")
    with pytest.raises(
        FileExistsError, match=r"hold no other images, got 1, .* 'train/cat/tom\.JPG"
    ):
        draw_image_folder(tmp_path)
    assert stranger.read_bytes() == b"tom"
    assert files(tmp_path) == {}


def test_a_root_that_is_a_file_is_rejected(tmp_path):
    root = tmp_path / "file"
    root.write_text("")
    with pytest.raises(NotADirectoryError, match=r"root must be a folder, got the file '.*file'"):
        draw_image_folder(root)


def test_a_root_that_is_not_writable_is_rejected(read_only_folder):
    with pytest.raises(PermissionError, match=r"root must be a writable folder, got"):
        draw_image_folder(read_only_folder)


def test_a_wave_stands_for_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    draw_image_folder("~/shapes", num_train=np.int64(1), num_val=torch.tensor(1))
    assert (tmp_path / "shapes" / "train" / "circle" / "0000.png").is_file()
    assert not (tmp_path / "~").exists()


def test_numbers_that_are_no_integers_are_rejected(tmp_path):
    with pytest.raises(TypeError, match=r"num_train must be an integer, got 2\.5"):
        draw_image_folder(tmp_path, num_train=2.5)
    with pytest.raises(TypeError, match=r"image_size must be an integer, got 32\.0"):
        draw_shape("circle", 32.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_train": 0}, "num_train must be at least 1, got 0"),
        ({"num_val": -1}, "num_val must be at least 1, got -1"),
        ({"image_size": 15}, "image_size must be at least 16, got 15"),
    ],
)
def test_numbers_without_sense_are_rejected_before_anything_is_written(
    tmp_path, arguments, message
):
    with pytest.raises(ValueError, match=message):
        draw_image_folder(tmp_path / "shapes", **arguments)
    assert not (tmp_path / "shapes").exists()


def test_an_unknown_shape_is_rejected():
    with pytest.raises(ValueError, match=r"name must be one of \('circle', .*\), got 'hexagon'"):
        draw_shape("hexagon", 32)
