import math

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

from notes.detection.boxes import clip_boxes
from notes.detection.overlap import box_iou
from notes.detection.yolo import TinyYOLO, yolo_detections, yolo_loss
from notes.detection.yolo_grid import make_grid_targets

PADDING = [-1.0] * 5
FIRST = [2.0, 0.5, 0.0, 1.0, 0.5]
SECOND = [1.0, 0.1, 0.6, 0.7, 0.8]
LABELS = torch.tensor([[FIRST, SECOND, PADDING], [SECOND, PADDING, PADDING]])
LOG2 = math.log(2)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def right_outputs(labels, grid_size, num_classes, num_boxes):
    """What a perfect network would answer; the last box of a cell has the object."""
    targets = make_grid_targets(labels, grid_size)
    cells = targets.classes >= 0
    boxes = labels.new_zeros(*cells.shape, num_boxes, 5)
    boxes[..., 4] = -30
    boxes[..., -1, 4][cells] = 30
    boxes[..., -1, :4] = targets.coordinates.logit(eps=1e-6)
    classes = 30.0 * F.one_hot(targets.classes.clamp(min=0), num_classes)
    return torch.cat([boxes.flatten(start_dim=3), classes.to(labels.dtype)], dim=3)


def loss_by_loops(outputs, labels, num_classes, box_weight, background_weight):
    """The same loss, one box after the other."""
    targets = make_grid_targets(labels, tuple(outputs.shape[1:3]))
    _, rows, columns, numbers = outputs.shape
    num_boxes = (numbers - num_classes) // 5
    total = 0.0
    for image, row, column in torch.cartesian_prod(
        torch.arange(len(outputs)), torch.arange(rows), torch.arange(columns)
    ).tolist():
        place = (image, row, column)
        boxes = []
        cell, class_logits = outputs[place].split([numbers - num_classes, num_classes])
        cell = cell.view(num_boxes, 5)  # four coordinates and the objectness
        for x, y, root_width, root_height in cell[:, :4].sigmoid().tolist():
            center_x, center_y = (column + x) / columns, (row + y) / rows
            width, height = root_width**2, root_height**2
            boxes.append([center_x - width / 2, center_y - height / 2])
            boxes[-1] += [center_x + width / 2, center_y + height / 2]
        overlaps = box_iou(outputs.new_tensor(boxes), targets.boxes[place][None])[:, 0].tolist()
        label = int(targets.classes[place])
        responsible = overlaps.index(max(overlaps)) if label >= 0 else None
        for box in range(num_boxes):
            yes = cell[box, 4].sigmoid().item()
            wanted = overlaps[box] if box == responsible else 0.0
            entropy = -wanted * math.log(yes) - (1 - wanted) * math.log(1 - yes)
            total += entropy * (1 if box == responsible else background_weight)
        if label >= 0:
            found = cell[responsible, :4].sigmoid()
            total += box_weight * (found - targets.coordinates[place]).square().sum().item()
            total -= class_logits.log_softmax(dim=0)[label].item()
    return total / len(outputs)


def test_the_loss_matches_the_value_computed_by_hand():
    # The only cell answers 0.5 everywhere; the object is centered and half as wide and high.
    labels = torch.tensor([[[1.0, 0.25, 0.25, 0.75, 0.75]]])
    box_loss = 2 * (0.5 - math.sqrt(0.5)) ** 2
    expected = 5 * box_loss + LOG2 + 0.5 * LOG2 + math.log(3)  # two boxes, three classes
    assert yolo_loss(torch.zeros(1, 1, 1, 13), labels, 3).item() == pytest.approx(expected)


def test_without_objects_only_the_background_counts():
    labels = torch.tensor([[PADDING]])
    loss = yolo_loss(torch.zeros(1, 2, 3, 13), labels, 3, background_weight=0.25)
    assert loss.item() == pytest.approx(12 * 0.25 * LOG2)


