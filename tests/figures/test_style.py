import matplotlib.pyplot as plt
import pytest

from notes.figures.style import COLORS, INK, use_style

WHITE, DARK_PAGE = "#ffffff", "#14171d"


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color1, color2):
    low, high = sorted((luminance(color1), luminance(color2)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("color", COLORS)
def test_data_colors_stand_out_from_the_light_and_the_dark_page(color):
    assert contrast(color, WHITE) >= 3
    assert contrast(color, DARK_PAGE) >= 3


def test_ink_can_be_read_as_small_text_on_white():
    assert contrast(INK, WHITE) >= 7


def test_the_style_is_one_that_matplotlib_knows():
    with plt.rc_context():
        use_style()
        assert plt.rcParams["axes.labelcolor"] == INK
