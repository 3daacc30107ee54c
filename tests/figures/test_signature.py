"""All drawings are called alike, and open a figure only if they can draw on it."""

import importlib
import inspect
import io
import pkgutil

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.axes import Axes
from torch import nn

import notes.figures
from notes.inspect import Summary, summarize

BOXES = torch.tensor([[0.1, 0.2, 0.5, 0.6], [0.3, 0.0, 0.9, 0.5]])
DRAWINGS = {
    name: function
    for module in pkgutil.iter_modules(notes.figures.__path__, "notes.figures.")
    for name, function in vars(importlib.import_module(module.name)).items()
    if name.startswith("draw_") and function.__module__ == module.name
}
DRAWN = {
    "draw_boxes": BOXES,
    "draw_history": {"train_loss": [2.0, 1.0], "val_loss": [2.0, 1.5]},
    "draw_image": torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0)),
    "draw_images": torch.rand(5, 3, 4, 6, generator=torch.Generator().manual_seed(0)),
    "draw_iou_table": torch.tensor([[0.9, 0.1], [0.2, 0.5]]),
    "draw_network": summarize(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), (1, 5, 5)),
    "draw_number_grid": torch.arange(6.0).reshape(2, 3),
}
TENSORS = sorted(name for name in DRAWN if isinstance(DRAWN[name], torch.Tensor))
REFUSED = [
    ("draw_boxes", BOXES, {"labels": ["one"]}),
    ("draw_boxes", BOXES, {"colors": "no color"}),
    ("draw_boxes", BOXES, {"linestyle": "no style"}),
    ("draw_boxes", BOXES, {"linewidth": 0}),
    ("draw_boxes", BOXES.flip(1), {}),
    ("draw_history", {"train_loss": []}, {}),
    ("draw_history", {"train_loss": [1.0]}, {"quantity": "accuracy"}),
    ("draw_image", torch.rand(4, 6), {}),
    ("draw_image", torch.full((1, 4, 6), 2.0), {}),
    ("draw_images", torch.rand(0, 4, 6), {}),
    ("draw_images", torch.rand(2, 4, 6), {"titles": ["one"]}),
    ("draw_images", torch.rand(2, 4, 6), {"columns": 0}),
    ("draw_images", torch.rand(2, 4, 6), {"limits": (1.0, 0.0)}),
    ("draw_iou_table", torch.rand(2), {}),
    ("draw_iou_table", torch.rand(2, 2), {"served": [(2, 0)]}),
    ("draw_network", Summary(()), {}),
    ("draw_number_grid", torch.rand(2), {}),
    ("draw_number_grid", torch.rand(2, 2), {"window": (0, 0, 3, 1)}),
]


def test_every_drawing_is_tried_here():
    assert set(DRAWINGS) == set(DRAWN)


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_first_comes_what_to_draw_then_the_axes_then_named_options(draw):
    signature = inspect.signature(draw)
    what, ax, *options = signature.parameters.values()
    assert what.default is what.empty
    assert (ax.name, ax.default, ax.annotation) == ("ax", None, Axes | None)
    assert {parameter.kind for parameter in (what, ax)} == {what.POSITIONAL_OR_KEYWORD}
    assert all(option.kind == option.KEYWORD_ONLY for option in options)
    assert all(option.default is not option.empty for option in options)
    assert signature.return_annotation is Axes


@pytest.mark.parametrize("name", DRAWN)
def test_without_axes_one_figure_is_opened_and_its_axes_come_back(name):
    ax = DRAWINGS[name](DRAWN[name])
    assert plt.get_fignums() == [ax.figure.number]
    assert ax.figure.axes == [ax]
    for _ in range(2):  # the second time matplotlib may have changed its mind about the layout
        ax.figure.savefig(io.BytesIO())


@pytest.mark.parametrize("name", DRAWN)
def test_given_axes_are_drawn_on_and_come_back(name):
    figure, (left, right) = plt.subplots(1, 2)
    assert DRAWINGS[name](DRAWN[name], right) is right
    assert plt.get_fignums() == [figure.number]
    assert not left.has_data()
    assert not left.texts
    figure.canvas.draw()


@pytest.mark.parametrize(("name", "what", "options"), REFUSED)
def test_what_is_refused_leaves_no_figure_and_nothing_on_given_axes(name, what, options):
    with pytest.raises(ValueError, match=r"must|Invalid|Unrecognized"):
        DRAWINGS[name](what, **options)
    assert plt.get_fignums() == []
    _, ax = plt.subplots()
    before = len(ax.get_children())
    with pytest.raises(ValueError, match=r"must|Invalid|Unrecognized"):
        DRAWINGS[name](what, ax, **options)
    assert len(ax.get_children()) == before


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_precision_can_be_drawn(name, dtype):
    DRAWINGS[name](DRAWN[name].to(dtype)).figure.canvas.draw()


@pytest.mark.parametrize("name", TENSORS)
def test_bytes_can_be_drawn(name):
    DRAWINGS[name](DRAWN[name].round().to(torch.uint8)).figure.canvas.draw()


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_with_a_gradient_is_drawn_and_stays_as_it_was(name):
    before = DRAWN[name].clone()
    tensor = DRAWN[name].clone().requires_grad_()
    DRAWINGS[name](tensor).figure.canvas.draw()
    assert torch.equal(tensor, before)
    assert tensor.requires_grad
    assert tensor.grad is None


@pytest.mark.parametrize("name", TENSORS)
def test_what_is_no_tensor_is_refused_by_its_name(name):
    with pytest.raises(TypeError, match="must be a tensor, got list"):
        DRAWINGS[name](DRAWN[name].tolist())
