import pytest
import torch

from notes.detection.ssd import (
    RATIOS,
    SIZES,
    TinySSD,
    base_network,
    box_predictor,
    class_predictor,
    concatenate_predictions,
    flatten_predictions,
    halving_block,
)
from notes.detection.ssd_loss import ssd_loss
from notes.detection.targets import make_targets


def num_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def small(**options):
    """A detector that takes milliseconds."""
    return TinySSD(2, base_channels=(4, 8), channels=8, **options)


def test_prediction_layers_have_the_shapes_of_the_notes():
    assert class_predictor(8, 5, 10)(torch.zeros(2, 8, 20, 20)).shape == (2, 55, 20, 20)
    assert class_predictor(16, 3, 10)(torch.zeros(2, 16, 10, 10)).shape == (2, 33, 10, 10)
    assert box_predictor(8, 5)(torch.zeros(2, 8, 20, 20)).shape == (2, 20, 20, 20)


def test_concatenated_predictions_have_the_length_of_the_notes():
    maps = [torch.zeros(2, 55, 20, 20), torch.zeros(2, 33, 10, 10)]
    assert concatenate_predictions(maps).shape == (2, 25_300)


def test_flattened_predictions_keep_the_values_of_a_cell_together():
    channels, rows, columns = torch.meshgrid(*map(torch.arange, (3, 2, 4)), indexing="ij")
    flat = flatten_predictions((100 * rows + 10 * columns + channels)[None].float())
    assert flat[0, :7].tolist() == [0, 1, 2, 10, 11, 12, 20]
    assert flat[0, -1] == 132


def test_a_halving_block_halves():
    assert halving_block(3, 10)(torch.zeros(2, 3, 20, 20)).shape == (2, 10, 10, 10)


def test_the_base_network_divides_sides_by_eight():
    assert base_network()(torch.zeros(2, 3, 256, 256)).shape == (2, 64, 32, 32)


def test_tiny_ssd_has_the_numbers_of_the_notes():
    model = TinySSD(num_classes=1)
    class_logits, offsets, anchors = model(torch.zeros(2, 3, 256, 256))
    assert num_parameters(model) == 1_010_376
    assert class_logits.shape == (2, 5444, 2)
    assert offsets.flatten(1).shape == (2, 21_776)
    assert anchors.shape == (5444, 4)
    assert [layer.out_channels for layer in model.class_predictors] == [8] * 5
    assert [layer.out_channels for layer in model.box_predictors] == [16] * 5


def test_maps_shrink_as_in_the_notes():
    shapes, features = [], torch.zeros(1, 3, 256, 256)
    for stage in TinySSD(num_classes=1).stages:
        features = stage(features)
        shapes.append(tuple(features.shape[1:]))
    assert shapes == [(64, 32, 32), (128, 16, 16), (128, 8, 8), (128, 4, 4), (128, 1, 1)]


def test_the_sizes_grow_from_a_fifth_in_steps_of_017():
    for number, (smaller, larger) in enumerate(SIZES):
        low = 0.2 + 0.17 * number
        assert smaller == pytest.approx(low)
        assert larger == pytest.approx((low * (low + 0.17)) ** 0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("height", "width", "num_anchors"), [(300, 300, 7164), (64, 64, 344), (96, 160, 1272)]
)
def test_other_image_sizes_work(height, width, num_anchors):
    model = TinySSD(2, base_channels=(2, 2, 2), channels=2)
    class_logits, offsets, anchors = model(torch.zeros(1, 3, height, width))
    assert class_logits.shape == (1, num_anchors, 3)
    assert offsets.shape == (1, num_anchors, 4)
    assert anchors.shape == (num_anchors, 4)


@pytest.mark.parametrize(
    "options",
    [
        {"ratios": (1.0,)},
        {"ratios": (1.0, 2.0, 0.5, 3.0)},
        {"sizes": ((0.2,), (0.4, 0.5, 0.6), (0.8, 0.9))},
    ],
)
def test_the_prediction_layers_follow_sizes_and_ratios(options):
    class_logits, offsets, anchors = small(**options)(torch.zeros(1, 3, 64, 64))
    assert class_logits.shape[1] == offsets.shape[1] == len(anchors)


