import copy
import warnings
from collections import OrderedDict

import pytest
import torch
from torch import nn

from notes.models.classifier import ImageClassifier


def chain(image_size=None):
    layers = OrderedDict(
        conv=nn.Conv2d(1, 2, 5),
        pool=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        output=nn.Linear(2 * 4 * 4, 3),
    )
    return ImageClassifier(layers, name="Tiny", image_size=image_size)


def test_it_runs_its_layers_one_after_the_other():
    model, images = chain(), torch.rand(2, 1, 12, 12)
    expected = model.output(model.flatten(model.pool(model.conv(images))))
    assert torch.equal(model(images), expected)


def test_it_is_a_sequential_that_can_be_read_layer_by_layer():
    model = chain()
    assert [name for name, _ in model.named_children()] == ["conv", "pool", "flatten", "output"]
    assert model[0] is model.conv
    assert len(list(model)) == 4


def test_every_size_that_leads_to_the_same_maps_is_taken():
    model = chain(image_size=12)
    assert model(torch.rand(2, 1, 13, 12)).shape == (2, 3)


def test_a_slice_may_start_in_the_middle():
    model = chain(image_size=12)
    assert model[2:](torch.rand(5, 2, 4, 4)).shape == (5, 3)
    assert model[:2](torch.rand(5, 1, 20, 20)).shape == (5, 2, 8, 8)


def test_an_empty_batch_gives_no_logits():
    assert chain()(torch.zeros(0, 1, 12, 12)).shape == (0, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 1, 3, 9), "images must be at least 6 x 6 for Tiny, got 3 x 9: the first convolution"),
        ((2, 1, 5, 9), "images must be at least 6 x 6 for Tiny, got 5 x 9: the first max pooling"),
        (
            (2, 1, 12, 20),
            "images must be 12 x 12 for Tiny, got 12 x 20: the first dense layer takes maps of "
            "4 x 4, not 4 x 8",
        ),
        ((1, 12, 12), r"images must have shape \(B, 1, H, W\), got \(1, 12, 12\)"),
        ((2, 3, 12, 12), r"images must have shape \(B, 1, H, W\), got \(2, 3, 12, 12\)"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        chain(image_size=12)(torch.zeros(shape))


def test_a_copy_with_loaded_weights_computes_the_same(tmp_path):
    model, clone = chain(), chain()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    clone.load_state_dict(torch.load(tmp_path / "weights.pt"))
    images = torch.rand(2, 1, 12, 12)
    assert torch.equal(model(images), clone(images))
    assert torch.equal(model(images), copy.deepcopy(model)(images))


def test_it_can_be_compiled_and_exported_without_a_break():
    model, images = chain(image_size=12).eval(), torch.rand(2, 1, 12, 12)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert torch.equal(compiled(images), model(images))
    exported = torch.export.export(model, (images,)).module()
    assert torch.equal(exported(images), model(images))


def test_tensorboard_can_trace_it():
    model, images = chain(image_size=12).eval(), torch.rand(2, 1, 12, 12)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", category=FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", category=DeprecationWarning)
        traced = torch.jit.trace(model, images)
    assert torch.equal(traced(images), model(images))