def test_only_the_box_that_overlaps_most_learns_coordinates():
    outputs = torch.zeros(1, 1, 1, 13)
    outputs[..., 5:9] = torch.tensor([0.1, 0.0, 0.8, 0.8])  # closer than the first box
    outputs.requires_grad_()
    yolo_loss(outputs, torch.tensor([[[1.0, 0.25, 0.25, 0.75, 0.75]]]), 3).backward()
    moved = outputs.grad.flatten() != 0
    assert moved.tolist() == [False] * 4 + [True, True, False, True, True] + [True] * 4


def test_no_gradient_flows_through_the_overlap_that_objectness_should_say():
    labels, gradients = torch.tensor([[[1.0, 0.3, 0.25, 0.75, 0.75]]]), []
    for logit in (0.0, 5.0):
        outputs = torch.zeros(1, 1, 1, 8)
        outputs[..., 4] = logit
        outputs.requires_grad_()
        yolo_loss(outputs, labels, 3).backward()
        gradients.append(outputs.grad[..., :4])
    assert torch.equal(*gradients)


def test_a_perfect_answer_has_no_loss_and_is_detected():
    outputs = right_outputs(LABELS, 4, num_classes=3, num_boxes=2)
    assert yolo_loss(outputs, LABELS, 3).item() == pytest.approx(0, abs=1e-4)
    first, second = yolo_detections(outputs, 3)
    assert sorted(first.classes.tolist()) == [1, 2]
    order = first.classes.argsort(descending=True)
    torch.testing.assert_close(first.boxes[order], LABELS[0, :2, 1:])
    torch.testing.assert_close(second.boxes, LABELS[1, :1, 1:])
    torch.testing.assert_close(second.scores, torch.ones(1))


def test_scores_are_objectness_times_class_and_sorted():
    outputs = torch.zeros(1, 1, 2, 8)  # one box, three classes
    outputs[0, 0, 1, 4:] = torch.tensor([2.0, 0.0, 3.0, 0.0])
    (found,) = yolo_detections(outputs, 3)
    best = torch.tensor(2.0).sigmoid() * torch.tensor([0.0, 3.0, 0.0]).softmax(dim=0)[1]
    torch.testing.assert_close(found.scores, torch.tensor([best, 0.5 / 3]))
    assert found.classes.tolist() == [1, 0]


def test_detections_of_one_class_suppress_each_other_and_of_two_do_not():
    outputs = torch.zeros(1, 1, 1, 5 + 5 + 2)
    outputs[..., 4] = 1
    assert len(yolo_detections(outputs, 2)[0].scores) == 1
    labels = torch.tensor([[[0.0, 0.4, 0.4, 0.6, 0.6]]])
    side_by_side = right_outputs(labels, (1, 2), num_classes=2, num_boxes=1)
    side_by_side[0, 0, 0] = side_by_side[0, 0, 1]
    side_by_side[0, 0, :, 0] = torch.tensor([9.0, -9.0])  # both centers on the line between them
    side_by_side[0, 0, 0, 5:] = side_by_side[0, 0, 0, 5:].flip(0)
    assert len(yolo_detections(side_by_side, 2)[0].scores) == 2


def test_boxes_end_at_the_edges_of_the_image():
    outputs = 9 * draw(4, 3, 3, 13)  # many cells predict a large box
    found = yolo_detections(outputs, 3, iou_threshold=1.0, score_threshold=0.0)
    assert all(torch.equal(boxes, clip_boxes(boxes)) for boxes, _, _ in found)
    assert any((boxes == 0).any() and (boxes == 1).any() for boxes, _, _ in found)


def test_the_sums_of_half_precision_do_not_overflow():
    outputs = torch.full((1, 64, 64, 13), 20.0, dtype=torch.float16)  # sure of 8,192 boxes
    loss = yolo_loss(outputs, torch.full((1, 1, 5), -1.0, dtype=torch.float16), 3)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0.5 * 8192 * 20)


