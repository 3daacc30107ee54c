import pytest
import torch
from torch.nn import functional as F

from notes.inspect import summarize
from notes.models.mnist import (
    InceptionA,
    PlainResidualBlock,
    mnist_cnn,
    mnist_inception,
    mnist_resnet,
)

NETWORKS = pytest.mark.parametrize("build", [mnist_cnn, mnist_inception, mnist_resnet])


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (
            mnist_cnn,
            {
                "conv1": (10, 24, 24),
                "pool1": (10, 12, 12),
                "relu1": (10, 12, 12),
                "conv2": (20, 8, 8),
                "pool2": (20, 4, 4),
                "relu2": (20, 4, 4),
                "flatten": (320,),
                "output": (10,),
            },
        ),
        (
            mnist_inception,
            {
                "conv1": (10, 24, 24),
                "pool1": (10, 12, 12),
                "relu1": (10, 12, 12),
                "inception1": (88, 12, 12),
                "conv2": (20, 8, 8),
                "pool2": (20, 4, 4),
                "relu2": (20, 4, 4),
                "inception2": (88, 4, 4),
                "flatten": (1408,),
                "output": (10,),
            },
        ),
        (
            mnist_resnet,
            {
                "conv1": (16, 24, 24),
                "relu1": (16, 24, 24),
                "pool1": (16, 12, 12),
                "residual1": (16, 12, 12),
                "conv2": (32, 8, 8),
                "relu2": (32, 8, 8),
                "pool2": (32, 4, 4),
                "residual2": (32, 4, 4),
                "flatten": (512,),
                "output": (10,),
            },
        ),
    ],
)
def test_the_shapes_are_those_of_the_notes(build, shapes):
    x, found = torch.zeros(1, 1, 28, 28), {}
    for name, layer in build().named_children():
        x = layer(x)
        found[name] = tuple(x.shape[1:])
    assert found == shapes


@pytest.mark.parametrize(
    ("build", "per_child"),
    [
        (mnist_cnn, {"conv1": 260, "conv2": 5_020, "output": 3_210}),
        (
            mnist_inception,
            {
                "conv1": 260,
                "inception1": 19_104,
                "conv2": 44_020,
                "inception2": 19_824,
                "output": 14_090,
            },
        ),
        (
            mnist_resnet,
            {
                "conv1": 416,
                "residual1": 4_640,
                "conv2": 12_832,
                "residual2": 18_496,
                "output": 5_130,
            },
        ),
    ],
)
def test_the_parameters_are_those_of_the_notes(build, per_child):
    counts = {
        name: sum(p.numel() for p in child.parameters()) for name, child in build().named_children()
    }
    assert {name: number for name, number in counts.items() if number} == per_child


def test_the_chain_costs_what_was_counted_by_hand():
    cost = 10 * 25 * 24 * 24 + 20 * 250 * 8 * 8 + 320 * 10
    assert summarize(mnist_cnn(), (1, 28, 28)).multiply_adds == cost


def test_an_inception_block_joins_four_paths_along_the_channels():
    torch.manual_seed(0)
    block, x = InceptionA(3), torch.randn(2, 3, 6, 7)
    pooled = block.path_pool[1](F.avg_pool2d(x, 3, stride=1, padding=1))
    paths = [block.path1x1(x), block.path5x5(x), block.path3x3(x), pooled]
    assert [path.shape[1] for path in paths] == [16, 24, 24, 24]
    torch.testing.assert_close(block(x), torch.cat(paths, dim=1))


def test_a_residual_block_without_weights_is_a_relu():
    block, x = PlainResidualBlock(4), torch.randn(2, 4, 6, 7)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
    assert torch.equal(block(x), F.relu(x))


@NETWORKS
def test_channels_and_classes_can_be_chosen(build):
    assert build(3, 7)(torch.zeros(2, 3, 28, 28)).shape == (2, 7)


@NETWORKS
def test_it_memorizes_one_batch(memorizes, labels, build):
    assert memorizes(build(), torch.randn(8, 1, 28, 28), labels, lr=1e-3)


@NETWORKS
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10), "in_channels must be at least 1, got 0"),
        ((1, 0), "num_classes must be at least 1, got 0"),
    ],
)
def test_it_refuses_what_it_cannot_build(build, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(*arguments)


@NETWORKS
@pytest.mark.parametrize(
    ("side", "message"),
    [
        (32, "images must be 28 x 28 for the MNIST .*, got 32 x 32: .* maps of 4 x 4, not 5 x 5"),
        (15, "images must be at least 16 x 16 for the MNIST .*, got 15 x 15: the second max pool"),
    ],
)
def test_images_of_another_size_are_refused(build, side, message):
    with pytest.raises(ValueError, match=message):
        build()(torch.zeros(1, 1, side, side))
