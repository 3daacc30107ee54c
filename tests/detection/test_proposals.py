import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection.rpn import AnchorGenerator, RegionProposalNetwork, RPNHead

from notes.detection.offsets import decode_offsets
from notes.detection.proposals import propose_regions

ANCHORS = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.4], [0.6, 0.6, 1.0, 1.0]])
OBJECTNESS = torch.tensor([[0.0, 2.0, 1.0]])
STILL = torch.zeros(1, 3, 4)


def draw(num_images, num_anchors, seed):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(num_anchors, 2, 2, generator=generator, dtype=torch.float64)
    anchors = corners.sort(dim=1).values.flatten(start_dim=1)
    objectness, *offsets = torch.randn(
        5, num_images, num_anchors, generator=generator, dtype=torch.float64
    )
    return objectness, torch.stack(offsets, dim=2), anchors


def test_the_best_anchors_without_near_duplicates_become_proposals():
    (found,) = propose_regions(OBJECTNESS, STILL, ANCHORS)
    assert torch.equal(found.boxes, ANCHORS[[1, 2]])  # the first overlaps the second by 0.8
    assert torch.equal(found.scores, OBJECTNESS[0, 1:].sigmoid())


def test_offsets_move_the_anchors_and_the_border_cuts_them():
    offsets = torch.zeros(1, 3, 4)
    offsets[0, 2] = torch.tensor([5.0, 0.0, 0.0, 0.0])  # half a width to the right
    (found,) = propose_regions(OBJECTNESS, offsets, ANCHORS)
    torch.testing.assert_close(found.boxes[1], torch.tensor([0.8, 0.6, 1.0, 1.0]))


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        pytest.param({"iou_threshold": 0.9}, [1, 2, 0], id="more overlap allowed"),
        pytest.param({"num_before_nms": 1}, [1], id="one anchor"),
        pytest.param({"num_after_nms": 1}, [1], id="one proposal"),
        pytest.param({"min_size": 0.45, "iou_threshold": 0.9}, [0], id="only large ones"),
        pytest.param({"min_size": 0.5, "iou_threshold": 0.9}, [0], id="just large enough"),
    ],
)
def test_options_choose_what_stays(options, kept):
    (found,) = propose_regions(OBJECTNESS, STILL, ANCHORS, **options)
    assert torch.equal(found.boxes, ANCHORS[kept])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_proposals_stay_inside_the_image_and_are_sorted(seed):
    for boxes, scores in propose_regions(*draw(2, 20, seed)):
        assert boxes.min() >= 0
        assert boxes.max() <= 1
        assert (scores.diff() <= 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once_at_the_end(dtype):
    objectness, offsets, anchors = (part.to(dtype) for part in draw(2, 20, seed=0))
    expected = propose_regions(objectness.float(), offsets.float(), anchors.float(), min_size=0.1)
    found = propose_regions(objectness, offsets, anchors, min_size=0.1)
    for (boxes, scores), (right, _) in zip(found, expected, strict=True):
        assert boxes.dtype == scores.dtype == dtype
        assert torch.equal(boxes, right.to(dtype))


def test_no_images_and_no_anchors_give_no_proposals():
    assert propose_regions(torch.zeros(0, 3), torch.zeros(0, 3, 4), ANCHORS) == []
    (found,) = propose_regions(torch.zeros(1, 0), torch.zeros(1, 0, 4), torch.zeros(0, 4))
    assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0,))


def test_nothing_is_left_on_the_default_device():
    (expected,) = propose_regions(OBJECTNESS, STILL, ANCHORS)
    with torch.device("meta"):
        (found,) = propose_regions(OBJECTNESS, STILL, ANCHORS)
    assert all(map(torch.equal, found, expected))


def test_no_gradient_flows_through_the_choice():
    offsets = torch.zeros(1, 3, 4, requires_grad=True)
    (found,) = propose_regions(OBJECTNESS, offsets, ANCHORS)
    assert not found.boxes.requires_grad


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"objectness": OBJECTNESS[0]}, ValueError, r"objectness must have shape \(B, A\)"),
        ({"objectness": OBJECTNESS.long()}, TypeError, "objectness must be a floating-point"),
        ({"objectness": OBJECTNESS / 0}, ValueError, "objectness must be finite, got nan"),
        ({"offsets": STILL[0]}, ValueError, r"offsets must have shape \(1, 3, 4\), got \(3, 4\)"),
        ({"offsets": STILL / 0}, ValueError, "offsets must be finite, got nan"),
        ({"offsets": STILL + 500}, ValueError, r"^offsets must lead to boxes .* got \[500.0, "),
        ({"anchors": ANCHORS[:, [0, 1, 0, 3]]}, ValueError, "anchors must have an area, got"),
        ({"offsets": STILL.double()}, TypeError, "offsets must have the dtype of objectness"),
        ({"anchors": ANCHORS[1:]}, ValueError, r"anchors must have shape \(3, 4\), got \(2, 4\)"),
        ({"anchors": ANCHORS.flip(1)}, ValueError, "anchors must have x1 <= x2"),
        ({"anchors": ANCHORS.to("meta")}, ValueError, "anchors must be on the device of object"),
        ({"num_before_nms": 0}, ValueError, "num_before_nms must be greater than 0, got 0"),
        ({"num_after_nms": 0}, ValueError, "num_after_nms must be greater than 0, got 0"),
        ({"iou_threshold": 1.5}, ValueError, r"iou_threshold must lie in \[0, 1\], got 1.5"),
        ({"min_size": -0.1}, ValueError, "min_size must be at least 0, got -0.1"),
    ],
)
def test_bad_arguments_are_refused(changed, error, message):
    arguments = {"objectness": OBJECTNESS, "offsets": STILL, "anchors": ANCHORS} | changed
    with pytest.raises(error, match=message):
        propose_regions(**arguments)


@pytest.mark.parametrize("min_size", [0.0, 0.3])
def test_proposals_agree_with_torchvision(min_size):
    objectness, offsets, anchors = draw(3, 60, seed=0)
    network = RegionProposalNetwork(
        AnchorGenerator(),
        RPNHead(1, 1),
        fg_iou_thresh=0.7,
        bg_iou_thresh=0.3,
        batch_size_per_image=256,
        positive_fraction=0.5,
        pre_nms_top_n={"training": 40, "testing": 40},
        post_nms_top_n={"training": 10, "testing": 10},
        nms_thresh=0.5,
    ).eval()
    network.min_size = min_size
    decoded = torch.stack([decode_offsets(anchors, shifts) for shifts in offsets])
    expected = network.filter_proposals(decoded, objectness.flatten(), [(1, 1)] * 3, [60])
    found = propose_regions(
        objectness,
        offsets,
        anchors,
        num_before_nms=40,
        num_after_nms=10,
        iou_threshold=0.5,
        min_size=min_size,
    )
    for (boxes, scores), expected_boxes, expected_scores in zip(found, *expected, strict=True):
        assert len(boxes) > 3
        torch.testing.assert_close(boxes, expected_boxes)
        torch.testing.assert_close(scores, expected_scores)
