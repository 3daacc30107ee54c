import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from notes.detection.image_files import load_images

COLORS = [(255, 0, 0), (0, 128, 255)]  # the left and the right half


def halves(mode):
    """Two areas of one color each, in the mode."""
    image = Image.new("RGB", (8, 4), COLORS[0])
    image.paste(COLORS[1], (4, 0, 8, 4))
    return image.convert(mode)


def load(path, size=(4, 8)):
    return load_images(path.parent, [path.name], size)[0]


def test_images_come_in_one_size_as_numbers_between_0_and_1(tmp_path):
    halves("RGB").save(tmp_path / "a.png")
    Image.new("L", (3, 9), 255).save(tmp_path / "b.png")
    images = load_images(tmp_path, ["a.png", "b.png"], size=(4, 8))
    assert images.shape == (2, 3, 4, 8)
    assert images.dtype == torch.float32
    for column, color in zip((0, 7), COLORS, strict=True):
        assert (images[0, :, :, column] * 255).T.round().tolist() == [list(color)] * 4
    assert (images[1] == 1).all()


@pytest.mark.parametrize("size", [8, (8, 8), [8, 8], (np.int64(8), torch.tensor(8))])
def test_one_number_stands_for_a_square(tmp_path, size):
    halves("RGB").save(tmp_path / "a.png")
    assert load(tmp_path / "a.png", size).shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("1", "a.png"),
        ("L", "a.png"),
        ("LA", "a.png"),
        ("P", "a.png"),
        ("P", "a.gif"),
        ("RGBA", "a.png"),
        ("CMYK", "a.tif"),
        ("YCbCr", "a.tif"),
    ],
)
def test_images_of_any_mode_are_read_as_their_colors(tmp_path, mode, name):
    image = halves(mode)
    image.save(tmp_path / name)
    expected = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1) / 255
    torch.testing.assert_close(load(tmp_path / name), expected)


@pytest.mark.parametrize(
    ("name", "order"),
    [("a.png", "<u2"), ("a.tif", "<u2"), ("a.tif", ">u2"), ("a.jp2", "<u2"), ("a.pgm", "<u2")],
)
def test_16_bits_are_scaled(tmp_path, name, order):
    gray = np.array([[0, 1, 128, 255]] * 4)
    Image.fromarray((257 * gray).astype(order)).save(tmp_path / name)
    expected = torch.from_numpy(gray).expand(3, 4, 4) / 255
    torch.testing.assert_close(load(tmp_path / name, 4), expected.float())


def test_of_an_animation_the_first_picture_counts(tmp_path):
    frames = [Image.new("RGB", (8, 4), color) for color in COLORS]
    for name in ("a.gif", "b.png", "c.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert load(tmp_path / name)[:, 0, 0].tolist() == [1, 0, 0]


def test_transparent_colors_of_a_palette_are_read_without_a_warning(tmp_path):
    image = halves("P")
    image.save(tmp_path / "a.png", transparency=bytes(256))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(tmp_path / "a.png")[:, 0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("dtype", "mode"), [(np.float32, "F"), (np.int32, "I")], ids=["floats", "32 bits"]
)
def test_numbers_without_a_known_range_are_rejected(tmp_path, dtype, mode):
    Image.fromarray(np.ones((4, 4), dtype)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=rf"files .* got 'a\.tif': mode {mode} of TIFF has no kno"):
        load(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("tag", "value"), [(262, 0), (258, 12)], ids=["white is 0", "12 bits in 16"]
)
def test_16_bits_with_another_range_are_rejected(tmp_path, tag, value):
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((4, 4), 4095, np.uint16)).save(path)
    content = bytearray(path.read_bytes())
    entry = content.find(tag.to_bytes(2, "little") + (3).to_bytes(2, "little"))
    content[entry + 8 : entry + 10] = value.to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"got 'a\.tif': mode I;16 of TIFF has no known range"):
        load(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp", "a.tif"])
def test_half_a_file_is_rejected_by_name(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"files must be .*images, got '{name}'"):
        load(tmp_path / name)


def test_what_is_no_image_is_rejected(tmp_path):
    (tmp_path / "a.png").write_text("no image", encoding="utf-8")
    with pytest.raises(ValueError, match=r"files must be images, got 'a\.png'"):
        load(tmp_path / "a.png")
    with pytest.raises(ValueError, match="files must name at least one image, got none"):
        load_images(tmp_path, [], 8)
    with pytest.raises(FileNotFoundError, match=r"files must exist, got .*b\.png"):
        load(tmp_path / "b.png")


def test_a_file_that_may_not_be_read_is_no_damaged_one(tmp_path, monkeypatch):
    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    halves("RGB").save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        load(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        ((8, 0), ValueError, r"size must be at least 1, got \(8, 0\)"),
        (8.5, TypeError, r"size must be an integer or a pair of integers, got 8\.5"),
        ((8, 8, 8), TypeError, "size must be an integer or a pair"),
    ],
)
def test_a_size_without_sense_is_rejected(tmp_path, size, error, message):
    with pytest.raises(error, match=message):
        load_images(tmp_path, ["a.png"], size)


def test_a_wave_stands_for_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    halves("RGB").save(tmp_path / "a.png")
    assert load_images("~", ["a.png"], 4).shape == (1, 3, 4, 4)
