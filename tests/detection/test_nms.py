import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.detection.nms import class_wise_nms, nms, nms_by_hand, soft_nms
from notes.detection.overlap import box_iou

# Five boxes in a row: each overlaps the next by 1/3, and the one after that not at all.
ROW = torch.tensor([[float(x), 0.0, float(x + 2), 1.0] for x in range(5)])
FALLING = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5])
FORMS = [
    pytest.param(nms_by_hand, id="by hand"),
    pytest.param(nms, id="kernel"),
    pytest.param("blocks", id="blocks"),
]


@pytest.fixture
def suppress(request, monkeypatch):
    """One of the forms; the blocks are made so small that a few boxes need several."""
    if request.param != "blocks":
        return request.param
    monkeypatch.setattr("notes.detection._unchecked.BEST", 2)
    monkeypatch.setattr("notes.detection._unchecked.FEW", 0)
    return nms


def each_form(test):
    return pytest.mark.parametrize("suppress", FORMS, indirect=True)(test)


def draw(size, seed=0, dtype=torch.float32):
    """Boxes on a grid of eighths, so that many overlaps and scores are equal."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 8, (size, 2), generator=generator)
    sides = torch.randint(0, 8, (size, 2), generator=generator)  # some have no area
    scores = torch.randint(0, 16, (size,), generator=generator).to(dtype) / 16
    classes = torch.randint(0, 3, (size,), generator=generator)
    return torch.cat([corners, corners + sides], dim=1).to(dtype) / 8, scores, classes


def overlap(box1, box2):
    width = max(0.0, min(box1[2], box2[2]) - max(box1[0], box2[0]))
    height = max(0.0, min(box1[3], box2[3]) - max(box1[1], box2[1]))
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (box1, box2)]
    union = sum(areas) - width * height
    return width * height / union if union > 0 else 0.0


def nms_loop(boxes, scores, classes, iou_threshold):
    """Indices kept, best first; only boxes of one class suppress each other."""
    boxes, scores, classes = boxes.tolist(), scores.tolist(), classes.tolist()
    kept = []
    for index in sorted(range(len(boxes)), key=lambda index: -scores[index]):
        rivals = [other for other in kept if classes[other] == classes[index]]
        if all(overlap(boxes[index], boxes[other]) <= iou_threshold for other in rivals):
            kept.append(index)
    return kept


@each_form
def test_every_second_box_of_a_row_stays(suppress):
    assert suppress(ROW, FALLING, 0.3).tolist() == [0, 2, 4]
    assert suppress(ROW, FALLING.flip(0), 0.3).tolist() == [4, 2, 0]
    assert suppress(ROW, torch.tensor([0.1, 0.9, 0.2, 0.8, 0.3]), 0.3).tolist() == [1, 3]


@each_form
def test_a_box_that_was_dropped_drops_no_other(suppress):
    assert suppress(ROW[:3], FALLING[:3], 0.3).tolist() == [0, 2]


@each_form
def test_the_books_example(suppress):
    boxes = torch.tensor(
        [
            [0.1, 0.08, 0.52, 0.92],
            [0.08, 0.2, 0.56, 0.95],
            [0.15, 0.3, 0.62, 0.91],
            [0.55, 0.2, 0.9, 0.88],
        ]
    )
    assert suppress(boxes, torch.tensor([0.9, 0.8, 0.7, 0.9]), 0.5).tolist() == [0, 3]


@pytest.mark.parametrize("part", range(1, 10))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@each_form
def test_exactly_at_the_threshold_a_box_stays(suppress, dtype, part):
    # float32 has no 0.6; as a float64 the threshold would lie just below the overlap.
    boxes = torch.tensor([[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, part, 1.0]], dtype=dtype)
    assert suppress(boxes, FALLING[:2], part / 10).tolist() == [0, 1]
    assert suppress(boxes, FALLING[:2], part / 10 - 1e-6).tolist() == [0]


@each_form
def test_of_equal_scores_the_first_wins(suppress):
    same = ROW[:1].repeat(5, 1)
    assert suppress(same, torch.full((5,), 0.5), 0.5).tolist() == [0]
    assert suppress(ROW, torch.full((5,), 0.5), 0.3).tolist() == [0, 2, 4]


@each_form
def test_boxes_without_area_neither_drop_nor_are_dropped(suppress):
    flat = torch.tensor([[0.5, 0.0, 0.5, 1.0]]).repeat(3, 1)
    boxes = torch.cat([flat, torch.tensor([[0.0, 0.0, 1.0, 1.0]])])
    assert suppress(boxes, FALLING[:4], 0.0).tolist() == [0, 1, 2, 3]


@each_form
def test_thresholds_0_and_1(suppress):
    assert suppress(ROW, FALLING, 0.0).tolist() == [0, 2, 4]
    assert suppress(ROW[:1].repeat(3, 1), FALLING[:3], 1.0).tolist() == [0, 1, 2]


@each_form
def test_no_boxes_give_no_indices(suppress):
    kept = suppress(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert kept.dtype == torch.int64
    assert kept.shape == (0,)
    assert torch.zeros(0, 4)[kept].shape == (0, 4)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(0, 40), threshold=st.floats(0, 1))
def test_all_forms_agree_with_the_slow_loop(seed, size, threshold):
    boxes, scores, classes = draw(size, seed, torch.float64)
    expected = nms_loop(boxes, scores, torch.zeros_like(classes), threshold)
    assert nms_by_hand(boxes, scores, threshold).tolist() == expected
    assert nms(boxes, scores, threshold).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("notes.detection._unchecked.BEST", 3)
        patch.setattr("notes.detection._unchecked.FEW", 0)
        assert nms(boxes, scores, threshold).tolist() == expected
    by_class = class_wise_nms(boxes, scores, classes, threshold)
    assert by_class.tolist() == nms_loop(boxes, scores, classes, threshold)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 40), threshold=st.floats(0, 1))
def test_kept_boxes_overlap_little_and_each_dropped_one_has_a_better_neighbor(
    seed, size, threshold
):
    boxes, scores, _ = draw(size, seed, torch.float64)
    kept = nms(boxes, scores, threshold)
    among_kept = box_iou(boxes[kept], boxes[kept]).fill_diagonal_(0)
    assert among_kept.max() <= threshold
    assert (scores[kept].diff() <= 0).all()
    dropped = torch.ones(size, dtype=torch.bool)
    dropped[kept] = False
    too_close = box_iou(boxes[dropped], boxes[kept]) > threshold
    better = scores[kept] >= scores[dropped][:, None]
    assert (too_close & better).any(dim=1).all()


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 40))
def test_suppressing_twice_changes_nothing_and_order_does_not_matter(seed, size):
    boxes, scores, _ = draw(size, seed)
    scores = torch.rand(size, generator=torch.Generator().manual_seed(seed))  # no two equal
    kept = nms(boxes, scores, 0.4)
    assert nms(boxes[kept], scores[kept], 0.4).tolist() == list(range(len(kept)))
    shuffled = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
    again = shuffled[nms(boxes[shuffled], scores[shuffled], 0.4)]
    assert torch.equal(again, kept)


@pytest.mark.parametrize("size", [1000, 1001, 4000])
def test_many_boxes_agree_with_torchvision(size):
    generator = torch.Generator().manual_seed(0)
    centers, sides = torch.rand(2, size, 2, generator=generator)
    boxes = torch.cat([centers - sides / 10, centers + sides / 10], dim=1)
    scores = torch.rand(size, generator=generator)
    expected = torchvision.ops.nms(boxes, scores, 0.5)
    assert torch.equal(nms(boxes, scores, 0.5), expected)
    assert torch.equal(nms(boxes.double(), scores, 0.5), expected)


def test_class_wise_agrees_with_torchvision_whose_classes_are_shifted_apart():
    boxes, scores, classes = draw(60)
    expected = torchvision.ops.batched_nms(boxes, scores, classes, 0.4142)
    assert set(class_wise_nms(boxes, scores, classes, 0.4142).tolist()) == set(expected.tolist())


def test_the_numbers_of_the_classes_do_not_matter():
    # A shift of the boxes by their classes would lose digits here.
    boxes, scores, classes = draw(60)
    expected = class_wise_nms(boxes, scores, classes, 0.4)
    small = [classes.to(dtype) for dtype in (torch.uint8, torch.int8, torch.int16, torch.uint16)]
    for renamed in (-classes, 2**40 * classes, *small, (120 * classes).to(torch.uint8)):
        assert torch.equal(class_wise_nms(boxes, scores, renamed, 0.4), expected)


def test_class_wise_keeps_a_cat_in_front_of_a_dog():
    same = ROW[:1].repeat(4, 1)
    classes = torch.tensor([1, 0, 1, 0])
    assert class_wise_nms(same, FALLING[:4], classes, 0.5).tolist() == [0, 1]
    assert nms(same, FALLING[:4], 0.5).tolist() == [0]


def test_class_wise_of_no_boxes_is_empty():
    kept = class_wise_nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64), 0.5)
    assert kept.dtype == torch.int64
    assert kept.shape == (0,)


def test_soft_nms_lowers_scores_as_computed_by_hand():
    # The second overlaps the first by 1/3, and the third the second.
    kept, scores = soft_nms(ROW[:3], FALLING[:3], decay="linear", iou_threshold=0.3)
    assert kept.tolist() == [0, 2, 1]
    torch.testing.assert_close(scores, torch.tensor([0.9, 0.7, 0.8 * (2 / 3) ** 2]))
    kept, scores = soft_nms(ROW[:2], FALLING[:2], sigma=0.5)
    torch.testing.assert_close(scores, torch.tensor([0.9, 0.8 * 2.718281828 ** (-2 / 9)]))
    assert kept.tolist() == [0, 1]


def test_without_other_wish_half_an_overlap_is_too_much_and_half_is_sigma():
    # The second box is half of the first, the third a little more.
    boxes = torch.tensor([[0.0, 0.0, 100.0, 1.0], *([0.0, 0.0, x, 1.0] for x in (50.0, 51.0))])
    _, scores = soft_nms(boxes[:2], FALLING[:2], decay="linear")
    torch.testing.assert_close(scores, torch.tensor([0.9, 0.8]))
    _, scores = soft_nms(boxes[[0, 2]], FALLING[:2], decay="linear")
    torch.testing.assert_close(scores, torch.tensor([0.9, 0.8 * 0.49]))
    _, scores = soft_nms(boxes[:2], FALLING[:2])
    torch.testing.assert_close(scores, torch.tensor([0.9, 0.8 * 2.718281828**-0.5]))


def test_linear_decay_leaves_overlaps_up_to_the_threshold_alone():
    _, scores = soft_nms(ROW, FALLING, decay="linear", iou_threshold=0.34)
    assert torch.equal(scores, FALLING)


def test_linear_decay_leaves_an_overlap_of_exactly_the_threshold_alone():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 5.0, 1.0]])
    _, scores = soft_nms(boxes, FALLING[:2], decay="linear", iou_threshold=0.5)
    assert torch.equal(scores, FALLING[:2])


def test_soft_nms_drops_what_falls_below_the_least_score():
    same = ROW[:1].repeat(3, 1)
    assert soft_nms(same, FALLING[:3], decay="linear")[0].tolist() == [0]
    assert soft_nms(same, FALLING[:3], score_threshold=0.85)[0].tolist() == [0]
    exactly = torch.tensor([0.5, 0.25])
    assert soft_nms(ROW[[0, 4]], exactly, score_threshold=0.25)[0].tolist() == [0, 1]


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(0, 20))
def test_a_very_short_reach_of_soft_nms_is_hard_nms_at_threshold_0(seed, size):
    boxes, scores, _ = draw(size, seed, torch.float64)
    scores = scores.clamp(min=0.1)
    kept, new_scores = soft_nms(boxes, scores, sigma=1e-6)
    assert torch.equal(kept, nms(boxes, scores, 0.0))
    assert torch.equal(new_scores, scores[kept])
    softer, softer_scores = soft_nms(boxes, scores, sigma=0.5)
    assert set(kept.tolist()) <= set(softer.tolist())
    assert (softer_scores.diff() <= 0).all()
    assert (softer_scores <= scores[softer]).all()


def test_the_arguments_are_left_as_they_were():
    boxes, scores, classes = draw(30)
    before = boxes.clone(), scores.clone(), classes.clone()
    nms(boxes, scores, 0.3)
    class_wise_nms(boxes, scores, classes, 0.3)
    soft_nms(boxes, scores)
    for now, then in zip((boxes, scores, classes), before, strict=True):
        assert torch.equal(now, then)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_dtypes_give_the_same(dtype):
    boxes, scores, classes = draw(40)  # eighths and sixteenths are exact in all of them
    for function in (nms_by_hand, nms):
        assert torch.equal(
            function(boxes.to(dtype), scores.to(dtype), 0.4), nms(boxes, scores, 0.4)
        )
    assert torch.equal(
        class_wise_nms(boxes.to(dtype), scores.to(dtype), classes.int(), 0.4),
        class_wise_nms(boxes, scores, classes, 0.4),
    )
    _, new_scores = soft_nms(boxes.to(dtype), scores.to(dtype), decay="linear")
    assert new_scores.dtype == dtype


@pytest.mark.parametrize("few", [0, 2000])
def test_nothing_is_left_on_the_default_device(monkeypatch, few):
    monkeypatch.setattr("notes.detection._unchecked.FEW", few)
    monkeypatch.setattr("notes.detection._unchecked.BEST", 4)
    boxes, scores, classes = draw(20)
    expected = [nms(boxes, scores, 0.4), class_wise_nms(boxes, scores, classes, 0.4)]
    soft = soft_nms(boxes, scores)
    with torch.device("meta"):
        assert torch.equal(nms(boxes, scores, 0.4), expected[0])
        assert torch.equal(nms_by_hand(boxes, scores, 0.4), expected[0])
        assert torch.equal(class_wise_nms(boxes, scores, classes, 0.4), expected[1])
        assert all(map(torch.equal, soft_nms(boxes, scores), soft))


def test_boxes_that_need_a_gradient_are_fine():
    boxes, scores, _ = draw(10)
    assert torch.equal(nms(boxes.requires_grad_(), scores, 0.4), nms(boxes.detach(), scores, 0.4))
    assert not soft_nms(boxes, scores.requires_grad_())[1].requires_grad


@pytest.mark.parametrize("function", [nms, nms_by_hand])
@pytest.mark.parametrize(
    ("boxes", "scores", "threshold", "error", "message"),
    [
        (ROW[0], FALLING[:1], 0.5, ValueError, r"boxes must have shape \(N, 4\), got \(4,\)"),
        (ROW, FALLING[:4], 0.5, ValueError, r"scores must have shape \(5,\), got \(4,\)"),
        (ROW, FALLING[:, None], 0.5, ValueError, r"scores must have shape \(5,\), got \(5, 1\)"),
        (ROW.long(), FALLING, 0.5, TypeError, "boxes must be a floating-point tensor"),
        (ROW, FALLING.long(), 0.5, TypeError, "scores must be a floating-point tensor"),
        (ROW.flip(1), FALLING, 0.5, ValueError, "boxes must have x1 <= x2 and y1 <= y2"),
        (ROW / 0, FALLING, 0.5, ValueError, "boxes must be finite"),
        (ROW * 1e30, FALLING, 0.5, ValueError, "boxes must have sides of at most 4.61e.18"),
        (ROW, FALLING / 0, 0.5, ValueError, "scores must be finite, got inf"),
        (ROW, FALLING * float("nan"), 0.5, ValueError, "scores must be finite, got nan"),
        (ROW, FALLING.to("meta"), 0.5, ValueError, "scores must be on the device of boxes, cpu"),
        (ROW, FALLING, 1.5, ValueError, r"iou_threshold must lie in \[0, 1\], got 1.5"),
        (ROW, FALLING, float("nan"), ValueError, r"iou_threshold must lie in \[0, 1\], got nan"),
    ],
)
def test_nms_rejects(function, boxes, scores, threshold, error, message):
    with pytest.raises(error, match=message):
        function(boxes, scores, threshold)


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        (torch.zeros(4, dtype=torch.int64), ValueError, r"classes must have shape \(5,\)"),
        (torch.zeros(5), TypeError, "classes must be a tensor of integers, got torch.float32"),
        (torch.zeros(5, dtype=torch.bool), TypeError, "classes must be a tensor of integers"),
        (
            torch.zeros(5) * 1j,
            TypeError,
            "classes must be a tensor of integers, got torch.complex64",
        ),
        (torch.zeros(5, dtype=torch.int64, device="meta"), ValueError, "classes must be on the"),
    ],
)
def test_class_wise_nms_rejects(classes, error, message):
    with pytest.raises(error, match=message):
        class_wise_nms(ROW, FALLING, classes, 0.5)


@pytest.mark.parametrize("function", [class_wise_nms, soft_nms])
def test_the_other_forms_reject_what_nms_rejects(function):
    others = [torch.zeros(5, dtype=torch.int64), 0.5] if function is class_wise_nms else []
    with pytest.raises(ValueError, match="boxes must have x1 <= x2 and y1 <= y2"):
        function(ROW.flip(1), FALLING, *others)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": FALLING * 2}, r"scores must lie in \[0, 1\], got 1.8"),
        ({"decay": "cubic"}, 'decay must be "linear" or "gaussian", got \'cubic\''),
        ({"sigma": 0.0}, "sigma must be greater than 0, got 0.0"),
        ({"score_threshold": -0.1}, r"score_threshold must lie in \[0, 1\], got -0.1"),
        ({"iou_threshold": 2}, r"iou_threshold must lie in \[0, 1\], got 2"),
    ],
)
def test_soft_nms_rejects(change, message):
    with pytest.raises(ValueError, match=message):
        soft_nms(**{"boxes": ROW, "scores": FALLING} | change)
