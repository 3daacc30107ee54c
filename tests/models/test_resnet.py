import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet18 as torchvision_resnet18

from notes.inspect import summarize
from notes.models.resnet import ResidualBlock, ZeroPaddedShortcut, cifar_resnet, resnet18


def on_meta(build, *arguments, **options):
    with torch.device("meta"):
        return build(*arguments, **options)


def test_a_padded_shortcut_keeps_every_second_pixel_and_adds_channels_of_zeros():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    y = ZeroPaddedShortcut(new_channels=3, stride=2)(x)
    assert y[0].tolist() == [
        [[0, 0], [0, 0]],
        [[0, 2], [8, 10]],
        [[0, 0], [0, 0]],
        [[0, 0], [0, 0]],
    ]


@pytest.mark.parametrize(
    ("out_channels", "stride", "expected"), [(3, 1, (4, 3, 6, 6)), (6, 2, (4, 6, 3, 3))]
)
@pytest.mark.parametrize("shortcut", ["projection", "padding"])
def test_a_block_has_the_shapes_of_the_notes(out_channels, stride, shortcut, expected):
    block = ResidualBlock(3, out_channels, stride, shortcut=shortcut)
    assert block(torch.rand(4, 3, 6, 6)).shape == expected


def test_a_block_that_learned_nothing_passes_its_input_on():
    block, x = ResidualBlock(3, 3), torch.rand(4, 3, 6, 6)
    nn.init.zeros_(block.norm2.weight)
    assert torch.equal(block(x), x)


def test_a_block_adds_the_shortcut_before_the_last_relu():
    torch.manual_seed(0)
    block, x = ResidualBlock(3, 6, stride=2).eval(), torch.randn(4, 3, 6, 6)
    y = block.norm2(block.conv2(F.relu(block.norm1(block.conv1(x)))))
    expected = F.relu(y + F.conv2d(x, block.shortcut.weight, block.shortcut.bias, stride=2))
    torch.testing.assert_close(block(x), expected)


def test_resnet18_has_the_shapes_of_the_notes():
    model, x = on_meta(resnet18), torch.zeros(1, 1, 224, 224, device="meta")
    shapes = []
    for stage in model:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    maps = [(64, 56, 56), (64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7), (512, 1, 1)]
    assert shapes == [*maps, (512,), (10,)]


def test_resnet18_has_the_parameters_of_the_notes():
    assert sum(p.numel() for p in on_meta(resnet18).parameters()) == 11_178_378


def test_resnet18_counts_the_layers_with_weights_without_the_shortcuts():
    layers = on_meta(resnet18).named_modules()
    weighted = [
        name
        for name, layer in layers
        if isinstance(layer, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(weighted) == 18


def test_resnet18_is_torchvisions_when_its_normalized_shortcuts_are_folded_into_one_layer():
    torch.manual_seed(0)
    theirs, ours = torchvision_resnet18(num_classes=10).eval(), resnet18(in_channels=3).eval()
    nn.init.normal_(theirs.layer2[0].downsample[1].running_mean)
    copy(theirs.conv1, ours.stem[0])
    copy(theirs.bn1, ours.stem[1])
    copy(theirs.fc, ours.output)
    their_stages = [theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4]
    our_stages = [ours.stage1, ours.stage2, ours.stage3, ours.stage4]
    for their_stage, our_stage in zip(their_stages, our_stages, strict=True):
        for their_block, our_block in zip(their_stage, our_stage, strict=True):
            copy(their_block.conv1, our_block.conv1)
            copy(their_block.bn1, our_block.norm1)
            copy(their_block.conv2, our_block.conv2)
            copy(their_block.bn2, our_block.norm2)
            if their_block.downsample is not None:
                fused = nn.utils.fuse_conv_bn_eval(*their_block.downsample)
                copy(fused, our_block.shortcut)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-5)


def copy(source, target):
    nn.init.zeros_(target.bias)  # torchvision's convolutions have none
    target.load_state_dict({**target.state_dict(), **source.state_dict()})


@pytest.mark.parametrize(
    ("depth", "millions"),
    [(20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.73")],
)
def test_the_cifar_family_has_the_sizes_of_the_paper(depth, millions):
    model = on_meta(cifar_resnet, depth)
    assert f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}" == millions
    weighted = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


def test_cifar_resnet_20_has_the_documented_number_of_parameters():
    assert summarize(on_meta(cifar_resnet, 20), (3, 32, 32)).num_parameters == 269_722


def test_the_cifar_stages_halve_the_maps_and_double_the_channels():
    model, x = on_meta(cifar_resnet, 8), torch.zeros(1, 3, 32, 32, device="meta")
    shapes = []
    for stage in model[:4]:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8)]


def test_one_small_image_is_not_enough_to_train_resnet18():
    model = resnet18(width=0.05)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        model(torch.zeros(1, 1, 32, 32))
    assert model(torch.zeros(1, 1, 33, 33)).shape == (1, 10)
    assert model.eval()(torch.zeros(1, 1, 32, 32)).shape == (1, 10)


@pytest.mark.parametrize("build", [resnet18, cifar_resnet])
def test_channels_classes_and_width_can_be_chosen(build):
    model = on_meta(build, in_channels=2, num_classes=7, width=0.5)
    assert model(torch.zeros(2, 2, 32, 32, device="meta")).shape == (2, 7)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: resnet18(3, width=0.125), id="ResNet-18"),
        pytest.param(lambda: cifar_resnet(8, width=0.5), id="ResNet-8"),
    ],
)
def test_it_memorizes_one_batch(memorizes, labels, model):
    images = torch.randn(8, 3, 32, 32)
    assert memorizes(model(), images, labels)


@pytest.mark.parametrize("build", [resnet18, cifar_resnet])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"width": 0}, "width must be greater than 0, got 0"),
    ],
)
def test_it_refuses_what_it_cannot_build(build, options, message):
    with pytest.raises(ValueError, match=message):
        on_meta(build, **options)


@pytest.mark.parametrize("depth", [2, 18, 21, -4])
def test_a_depth_outside_the_family_is_refused(depth):
    with pytest.raises(
        ValueError, match=rf"depth must be (6 n \+ 2 with a whole n|at least 8), got {depth}"
    ):
        cifar_resnet(depth)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shortcut": "none"}, "shortcut must be 'projection' or 'padding', got 'none'"),
        ({"shortcut": "padding"}, "out_channels must be at least 8, got 4"),
    ],
)
def test_a_shortcut_that_cannot_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ResidualBlock(8, 4, **options)