def test_thresholds_and_the_limit_choose_what_is_detected():
    outputs = draw(2, 4, 4, 13)
    everything = yolo_detections(outputs, 3, iou_threshold=1.0, score_threshold=0.0)
    assert [len(found.scores) for found in everything] == [32, 32]
    few = yolo_detections(outputs, 3, max_detections=3)
    assert [len(found.scores) for found in few] == [3, 3]
    for found in yolo_detections(outputs, 3, score_threshold=0.4):
        assert found.scores.min() >= 0.4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_detections_in_half_precision_are_rounded_once(dtype):
    outputs = draw(2, 40, 40, 13).to(dtype)
    expected = yolo_detections(outputs.float(), 3, max_detections=10_000)
    for found, right in zip(
        yolo_detections(outputs, 3, max_detections=10_000), expected, strict=True
    ):
        assert found.boxes.dtype == found.scores.dtype == dtype
        assert torch.equal(found.boxes, right.boxes.to(dtype))
        assert torch.equal(found.scores, right.scores.to(dtype))


def test_nothing_likely_gives_no_detections():
    (found,) = yolo_detections(torch.zeros(1, 2, 2, 13), 3, score_threshold=0.9)
    assert [tuple(part.shape) for part in found] == [(0, 4), (0,), (0,)]


@pytest.mark.parametrize("num_boxes", [1, 2, 3])
def test_the_loss_agrees_with_loops(num_boxes):
    outputs, labels = draw(2, 3, 4, 5 * num_boxes + 3), LABELS.double()
    expected = loss_by_loops(outputs, labels, 3, box_weight=2.0, background_weight=0.3)
    loss = yolo_loss(outputs, labels, 3, box_weight=2.0, background_weight=0.3)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_gradients_of_the_loss_are_right():
    coordinates = draw(2, 2, 2, 4).requires_grad_()
    objectness = torch.zeros(2, 2, 2, 1, dtype=torch.float64)
    others = draw(2, 2, 2, 4, seed=1).requires_grad_()  # objectness and three classes
    labels = LABELS.double()
    # The overlap is a target, no gradient flows into it. With logits of 0 it also has no influence.
    assert gradcheck(
        lambda x: yolo_loss(torch.cat([x, objectness, others.detach()[..., 1:]], -1), labels, 3),
        coordinates,
    )
    assert gradcheck(
        lambda x: yolo_loss(torch.cat([coordinates.detach(), x], -1), labels, 3), others
    )


@pytest.mark.parametrize(
    ("options", "shape"),
    [({}, (2, 8, 12, 13)), ({"num_boxes": 1, "width": 4}, (2, 8, 12, 8))],
)
def test_the_model_answers_for_each_cell(options, shape):
    assert TinyYOLO(num_classes=3, **options)(torch.zeros(2, 3, 64, 96)).shape == shape


