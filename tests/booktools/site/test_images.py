import struct

import pytest

from booktools.site.images import dress_images, png_size


@pytest.fixture
def figure(tmp_path):
    path = tmp_path / "loss.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 1050, 540))
    return path


def test_size_is_read_from_the_header(figure):
    assert png_size(figure) == (1050, 540)


def test_figure_of_1050_pixels_is_shown_700_wide(figure):
    result = dress_images('<img alt="A &lt; b" src="loss.png" />', lambda source: figure)
    assert result == (
        '<img src="loss.png" alt="A &lt; b" width="700" height="360" loading="lazy" '
        'decoding="async">'
    )


def test_figure_with_a_dark_twin_becomes_a_pair(figure):
    figure.with_name("loss.dark.png").touch()
    result = dress_images('<img alt="A" src="../loss.png">', lambda source: figure)
    assert result.count("<img ") == 2
    assert '<img class="only-light" src="../loss.png" alt="A" width="700"' in result
    assert '<img class="only-dark" src="../loss.dark.png" alt="A" width="700"' in result


def test_image_that_is_no_local_file_stays_as_it_is():
    page = '<p><img alt="logo" src="logo.svg" /> and <img alt="" src="https://x.org/a.png"></p>'
    assert dress_images(page, lambda source: None) == page


def test_file_that_is_no_png_is_refused(tmp_path):
    path = tmp_path / "loss.png"
    path.write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match=r"loss\.png must be a PNG image, got b'GIF89a'"):
        png_size(path)
