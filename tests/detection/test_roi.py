import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.detection.roi import roi_align, roi_pool

RAMP = torch.arange(16.0).reshape(1, 1, 4, 4)
CORNER = torch.tensor([[0.0, 0.0, 2.0, 2.0]])  # three by three pixels for roi_pool
FUNCTIONS = pytest.mark.parametrize("function", [roi_pool, roi_align])


def draw_features(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def draw_boxes(number, *, low=-15.0, high=45.0, seed=0):
    """Boxes of all sizes, some partly or wholly outside an image of 28 x 36 pixels."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(number, 2, 2, generator=generator, dtype=torch.float64)
    corners = corners.sort(dim=1).values * (high - low) + low
    return corners.flatten(start_dim=1)


def test_the_region_of_the_notes_pools_to_their_values():
    assert roi_pool(RAMP, [CORNER], 2).tolist() == [[[[5, 6], [9, 10]]]]


def test_the_output_has_the_same_shape_for_regions_of_all_sizes():
    boxes = torch.tensor([[0.0, 0.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 3.0, 2.0]])
    expected = [[[5, 7], [13, 15]], [[5, 5], [5, 5]], [[9, 11], [9, 11]]]
    assert roi_pool(RAMP, [boxes], 2)[:, 0].tolist() == expected


def test_align_reads_a_ramp_exactly_at_the_centers_of_the_cells():
    # With aligned coordinates the value at (x, y) is 4 (y - 0.5) + x - 0.5.
    box = torch.tensor([[1.0, 1.0, 3.0, 2.0]])
    assert roi_align(RAMP, [box], (1, 2)).tolist() == [[[[5, 6]]]]
    assert roi_align(RAMP, [box], (1, 2), sampling_ratio=1).tolist() == [[[[5, 6]]]]


def test_align_without_the_half_pixel_reads_elsewhere():
    box = torch.tensor([[1.0, 1.0, 3.0, 2.0]])
    assert roi_align(RAMP, [box], (1, 2), aligned=False).tolist() == [[[[7.5, 8.5]]]]


def test_a_shift_by_four_tenths_of_a_pixel_changes_only_align():
    moved = CORNER + 0.4
    assert torch.equal(roi_pool(RAMP, [moved], 2), roi_pool(RAMP, [CORNER], 2))
    whole = torch.tensor([[1.0, 1.0, 3.0, 3.0]])
    difference = roi_align(RAMP, [whole + 0.4], 2) - roi_align(RAMP, [whole], 2)
    torch.testing.assert_close(difference, torch.full((1, 1, 2, 2), 0.4 * 5))


@FUNCTIONS
def test_maps_keep_to_their_own_regions_in_order(function):
    features = draw_features(3, 2, 7, 9)
    boxes = [draw_boxes(number, seed=number) for number in (2, 0, 3)]
    together = function(features, boxes, 3)
    alone = [function(features[[i]], [boxes[i]], 3) for i in range(3)]
    assert together.shape == (5, 2, 3, 3)
    assert torch.equal(together, torch.cat(alone))


@FUNCTIONS
def test_scaling_the_boxes_or_giving_the_scale_is_the_same(function):
    features, boxes = draw_features(1, 2, 7, 9), draw_boxes(4)
    scaled = function(features, [boxes], 2, spatial_scale=0.25)
    assert torch.equal(scaled, function(features, [boxes * 0.25], 2))


@FUNCTIONS
def test_no_regions_give_an_empty_output(function):
    output = function(RAMP.half(), [torch.zeros(0, 4).half()], (2, 3))
    assert (output.shape, output.dtype) == ((0, 1, 2, 3), torch.float16)


@FUNCTIONS
def test_nothing_is_left_on_the_default_device(function):
    expected = function(RAMP, [CORNER], 2)
    with torch.device("meta"):
        assert torch.equal(function(RAMP, [CORNER], 2), expected)


@FUNCTIONS
def test_a_region_far_outside_the_map_is_zero(function):
    assert function(RAMP + 1, [CORNER + 20], 2).count_nonzero() == 0


def test_a_region_without_area_is_a_pixel_to_pool_and_a_point_to_align():
    point = torch.tensor([[1.5, 2.5, 1.5, 2.5]])
    assert roi_align(RAMP, [point], 1, sampling_ratio=1).tolist() == [[[[9]]]]
    assert roi_pool(RAMP, [point], 1).tolist() == [[[[14]]]]  # halves are rounded up


@pytest.mark.parametrize("box", [[1.5, 2.5, 1.5, 2.5], [1.0, 1.0, 1.0, 3.0], [1.0, 2.0, 3.0, 2.0]])
def test_as_many_points_as_pixels_are_none_in_a_region_without_area(box):
    boxes = torch.tensor([box, [0.0, 0.0, 2.0, 2.0]], requires_grad=True)
    output = roi_align(RAMP, [boxes], 2, sampling_ratio=0)
    options = {"sampling_ratio": 0, "aligned": True}
    expected = torchvision.ops.roi_align(RAMP, [boxes.detach()], 2, **options)
    assert output[0].tolist() == [[[0, 0], [0, 0]]]
    assert torch.equal(output, expected)
    output.sum().backward()
    assert boxes.grad.isfinite().all()


@FUNCTIONS
def test_without_regions_there_is_a_gradient_of_zero(function):
    features = RAMP.clone().requires_grad_()
    output = function(features, [torch.zeros(0, 4)], 2)
    assert output.requires_grad
    output.sum().backward()
    assert features.grad.count_nonzero() == 0
    assert features.grad.shape == features.shape


def test_without_regions_align_has_a_gradient_for_the_boxes_too():
    boxes = torch.zeros(0, 4, requires_grad=True)
    roi_align(RAMP, [boxes], 2).sum().backward()
    assert boxes.grad.shape == (0, 4)


@FUNCTIONS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_places_in_half_precision_are_not_rounded_again(function, dtype):
    features = torch.arange(64.0).repeat(8, 1)[None, None]  # each pixel holds its column
    boxes = torch.tensor([[331.0, 8.0, 395.0, 56.0]], dtype=dtype)
    output = function(features.to(dtype), [boxes], 1, spatial_scale=0.125)
    expected = function(features, [boxes.float()], 1, spatial_scale=0.125)
    assert torch.equal(output, expected.to(dtype))


def test_pool_rounds_halves_away_from_zero():
    region = torch.tensor([[-0.5, -0.5, 1.0, 1.0]])  # pixels -1 to 1
    expected = torchvision.ops.roi_pool(-RAMP, [region], 2)
    assert roi_pool(-RAMP, [region], 2).tolist() == expected.tolist() == [[[[0, 0], [0, 0]]]]


def test_align_reads_the_border_up_to_half_a_pixel_outside_the_map():
    places = torch.tensor([-0.6, -0.5, 4.5, 4.6])
    points = places[:, None].expand(4, 4)
    values = roi_align(RAMP + 1, [points], 1, sampling_ratio=1).flatten()
    assert values.tolist() == [0, 1, 16, 0]
    expected = torchvision.ops.roi_align(RAMP + 1, [points], 1, sampling_ratio=1, aligned=True)
    assert torch.equal(values, expected.flatten())


@FUNCTIONS
@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"features": RAMP[0]}, ValueError, r"features must have shape \(B, C, H, W\)"),
        ({"features": RAMP.long()}, TypeError, "features must be a floating-point tensor"),
        ({"features": RAMP / 0}, ValueError, "features must be finite, got nan"),
        ({"features": RAMP[..., :0]}, ValueError, "features must not be empty"),
        ({"boxes": []}, ValueError, "boxes must be 1 tensors, one a map, got 0"),
        ({"boxes": [CORNER[0]]}, ValueError, r"boxes\[0\] must have shape \(N, 4\), got \(4,\)"),
        ({"boxes": [-CORNER]}, ValueError, r"boxes\[0\] must have x1 <= x2 and y1 <= y2"),
        ({"boxes": [CORNER / 0]}, ValueError, r"boxes\[0\] must be finite, got nan"),
        ({"boxes": [CORNER.double()]}, TypeError, r"boxes\[0\] must have the dtype of features"),
        (
            {"boxes": [CORNER.to("meta")]},
            ValueError,
            r"boxes\[0\] must be on the device of features",
        ),
        ({"output_size": 0}, ValueError, "output_size must be at least 1, got 0"),
        ({"spatial_scale": 0.0}, ValueError, "spatial_scale must be greater than 0, got 0.0"),
    ],
)
def test_bad_arguments_are_refused(function, changed, error, message):
    arguments = {"features": RAMP, "boxes": [CORNER], "output_size": 2} | changed
    with pytest.raises(error, match=message):
        function(**arguments)


def test_align_refuses_a_negative_sampling_ratio():
    with pytest.raises(ValueError, match="sampling_ratio must be at least 0, got -1"):
        roi_align(RAMP, [CORNER], 2, sampling_ratio=-1)


@given(seed=st.integers(0, 1000), rows=st.integers(1, 4), columns=st.integers(1, 4))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_pool_agrees_with_torchvision(seed, rows, columns):
    features = draw_features(2, 3, 7, 9, seed=seed)
    boxes = [draw_boxes(3, seed=seed), draw_boxes(2, seed=seed + 1)]
    expected = torchvision.ops.roi_pool(features, boxes, (rows, columns), spatial_scale=0.25)
    assert torch.equal(roi_pool(features, boxes, (rows, columns), spatial_scale=0.25), expected)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2, 3])
@given(seed=st.integers(0, 1000), rows=st.integers(1, 4), columns=st.integers(1, 4))
@settings(max_examples=5, deadline=None, derandomize=True)
def test_align_agrees_with_torchvision(seed, rows, columns, sampling_ratio, aligned):
    features = draw_features(2, 3, 7, 9, seed=seed)
    boxes = [draw_boxes(3, seed=seed), draw_boxes(2, seed=seed + 1)]
    options = {"spatial_scale": 0.25, "sampling_ratio": sampling_ratio, "aligned": aligned}
    expected = torchvision.ops.roi_align(features, boxes, (rows, columns), **options)
    torch.testing.assert_close(roi_align(features, boxes, (rows, columns), **options), expected)


@FUNCTIONS
def test_gradients_of_the_features_are_right(function):
    features = draw_features(2, 2, 5, 6).requires_grad_()
    boxes = [draw_boxes(2, low=-1, high=6), draw_boxes(1, low=-1, high=6, seed=1)]
    assert gradcheck(lambda features: function(features, boxes, 2), features)


def test_gradients_of_the_boxes_are_right_for_align():
    features = draw_features(1, 2, 5, 6)
    boxes = torch.tensor([[0.3, 0.7, 4.1, 3.4]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda boxes: roi_align(features, [boxes], 2), boxes)


def test_a_box_on_pixel_centers_has_a_gradient_as_well():
    box = torch.tensor([[1.0, 1.0, 3.0, 3.0]], requires_grad=True)
    roi_align(RAMP, [box], 1, sampling_ratio=2).sum().backward()
    assert box.grad.tolist() == [[0.5, 2, 0.5, 2]]  # the ramp rises by 1 across and by 4 down


def test_pool_gives_its_gradient_to_the_first_maximum():
    features = torch.ones(1, 1, 4, 4, requires_grad=True)
    roi_pool(features, [CORNER], 1).sum().backward()
    assert features.grad.flatten().tolist() == [1] + [0] * 15
