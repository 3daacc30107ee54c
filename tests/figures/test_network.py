import itertools

import pytest
import torch
from matplotlib.colors import to_hex
from torch import nn

from notes.figures.network import draw_network
from notes.figures.style import COLORS
from notes.inspect import Layer, Summary, summarize
from notes.models.lenet import lenet


def blocks(ax):
    return sorted(ax.patches, key=lambda patch: patch.get_x())


def test_lenet_has_seven_blocks_with_its_channels_and_sides():
    ax = draw_network(summarize(lenet(), (1, 28, 28)))
    assert len(blocks(ax)) == 7
    texts = [text.get_text() for text in ax.texts]
    assert [t for t in texts if t in {"28", "14", "10", "5"}] == ["28", "14", "10", "5", "10"]
    assert texts[-3:] == ["120", "84", "10"]


def test_each_kind_has_its_color_and_the_legend_names_what_is_there():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 2))
    ax = draw_network(summarize(model, (1, 5, 5)))
    assert [to_hex(block.get_facecolor()) for block in blocks(ax)] == [COLORS[0], COLORS[2]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["convolution", "dense"]


def test_larger_maps_are_higher_and_more_channels_are_wider():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, stride=2, padding=1))
    first, second = blocks(draw_network(summarize(model, (1, 16, 16))))
    assert first.get_height() > second.get_height()
    assert first.get_width() < second.get_width()


def test_blocks_do_not_overlap():
    drawn = blocks(draw_network(summarize(lenet(), (1, 28, 28))))
    for left, right in itertools.pairwise(drawn):
        assert left.get_x() + left.get_width() < right.get_x()


def test_a_recurrent_layer_is_drawn_and_normalization_is_not():
    recurrent = summarize(nn.LSTM(3, 4, batch_first=True), (7, 3))
    assert len(blocks(draw_network(recurrent))) == 1
    normalized = summarize(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), (2,))
    assert len(blocks(draw_network(normalized))) == 1


def test_a_model_with_nothing_to_draw_is_rejected():
    with torch.no_grad(), pytest.raises(ValueError, match="summary must hold a layer with weights"):
        draw_network(summarize(nn.ReLU(), (2,)))


@pytest.mark.parametrize(
    ("layer", "shape", "texts"),
    [
        (nn.Conv1d(2, 8, 3), (2, 20), ["8", "18"]),
        (nn.Conv3d(2, 8, 3), (2, 5, 9, 7), ["8", "7"]),
        (nn.AvgPool1d(2), (3, 10), ["3", "5"]),
        (nn.Linear(6, 4), (10, 6), ["4"]),
        (nn.LSTM(3, 4, batch_first=True), (7, 3), ["4"]),
    ],
    ids=["sequence", "volume", "pooled sequence", "dense along a sequence", "recurrent"],
)
def test_channels_and_side_are_right_in_every_number_of_dimensions(layer, shape, texts):
    ax = draw_network(summarize(layer, shape))
    assert [text.get_text() for text in ax.texts] == texts


def test_a_layer_that_puts_out_nothing_is_drawn_with_its_zero():
    layers = (Layer("0", "Conv2d", (1, 0, 4, 4), 0, 0), Layer("1", "Linear", (1, 2), 2, 2))
    ax = draw_network(Summary(layers))
    assert [text.get_text() for text in ax.texts] == ["0", "4", "2"]
