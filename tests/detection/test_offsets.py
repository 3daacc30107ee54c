"""Offsets say where a box lies, seen from an anchor, and give the box back."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder

from notes.detection.offsets import decode_offsets, encode_offsets

SQUARE = torch.tensor([[0.0, 0.0, 2.0, 2.0]])


def random_boxes(count, seed, dtype=torch.float64):
    """Boxes with sides between 0.01 and 1."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, generator=generator, dtype=dtype)
    sides = 0.01 + 0.99 * torch.rand(count, 2, generator=generator, dtype=dtype)
    return torch.cat([corners, corners + sides], dim=1)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param([0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0], id="the anchor itself"),
        pytest.param([1.0, 0.0, 3.0, 2.0], [5.0, 0.0, 0.0, 0.0], id="half a width to the right"),
        pytest.param([0.0, -0.2, 2.0, 1.8], [0.0, -1.0, 0.0, 0.0], id="a tenth of a height up"),
        pytest.param([-1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 5 * math.log(2), 0.0], id="twice as wide"),
        pytest.param([0.0, 0.5, 2.0, 1.5], [0.0, 0.0, 0.0, -5 * math.log(2)], id="half as high"),
    ],
)
def test_offsets_by_hand(box, expected):
    offsets = encode_offsets(SQUARE, torch.tensor([box]))
    assert offsets[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert decode_offsets(SQUARE, offsets)[0].tolist() == pytest.approx(box, abs=1e-6)


def test_the_example_of_the_notes():
    anchors = torch.tensor(
        [[0.15, 0.2, 0.4, 0.4], [0.63, 0.05, 0.88, 0.98], [0.57, 0.3, 0.92, 0.9]]
    )
    boxes = torch.tensor([[0.1, 0.08, 0.52, 0.92], [0.55, 0.2, 0.9, 0.88], [0.55, 0.2, 0.9, 0.88]])
    expected = [[1.40, 10.00, 2.59, 7.18], [-1.20, 0.27, 1.68, -1.57], [-0.57, -1.00, 0.00, 0.63]]
    assert torch.allclose(encode_offsets(anchors, boxes), torch.tensor(expected), atol=0.005)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 20), st.integers(0, 9999))
def test_decoding_undoes_encoding(count, seed):
    anchors, boxes = random_boxes(count, seed), random_boxes(count, seed + 1)
    again = decode_offsets(anchors, encode_offsets(anchors, boxes))
    assert torch.allclose(again, boxes, rtol=0, atol=1e-13)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 20), st.integers(0, 9999))
