"""How often the processor has to wait for the device: each check of values is such a look.

On a GPU a tensor's values are there only when all work before is done. What asks for one number, or
makes a tensor whose size depends on values, waits. The numbers here are hard: whoever adds a look
changes them on purpose.
"""

from collections import Counter

import detection_detect
import pytest
import torch
from detection_targets import make_anchors, make_labels
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from notes.detection.detections import detect
from notes.detection.nms import class_wise_nms, nms
from notes.detection.overlap import box_iou
from notes.detection.proposals import propose_regions
from notes.detection.targets import make_targets
from notes.detection.yolo import yolo_detections, yolo_loss

LOOKS = {
    "_local_scalar_dense",  # item(), bool(), int() and float() of a tensor
    "is_nonzero",
    "equal",
    "nonzero",
    "masked_select",
    "bincount",
    "unique_consecutive",
    "_unique2",
    "unique_dim",
}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}  # by a mask it is a look


class Looks(TorchDispatchMode):
    """Counts what makes the processor wait, and the calls of torchvision's kernel."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name in LOOKS or (name == "repeat_interleave" and len(args) == 1):
            self.counts["looks"] += 1
        elif name in INDEXING:
            masks = (torch.bool, torch.uint8)
            self.counts["looks"] += sum(i is not None and i.dtype in masks for i in args[1])
        elif name == "nms":
            self.counts["kernels"] += 1
        return function(*args, **(kwargs or {}))


class Lists(TorchFunctionMode):
    """`tolist` of a tensor on the CPU copies its memory and calls no operation."""

    def __init__(self, counts):
        super().__init__()
        self.counts = counts

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.counts["looks"] += getattr(function, "__name__", "") == "tolist"
        return function(*args, **(kwargs or {}))


def count(function, *args, **kwargs):
    with Looks() as looks, Lists(looks.counts):
        function(*args, **kwargs)
    return looks.counts["looks"], looks.counts["kernels"]


MASK = torch.tensor([True, False, True])


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x[0].item(),
        lambda x: bool(x.all()),
        lambda x: float(x.sum()),
        lambda x: x.tolist(),
        lambda x: x.nonzero(),
        lambda x: x[MASK],
        lambda x: x.__setitem__(MASK, 0.0),
        lambda x: torch.equal(x, x),
        lambda x: x.masked_select(MASK),
        lambda x: x.unique(),
        lambda x: x.long().bincount(),
    ],
)
def test_each_kind_of_look_is_counted(look):
    assert count(look, torch.rand(3)) == (1, 0)


def test_what_needs_no_value_is_not_counted():
    def work(x):
        order = x.argsort()
        return torch.where(x[order] > 0.5, x, 0.0).sum() + x.gather(0, order).amax()

    assert count(work, torch.rand(3)) == (0, 0)


@pytest.mark.parametrize(("num_images", "num_classes"), [(1, 1), (1, 20), (8, 20)])
@pytest.mark.parametrize("class_agnostic", [False, True])
def test_detect_looks_five_times_however_many_images_and_classes_there_are(
    num_images, num_classes, class_agnostic
):
    # At probabilities, anchors and offsets; for the likely anchors; for the sizes of the groups.
    anchors = make_anchors()
    outputs = detection_detect.make_outputs(num_images, num_classes, anchors)
    looks, kernels = count(detect, *outputs, anchors, class_agnostic=class_agnostic)
    assert looks == 5
    assert kernels <= num_images * (1 if class_agnostic else num_classes)


@pytest.mark.parametrize("num_images", [1, 8])
def test_the_loss_of_a_yolo_looks_four_times(num_images):
    # At outputs, labels and their centers; for the cells with an object.
    outputs, labels = torch.randn(num_images, 8, 8, 30), make_labels(num_images, most_boxes=10)
    assert count(yolo_loss, outputs, labels, 20) == (4, 0)


@pytest.mark.parametrize("num_images", [1, 8])
def test_the_detections_of_a_yolo_look_three_times(num_images):
    # At outputs; for the likely boxes; for the sizes of the groups.
    looks, kernels = count(yolo_detections, torch.randn(num_images, 8, 8, 30), 20)
    assert looks == 3
    assert 0 < kernels <= 20 * num_images


@pytest.mark.parametrize("num_images", [1, 8])
def test_targets_look_six_times_unless_boxes_clash(num_images):
    # At anchors and labels; for the numbers of boxes, their overlaps and anchors; for the pairs.
    labels = make_labels(num_images, most_boxes=2)
    assert count(make_targets, make_anchors(), labels) == (6, 0)


def test_proposals_look_three_times():
    anchors = make_anchors()
    outputs = torch.randn(4, len(anchors)), torch.randn(4, len(anchors), 4)
    assert count(propose_regions, *outputs, anchors) == (3, 4)


def test_suppression_and_overlap_look_twice_at_their_arguments():
    corners = torch.rand(500, 2)
    boxes, scores = torch.cat([corners, corners + 0.1], dim=1), torch.rand(500)
    assert count(nms, boxes, scores, 0.5) == (2, 1)
    assert count(box_iou, boxes, boxes) == (2, 0)
    classes = torch.arange(500) % 3  # how many there are is the third, how large each the fourth
    assert count(class_wise_nms, boxes, scores, classes, 0.5) == (4, 3)