def test_a_logit_belongs_to_the_anchor_of_its_place():
    """One cell of a map of 4x4 is lit, and the logits are the light of their cell."""
    model = TinySSD(2, base_channels=(3,), channels=8, sizes=((0.2, 0.3), (0.4,), (0.9,)))
    model.stages[0] = torch.nn.MaxPool2d(16)
    with torch.no_grad():
        for parameter in model.class_predictors.parameters():
            parameter.zero_()
        model.class_predictors[0].weight[:, 0, 1, 1] = 1.0  # the middle of the kernel
    images = torch.zeros(1, 3, 64, 64)
    images[:, :, 16:32, 32:48] = 1.0  # row 1, column 2
    class_logits, _, anchors = model(images)
    lit = anchors[(class_logits[0] > 0).any(dim=1)]
    assert len(lit) == 4
    centers = (lit[:, :2] + lit[:, 2:]) / 2
    torch.testing.assert_close(centers, torch.tensor([[0.625, 0.375]]).expand(4, 2))


def test_the_same_images_give_the_same_predictions_whatever_else_is_in_the_batch():
    model = small().eval()
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    together, alone = model(images), model(images[1:2])
    torch.testing.assert_close(together.class_logits[1:2], alone.class_logits)
    torch.testing.assert_close(together.offsets[1:2], alone.offsets)
    assert torch.equal(together.anchors, alone.anchors)


@pytest.mark.parametrize(
    ("dtype", "expected"), [(torch.float64, torch.float64), (torch.bfloat16, torch.float32)]
)
def test_anchors_are_never_in_half_precision(dtype, expected):
    predictions = small().to(dtype)(torch.zeros(1, 3, 64, 64, dtype=dtype))
    assert predictions.class_logits.dtype == dtype
    assert predictions.anchors.dtype == expected


def test_tiny_ssd_memorizes_one_batch():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 64, 64)
    labels = torch.tensor([[[0.0, 0.1, 0.1, 0.4, 0.4]], [[1.0, 0.5, 0.4, 0.9, 0.9]]])
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        class_logits, offsets, anchors = model(images)
        loss = ssd_loss(class_logits, offsets, make_targets(anchors, labels)).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.5


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 64, 64), r"images must have shape \(B, 3, H, W\), got \(3, 64, 64\)"),
        (torch.zeros(1, 1, 64, 64), r"images must have shape \(B, 3, H, W\), got \(1, 1, 64, 64\)"),
        (
            torch.zeros(1, 3, 64, 31),
            r"images must have sides of at least 32 pixels, got \(64, 31\)",
        ),
    ],
)
def test_images_that_do_not_fit_are_rejected(images, message):
    with pytest.raises(ValueError, match=message):
        small()(images)


def test_the_smallest_image_fits():
    assert small()(torch.zeros(1, 3, 32, 32)).offsets.isfinite().all()


def test_images_of_bytes_are_rejected():
    with pytest.raises(
        TypeError, match=r"images must be a floating-point tensor, got torch\.uint8"
    ):
        small()(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: class_predictor(0, 4, 1), "in_channels must be greater than 0, got 0"),
        (lambda: class_predictor(8, 0, 1), "num_anchors must be greater than 0, got 0"),
        (lambda: box_predictor(8, -1), "num_anchors must be greater than 0, got -1"),
        (lambda: TinySSD(0), "num_classes must be greater than 0, got 0"),
        (lambda: TinySSD(1, sizes=[(0.2,)]), "sizes must have an entry for each of 2 maps or more"),
        (lambda: TinySSD(1, sizes=[(0.2,), ()]), "sizes must hold at least one number, got none"),
        (lambda: TinySSD(1, ratios=()), "ratios must hold at least one number, got none"),
        (lambda: TinySSD(1, ratios=(1, -2)), "ratios must be .*-2"),
        (lambda: TinySSD(1, base_channels=()), "channels must have at least one entry, got none"),
        (lambda: halving_block(3, 0), "out_channels must be greater than 0, got 0"),
        (lambda: base_network(3, ()), "channels must have at least one entry, got none"),
        (lambda: concatenate_predictions([]), "predictions must hold at least one map, got none"),
        (lambda: flatten_predictions(torch.zeros(2, 3)), r"predictions must have shape \(B, C, H"),
    ],
)
def test_what_cannot_be_built_is_rejected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_ratios_are_those_of_the_notes():
    assert RATIOS == (1, 2, 0.5)