def test_the_model_memorizes_one_batch():
    torch.manual_seed(0)
    model = TinyYOLO(num_classes=3, width=8)
    images = torch.rand(2, 3, 32, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        loss = yolo_loss(model(images), LABELS, 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = yolo_detections(model(images), 3, score_threshold=0.5)
    assert [sorted(one.classes.tolist()) for one in found] == [[1, 2], [1]]
    assert box_iou(found[1].boxes, LABELS[1, :1, 1:]).item() > 0.8


def test_the_model_and_the_loss_work_in_float64_and_without_images():
    model = TinyYOLO(num_classes=3, in_channels=1, width=2).double().eval()
    outputs = model(torch.zeros(0, 1, 16, 16, dtype=torch.float64))
    assert (outputs.shape, outputs.dtype) == ((0, 2, 2, 13), torch.float64)
    assert yolo_detections(outputs, 3) == []
    images = torch.rand(2, 1, 16, 16, dtype=torch.float64)
    assert yolo_loss(model(images), LABELS.double(), 3).dtype == torch.float64


def test_nothing_is_left_on_the_default_device():
    outputs = draw(2, 4, 4, 13).float()
    expected = yolo_loss(outputs, LABELS, 3), yolo_detections(outputs, 3)
    with torch.device("meta"):
        found = yolo_loss(outputs, LABELS, 3), yolo_detections(outputs, 3)
    assert torch.equal(found[0], expected[0])
    for one, right in zip(found[1], expected[1], strict=True):
        assert all(map(torch.equal, one, right))


@pytest.mark.parametrize("size", [(12, 16), (16, 12), (0, 8)])
def test_the_model_refuses_images_that_do_not_halve_three_times(size):
    with pytest.raises(ValueError, match="images must be a multiple of 8 high and wide, got"):
        TinyYOLO(num_classes=3, width=2)(torch.zeros(1, 3, *size))


@pytest.mark.parametrize("name", ["num_classes", "in_channels", "num_boxes", "width"])
def test_the_model_refuses_numbers_that_are_not_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be greater than 0, got 0"):
        TinyYOLO(**({"num_classes": 3} | {name: 0}))


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"outputs": torch.zeros(2, 4, 13)}, ValueError, r"outputs must have shape \(B, S, T, 5"),
        ({"outputs": torch.zeros(2, 4, 4, 13).long()}, TypeError, "outputs must be a floating"),
        ({"outputs": torch.zeros(2, 4, 4, 13) / 0}, ValueError, "outputs must be finite, got nan"),
        ({"outputs": torch.zeros(2, 4, 4, 12)}, ValueError, "3 plus a multiple of 5 .* got 12"),
        ({"outputs": torch.zeros(2, 4, 4, 3)}, ValueError, "3 plus a multiple of 5 .* got 3"),
        ({"num_classes": 0}, ValueError, "num_classes must be greater than 0, got 0"),
        ({"labels": LABELS[0]}, ValueError, r"labels must have shape \(2, M, 5\), got \(3, 5\)"),
        ({"labels": LABELS[:1]}, ValueError, r"labels must have shape \(2, M, 5\)"),
        ({"labels": LABELS.double()}, TypeError, "labels must have the dtype of outputs"),
        ({"labels": LABELS.to("meta")}, ValueError, "labels must be on the device of outputs"),
        (
            {"labels": LABELS + torch.tensor([0.0, 1.5, 1.5, 1.5, 1.5])},
            ValueError,
            "labels must have their centers in the image",
        ),
        (
            {"labels": LABELS * torch.tensor([2.0, 1, 1, 1, 1])},
            ValueError,
            r"classes of labels must lie in \[0, 3\), got 4",
        ),
        (
            {"labels": LABELS + torch.tensor([0.5, 0, 0, 0, 0])},
            ValueError,
            r"labels must have whole numbers as classes, got 2\.5",
        ),
        ({"box_weight": 0.0}, ValueError, "box_weight must be greater than 0, got 0.0"),
        ({"background_weight": -1.0}, ValueError, "background_weight must be greater than 0"),
    ],
)
def test_bad_arguments_of_the_loss_are_refused(changed, error, message):
    arguments = {"outputs": torch.zeros(2, 4, 4, 13), "labels": LABELS, "num_classes": 3}
    with pytest.raises(error, match=message):
        yolo_loss(**(arguments | changed))


def test_the_loss_notices_an_unknown_class_that_has_lost_its_cell():
    labels = torch.tensor([[FIRST, [7.0, *FIRST[1:]]]])
    with pytest.raises(ValueError, match=r"classes of labels must lie in \[0, 3\), got 7"):
        yolo_loss(torch.zeros(1, 4, 4, 13), labels, 3)


def test_the_loss_refuses_to_average_over_no_images():
    with pytest.raises(ValueError, match=r"labels must have shape \(1, M, 5\), got \(0, 1, 5\)"):
        yolo_loss(torch.zeros(0, 4, 4, 13), torch.zeros(0, 1, 5), 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iou_threshold": 1.1}, r"iou_threshold must lie in \[0, 1\], got 1.1"),
        ({"score_threshold": -0.1}, r"score_threshold must lie in \[0, 1\], got -0.1"),
        ({"max_detections": 0}, "max_detections must be greater than 0, got 0"),
    ],
)
def test_bad_options_of_the_detections_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        yolo_detections(torch.zeros(1, 2, 2, 13), 3, **options)
