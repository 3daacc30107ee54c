"""A table of overlaps shows what is settled and what is crossed out."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from notes.figures.iou_table import draw_iou_table
from notes.figures.style import COLORS, INK

IOU = torch.tensor([[0.9, 0.8], [0.6, 0.555], [0.0, 0.1]])


@pytest.fixture
def ax():
    return plt.subplots()[1]


def colors_of(ax):
    return {text.get_text(): text.get_color() for text in ax.texts}


def test_every_number_and_every_name_is_written(ax):
    draw_iou_table(IOU, ax, names=["cat", "dog"])
    shown = [text.get_text() for text in ax.texts]
    numbers = ["0", "0.90", "0.80", "1", "0.60", "0.56", "2", "0.00", "0.10"]
    assert shown == ["cat", "dog", *numbers]
    assert set(colors_of(ax).values()) == {INK}
    assert len(ax.patches) == len(ax.lines) == 0


def test_row_and_column_of_a_settled_pair_are_crossed_out(ax):
    draw_iou_table(IOU, ax, names=["cat", "dog"], served=[(0, 1)])
    colors = colors_of(ax)
    assert [colors[text] for text in ("0.90", "0.56", "0.10")] == [COLORS[5]] * 3
    assert [colors[text] for text in ("0.80", "0.60", "0.00")] == [INK] * 3
    across, *down = ax.lines  # through 0.90; through 0.56 and 0.10
    assert (list(across.get_xdata()), list(across.get_ydata())) == ([-0.5, 0.5], [0, 0])
    assert [list(line.get_xdata()) for line in down] == [[1, 1]] * 2
    assert [list(line.get_ydata()) for line in down] == [[0.5, 1.5], [1.5, 2.5]]


def test_the_threshold_looks_at_all_boxes_again(ax):
    draw_iou_table(IOU, ax, names=["cat", "dog"], served=[(0, 1)], above=[])
    assert [text for text, color in colors_of(ax).items() if color == COLORS[5]] == ["0.90"]


def test_pairs_are_framed_in_the_color_of_their_kind(ax):
    draw_iou_table(IOU, ax, names=["cat", "dog"], served=[(0, 0)], above=[(1, 0)])
    first, second = ax.patches
    assert (to_hex(first.get_edgecolor()), first.get_y()) == (COLORS[1], -0.4)
    assert (to_hex(second.get_edgecolor()), second.get_y()) == (COLORS[0], 0.6)
    assert colors_of(ax)["0.60"] == INK


def test_pairs_may_come_from_anywhere(ax):
    anchors, boxes = torch.tensor([0, 1]), torch.tensor([1, 0])
    draw_iou_table(IOU, ax, served=zip(anchors, boxes, strict=True))
    assert [text for text, color in colors_of(ax).items() if color == COLORS[5]] == [
        "0.90",
        "0.56",
        "0.00",
        "0.10",
    ]
    assert len(ax.patches) == 2


def test_boxes_without_names_have_their_numbers(ax):
    draw_iou_table(IOU, ax)
    assert [text.get_text() for text in ax.texts][:2] == ["0", "1"]


@pytest.mark.parametrize(
    ("iou", "names", "pairs", "message"),
    [
        (torch.zeros(3), ["cat"], [], r"iou must have shape \(A, M\), got \(3,\)"),
        (torch.zeros(0, 1), ["cat"], [], r"iou must not be empty, got shape \(0, 1\)"),
        (IOU.log(), ["cat", "dog"], [], r"iou must be finite, got -inf at index \(2, 0\)"),
        (IOU, ["cat"], [], "names must be as many as boxes, 2, got 1"),
        (IOU, ["cat", "dog"], [(3, 0)], r"pairs must lie inside 3 by 2, got \(3, 0\)"),
        (IOU, ["cat", "dog"], [(0, -1)], r"pairs must lie inside 3 by 2, got \(0, -1\)"),
    ],
)
def test_what_is_no_table_or_no_pair_in_it_is_refused(ax, iou, names, pairs, message):
    with pytest.raises(ValueError, match=message):
        draw_iou_table(iou, ax, names=names, served=pairs)
