import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.detection.yolo_grid import decode_cells, make_grid_targets

PADDING = [-1.0] * 5
RIGHT = [2.0, 0.5, 0.0, 1.0, 0.5]  # its center is (0.75, 0.25)
BELOW = [1.0, 0.2, 0.6, 0.6, 0.8]  # its center is (0.4, 0.7)


def draw_labels(num_images, num_objects, seed):
    """Boxes that keep to the image, with random padding rows between them."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(num_images, num_objects, 2, 2, generator=generator, dtype=torch.float64)
    boxes = corners.sort(dim=2).values.flatten(start_dim=2)
    classes = torch.randint(-1, 3, (num_images, num_objects, 1), generator=generator)
    return torch.where(classes < 0, -1, torch.cat([classes.double(), boxes], dim=2))


def test_an_object_goes_to_the_cell_of_its_center():
    targets = make_grid_targets(torch.tensor([[RIGHT, BELOW]]), grid_size=2)
    assert targets.classes.tolist() == [[[-1, 2], [1, -1]]]
    assert targets.boxes[0, 0, 1].tolist() == RIGHT[1:]
    torch.testing.assert_close(
        targets.coordinates[0, 1, 0], torch.tensor([0.8, 0.4, 0.4**0.5, 0.2**0.5])
    )


def test_the_grid_may_have_more_columns_than_rows():
    targets = make_grid_targets(torch.tensor([[RIGHT, BELOW]]), grid_size=(1, 4))
    assert targets.classes.tolist() == [[[-1, 1, -1, 2]]]
    assert targets.coordinates[0, 0, 3, :2].tolist() == [0, 0.25]


def test_the_same_coordinates_decode_to_the_box():
    coordinates = torch.tensor([0.8, 0.4, 0.4**0.5, 0.2**0.5]).expand(1, 2, 2, 1, 4)
    torch.testing.assert_close(decode_cells(coordinates)[0, 1, 0, 0], torch.tensor(BELOW[1:]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_cells_in_half_precision_are_decoded_in_float32(dtype):
    coordinates = torch.rand(1, 50, 50, 1, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    boxes = decode_cells(coordinates)
    assert torch.equal(boxes, decode_cells(coordinates.float()).to(dtype))


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 9), columns=st.integers(1, 9))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_decoding_undoes_encoding(seed, rows, columns):
    targets = make_grid_targets(draw_labels(3, 4, seed), (rows, columns))
    cells = targets.classes >= 0
    assert targets.coordinates.min() >= 0
    assert targets.coordinates.max() <= 1
    decoded = decode_cells(targets.coordinates[:, :, :, None])[:, :, :, 0]
    torch.testing.assert_close(decoded[cells], targets.boxes[cells])


@given(seed=st.integers(0, 10**6), size=st.integers(1, 9))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_targets_agree_with_a_loop(seed, size):
    labels = draw_labels(3, 4, seed)
    expected = torch.full((3, size, size), -1)
    for image, rows in enumerate(labels.tolist()):
        for label, x1, y1, x2, y2 in rows:
            row, column = int((y1 + y2) / 2 * size), int((x1 + x2) / 2 * size)
            if label >= 0 and expected[image, row, column] < 0:
                expected[image, row, column] = int(label)
    assert torch.equal(make_grid_targets(labels, size).classes, expected)


def test_the_first_of_two_objects_in_a_cell_gets_it():
    labels = torch.tensor([[PADDING, RIGHT, BELOW]])
    assert make_grid_targets(labels, grid_size=1).classes.tolist() == [[[2]]]
    assert make_grid_targets(labels.flip(1), grid_size=1).boxes.flatten().tolist() == (
        torch.tensor(BELOW[1:]).tolist()
    )


def test_padding_fills_no_cell():
    targets = make_grid_targets(torch.tensor([[PADDING, PADDING], [RIGHT, PADDING]]), grid_size=4)
    assert (targets.classes >= 0).sum(dim=(1, 2)).tolist() == [0, 1]
    assert targets.boxes[0].count_nonzero() == targets.coordinates[0].count_nonzero() == 0


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 0, 5)])
def test_no_images_or_no_objects_give_empty_cells(shape):
    targets = make_grid_targets(torch.zeros(shape), grid_size=2)
    assert targets.coordinates.shape == (shape[0], 2, 2, 4)
    assert (targets.classes == -1).all()


def test_a_center_on_the_last_edge_belongs_to_the_last_cell():
    labels = torch.tensor([[[0.0, 1.0, 1.0, 1.0, 1.0]]])
    targets = make_grid_targets(labels, grid_size=3)
    assert targets.classes[0, 2, 2] == 0
    assert targets.coordinates[0, 2, 2].tolist() == [1, 1, 0, 0]


def test_a_class_that_is_not_known_is_refused_even_if_its_object_gets_no_cell():
    labels = torch.tensor([[RIGHT, [5.0, *RIGHT[1:]]]])
    assert make_grid_targets(labels, grid_size=2, num_classes=6).classes.max() == 2
    with pytest.raises(ValueError, match=r"classes of labels must lie in \[0, 5\), got 5"):
        make_grid_targets(labels, grid_size=2, num_classes=5)


def test_what_stands_in_padding_does_not_matter():
    labels = torch.tensor([[[-1.0, 9.0, 1e30, -1e30, -9.0], RIGHT]])
    expected = make_grid_targets(torch.tensor([[PADDING, RIGHT]]), grid_size=2)
    for found, right in zip(make_grid_targets(labels, grid_size=2), expected, strict=True):
        assert torch.equal(found, right)


def test_half_precision_finds_the_same_cells():
    labels = draw_labels(3, 4, seed=0).bfloat16()
    targets = make_grid_targets(labels, grid_size=37)
    assert targets.boxes.dtype == targets.coordinates.dtype == torch.bfloat16
    assert torch.equal(targets.classes, make_grid_targets(labels.float(), grid_size=37).classes)


def test_the_dtype_of_the_labels_is_kept():
    targets = make_grid_targets(torch.tensor([[RIGHT]], dtype=torch.float64), grid_size=2)
    assert targets.boxes.dtype == targets.coordinates.dtype == torch.float64
    assert targets.classes.dtype == torch.int64


@pytest.mark.parametrize(
    ("labels", "grid_size", "error", "message"),
    [
        (torch.zeros(2, 5), 2, ValueError, r"labels must have shape \(B, M, 5\), got \(2, 5\)"),
        (torch.zeros(1, 2, 4), 2, ValueError, r"labels must have shape \(B, M, 5\)"),
        (torch.zeros(1, 2, 5).long(), 2, TypeError, "labels must be a floating-point tensor"),
        (torch.full((1, 1, 5), float("nan")), 2, ValueError, "labels must be finite, got nan"),
        (
            torch.tensor([[[0.0, 0.5, 0.5, 0.4, 0.9]]]),
            2,
            ValueError,
            "boxes of labels must have x1 <= x2 and y1 <= y2",
        ),
        (
            torch.tensor([[[0.5, 0.0, 0.0, 0.5, 0.5]]]),
            2,
            ValueError,
            r"labels must have whole numbers as classes, got 0\.5",
        ),
        (
            torch.tensor([[[0.0, 8.0, 8.0, 24.0, 40.0]]]),
            2,
            ValueError,
            r"labels must have their centers in the image, \[0, 1\], got \[16.0, 24.0\]",
        ),
        (torch.tensor([[[0.0, -1.0, 0.0, 0.5, 0.5]]]), 2, ValueError, r"got \[-0.25, 0.25\]"),
        (torch.tensor([[[0.0, 0.0, 1.0, 0.5, 1.5]]]), 2, ValueError, r"got \[0.25, 1.25\]"),
        (torch.zeros(1, 2, 5), 0, ValueError, "grid_size must be at least 1, got 0"),
    ],
)
def test_bad_labels_are_refused(labels, grid_size, error, message):
    with pytest.raises(error, match=message):
        make_grid_targets(labels, grid_size)


@pytest.mark.parametrize(
    ("coordinates", "error", "message"),
    [
        (torch.zeros(1, 2, 2, 4), ValueError, r"coordinates must have shape \(B, S, T, N, 4\)"),
        (torch.zeros(1, 2, 2, 1, 5), ValueError, r"got \(1, 2, 2, 1, 5\)"),
        (torch.zeros(1, 2, 2, 1, 4).long(), TypeError, "must be a floating-point tensor"),
    ],
)
def test_bad_coordinates_are_refused(coordinates, error, message):
    with pytest.raises(error, match=message):
        decode_cells(coordinates)