def test_encoding_undoes_decoding(count, seed):
    anchors = random_boxes(count, seed)
    generator = torch.Generator().manual_seed(seed)
    offsets = 10 * torch.randn(count, 4, generator=generator, dtype=torch.float64)
    again = encode_offsets(anchors, decode_offsets(anchors, offsets))
    assert torch.allclose(again, offsets, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("factor", [0.001, 640.0])
def test_offsets_have_no_unit(factor):
    anchors, boxes = random_boxes(20, seed=0), random_boxes(20, seed=1)
    scaled = encode_offsets(factor * anchors, factor * boxes)
    assert torch.allclose(scaled, encode_offsets(anchors, boxes))


def test_the_round_trip_is_close_in_single_precision():
    anchors, boxes = random_boxes(1000, 0, torch.float32), random_boxes(1000, 1, torch.float32)
    again = decode_offsets(anchors, encode_offsets(anchors, boxes))
    assert torch.allclose(again, boxes, rtol=0, atol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_precision_stays(dtype):
    offsets = encode_offsets(SQUARE.to(dtype), SQUARE.to(dtype))
    assert offsets.dtype == decode_offsets(SQUARE.to(dtype), offsets).dtype == dtype


def test_a_box_without_area_has_finite_offsets_and_gradients():
    box = torch.tensor([[1.0, 1.0, 1.0, 3.0]], requires_grad=True)
    offsets = encode_offsets(SQUARE, box)
    assert offsets[0].tolist() == pytest.approx([0.0, 5.0, 5 * math.log(1e-6), 0.0], abs=1e-4)
    offsets.sum().backward()
    assert box.grad.isfinite().all()


def test_without_pairs_there_are_no_offsets():
    nothing = torch.zeros(0, 4)
    assert (
        encode_offsets(nothing, nothing).shape == decode_offsets(nothing, nothing).shape == (0, 4)
    )


def test_large_offsets_are_not_clipped():
    assert decode_offsets(SQUARE, torch.tensor([[0.0, 0.0, 100.0, 0.0]]))[0, 2] > 1e8
    assert decode_offsets(SQUARE, torch.tensor([[-1e17, 0.0, -1e30, 0.0]]))[0, 2] < -1e16


@pytest.mark.parametrize("offset", [[0.0, 0.0, 500.0, 0.0], [0.0, -1e30, 0.0, 0.0]])
def test_offsets_that_lead_beyond_all_measure_are_refused_by_their_name(offset):
    message = r"^offsets must lead to boxes with coordinates of at most 4.61e.18, got \[.*\] at"
    with pytest.raises(ValueError, match=message + r" index \(1,\)"):
        decode_offsets(SQUARE.repeat(2, 1), torch.tensor([[0.0] * 4, offset]))


def test_what_is_too_much_depends_on_the_anchor():
    offsets, small = torch.tensor([[0.0, 0.0, 205.0, 0.0]]), SQUARE / 100
    assert decode_offsets(small, offsets).isfinite().all()
    both = decode_offsets(torch.cat([small, SQUARE]), torch.cat([offsets, 0 * offsets]))
    assert both.max() > 1e15
    with pytest.raises(ValueError, match=r"^offsets must lead to boxes"):
        decode_offsets(100 * SQUARE, offsets)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once_at_the_end(dtype):
    anchors, boxes = random_boxes(50, 0).to(dtype), random_boxes(50, 1).to(dtype)
    offsets = encode_offsets(anchors.float(), boxes.float())
    assert torch.equal(encode_offsets(anchors, boxes), offsets.to(dtype))
    again = decode_offsets(anchors.float(), offsets.to(dtype).float())
    assert torch.equal(decode_offsets(anchors, offsets.to(dtype)), again.to(dtype))


@pytest.mark.parametrize("code", [encode_offsets, decode_offsets])
@pytest.mark.parametrize(
    ("anchors", "message"),
    [
        ([0.0, 0.0, 1.0, 1.0], r"anchors must have shape \(N, 4\), got \(4,\)"),
        (
            [[0.0, 0.0, 1.0, 0.0]],
            r"anchors must have an area, got \[0.0, 0.0, 1.0, 0.0\] at index 0",
        ),
        ([[1.0, 0.0, 0.0, 1.0]], "anchors must have x1 <= x2 and y1 <= y2"),
    ],
)
def test_what_is_no_anchor_is_refused(code, anchors, message):
    with pytest.raises(ValueError, match=message):
        code(torch.tensor(anchors), SQUARE)


@pytest.mark.parametrize(("code", "name"), [(encode_offsets, "boxes"), (decode_offsets, "offsets")])
def test_what_does_not_fit_the_anchors_is_refused_by_its_name(code, name):
    with pytest.raises(ValueError, match=rf"^{name} must have shape \(2, 4\), got \(1, 4\)"):
        code(SQUARE.repeat(2, 1), SQUARE)
    with pytest.raises(ValueError, match=rf"^{name} must be finite, got nan at index \(0, 3\)"):
        code(SQUARE, torch.tensor([[0.0, 0.0, 1.0, math.nan]]))
    with pytest.raises(TypeError, match=f"^{name} must have the dtype of anchors"):
        code(SQUARE, SQUARE.double())


def test_the_first_anchor_without_area_is_named():
    anchors = torch.tensor([[0, 0, 1, 1], [0.5, 0.12345, 0.5, 1], [0, 0, 0, 0]])
    with pytest.raises(ValueError, match=r"got \[0.5, 0.12345, 0.5, 1.0\] at index 1"):
        decode_offsets(anchors, torch.zeros(3, 4))


def test_a_turned_box_is_refused():
    with pytest.raises(ValueError, match="boxes must have x1 <= x2 and y1 <= y2"):
        encode_offsets(SQUARE, torch.tensor([[1.0, 0.0, 0.0, 1.0]]))


def test_offsets_agree_with_torchvision():
    anchors, boxes = random_boxes(500, 0), random_boxes(500, 1)
    coder = BoxCoder((10.0, 10.0, 5.0, 5.0), bbox_xform_clip=math.inf)
    offsets = encode_offsets(anchors, boxes)
    assert torch.allclose(offsets, coder.encode([boxes], [anchors])[0], rtol=1e-10, atol=1e-10)
    decoded = coder.decode(offsets, [anchors]).reshape(-1, 4)
    assert torch.allclose(decode_offsets(anchors, offsets), decoded, rtol=1e-10, atol=1e-10)


def test_gradients_are_right():
    anchors, boxes = (random_boxes(3, seed).requires_grad_() for seed in (0, 1))
    assert torch.autograd.gradcheck(encode_offsets, (anchors, boxes))
    offsets = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(decode_offsets, (anchors, offsets))
