import pytest

from notes.models._scaled_width import scaled
from notes.models.alexnet import alexnet


@pytest.mark.parametrize(
    ("count", "width", "expected"),
    [
        pytest.param(64, 1.0, 64, id="full"),
        pytest.param(64, 0.25, 16, id="a quarter"),
        pytest.param(64, 2.0, 128, id="wider"),
        pytest.param(10, 0.27, 3, id="rounded"),
        pytest.param(64, 0.001, 1, id="never nothing"),
    ],
)
def test_channels_are_scaled(count, width, expected):
    assert scaled(count, width) == expected


def test_half_the_width_leaves_about_a_quarter_of_the_parameters():
    full, half = (
        sum(p.numel() for p in alexnet(image_size=65, width=width).parameters())
        for width in (0.1, 0.05)
    )
    assert half / full == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("width", [0, -0.5, float("nan")])
def test_a_width_that_leaves_nothing_is_refused(width):
    with pytest.raises(ValueError, match="width must be greater than 0, got"):
        scaled(64, width)
