import pytest
import torch

from notes.figures.number_grid import draw_number_grid
from notes.figures.style import COLORS, INK

RAMP = torch.arange(6.0).reshape(2, 3)


def test_every_number_stands_in_the_middle_of_its_cell():
    texts = draw_number_grid(RAMP).texts
    assert [text.get_text() for text in texts] == ["0", "1", "2", "3", "4", "5"]
    assert texts[4].get_position() == (1.5, 1.5)


def test_the_first_row_is_drawn_above_the_last():
    bottom, top = draw_number_grid(RAMP).get_ylim()
    assert top < 0.5 < 1.5 < bottom


def test_the_window_frames_the_cells_that_it_names():
    ax = draw_number_grid(RAMP, window=(0, 1, 2, 2))
    assert ax.patches[-1].get_bbox().bounds == (1.0, 0.0, 2.0, 2.0)
    assert len(ax.patches) == len(draw_number_grid(RAMP).patches) + 1


def test_the_border_is_gray_and_what_lies_inside_is_not():
    texts = draw_number_grid(torch.zeros(3, 3), border=1).texts
    assert [text.get_color() for text in texts] == [COLORS[5]] * 4 + [INK] + [COLORS[5]] * 4


def test_a_matrix_without_cells_is_rejected():
    with pytest.raises(ValueError, match="values must not be empty"):
        draw_number_grid(torch.zeros(0, 3))


def test_a_batch_is_rejected():
    with pytest.raises(ValueError, match=r"values must have shape \(H, W\), got \(1, 2, 3\)"):
        draw_number_grid(RAMP[None])


@pytest.mark.parametrize("window", [(1, 0, 2, 2), (0, 2, 2, 2), (-1, 0, 2, 2)])
def test_a_window_that_sticks_out_is_rejected(window):
    with pytest.raises(ValueError, match=r"window must lie inside the matrix of \(2, 3\), got"):
        draw_number_grid(RAMP, window=window)


@pytest.mark.parametrize("window", [(0, 0, 0, 1), (0, 0, 1, 0), (0, 1, 1, -1)])
def test_a_window_without_a_cell_is_rejected(window):
    with pytest.raises(ValueError, match="window must have a cell, got"):
        draw_number_grid(RAMP, window=window)


def test_a_negative_border_is_rejected():
    with pytest.raises(ValueError, match="border must be at least 0, got -1"):
        draw_number_grid(RAMP, border=-1)
