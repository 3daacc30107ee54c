import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from booktools.doctests.figures import distance
from booktools.pages.blocks import DEFAULT_FIGURE_TOLERANCE
from booktools.site.social import descend, main, valley

ROOT = Path(__file__).resolve().parents[3]


def test_the_valley_is_lowest_at_zero():
    grid = np.linspace(-3, 3, 13)
    heights = valley(*np.meshgrid(grid, grid))
    assert heights.min() == valley(np.array(0.0), np.array(0.0)) == 0
    assert (heights == 0).sum() == 1


def test_a_step_goes_against_the_gradient():
    start = (0.6, 2.1)
    step = 1e-6
    slopes = [
        (valley(*np.add(start, (step, 0))) - valley(*start)) / step,
        (valley(*np.add(start, (0, step))) - valley(*start)) / step,
    ]
    moved = descend(start, steps=1, learning_rate=0.1)[1]
    assert moved == pytest.approx(np.subtract(start, 0.1 * np.array(slopes)), abs=1e-5)


def test_the_descent_reaches_the_bottom():
    walk = descend((0.6, 2.1), steps=200, learning_rate=0.28)
    assert walk.shape == (201, 2)
    assert valley(*walk[-1]) < 1e-6 < valley(*walk[0])


def test_the_committed_picture_is_drawn_again(tmp_path, monkeypatch):
    path = tmp_path / "social.png"
    monkeypatch.setattr(sys, "argv", ["social", str(path)])
    main()
    with Image.open(path) as picture:
        assert picture.size == (1200, 630)
    assert distance(path, ROOT / "docs" / "assets" / "social.png") <= DEFAULT_FIGURE_TOLERANCE
