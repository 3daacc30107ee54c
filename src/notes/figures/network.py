"""Draw a network from its summary: one block for each layer, as tall as its maps are high.

The height of a block is the side of the maps and its width the number of channels, both on a
logarithmic scale, so that a layer with 4,096 features fits beside one with 6 channels. Activations,
dropout and normalization, which keep shape and channels, are left out.
"""

import math

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from notes.figures.style import COLORS
from notes.inspect import Layer, Summary

GROUPS = ("convolution", "pooling", "dense", "other")
GAP = 0.5  # between two blocks, in units of the drawing


def draw_network(summary: Summary, ax: Axes | None = None) -> Axes:
    """Draw the layers of a model from left to right, in the order in which they ran.

    Under each block stands its number of channels or features, above it the side of its maps.

    Args:
        summary: What `summarize` returns.
        ax: Where to draw; a new figure if not given.

    Raises:
        ValueError: If the summary has no layer to draw.

    Examples:
        >>> from torch import nn
        >>> from notes.inspect import summarize
        >>> ax = draw_network(summarize(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU()), (1, 28, 28)))
        >>> [text.get_text() for text in ax.texts]
        ['6', '24']

    Explained in:
        [Looking inside a network][looking-inside-a-network]
    """
    layers = [layer for layer in summary.layers if _is_drawn(layer)]
    if not layers:
        raise ValueError("summary must hold a layer with weights or pooling, got none")
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 2.6))
    x, used = 0.0, set()
    for layer in layers:
        group = _group(layer)
        channels, side = _channels_and_side(layer)
        width, height = 0.3 + 0.12 * math.log2(max(channels, 1)), _height(side)
        color = COLORS[GROUPS.index(group)]
        ax.add_patch(Rectangle((x, -height / 2), width, height, color=color, linewidth=0))
        middle = x + width / 2
        ax.text(middle, -height / 2 - 0.15, f"{channels:,}", ha="center", va="top", fontsize=9)
        if side > 1:
            ax.text(middle, height / 2 + 0.1, str(side), ha="center", va="bottom", fontsize=9)
        x += width + GAP
        used.add(group)
    highest = max(_height(_channels_and_side(layer)[1]) for layer in layers)
    ax.set(xlim=(-GAP, x), ylim=(-highest / 2 - 0.9, highest / 2 + 0.7))
    ax.set_axis_off()
    shown = [Patch(color=c, label=g) for c, g in zip(COLORS, GROUPS, strict=False) if g in used]
    ax.legend(handles=shown, ncols=len(shown), loc="upper right", fontsize=9)
    return ax


def _is_drawn(layer: Layer) -> bool:
    has_weights = layer.num_parameters > 0 and "Norm" not in layer.kind
    return len(layer.output_shape) > 1 and (_group(layer) != "other" or has_weights)


def _group(layer: Layer) -> str:
    if "Conv" in layer.kind:
        return "convolution"
    if "Pool" in layer.kind:
        return "pooling"
    return "dense" if layer.kind == "Linear" else "other"


def _channels_and_side(layer: Layer) -> tuple[int, int]:
    shape = layer.output_shape
    if len(shape) == 4 or (len(shape) > 2 and _group(layer) in ("convolution", "pooling")):
        return shape[1], max(shape[2:])
    return shape[-1], 1  # the last dimension of dense and recurrent layers is their features


def _height(side: int) -> float:
    return 0.4 + 0.5 * math.log2(max(side, 1))
