import math

import pytest
import torch
import torch.nn.functional as F

from notes.detection.ssd_loss import hardest_negatives, ssd_loss
from notes.detection.targets import Targets


def make(num_images=2, num_anchors=12, num_classes=3, *, num_positive=3, dtype=torch.float64):
    """Random predictions, and targets with `num_positive` positive anchors in each image."""
    generator = torch.Generator().manual_seed(0)
    shape = (num_images, num_anchors)
    class_logits = torch.randn(*shape, num_classes + 1, generator=generator, dtype=dtype)
    offsets = torch.randn(*shape, 4, generator=generator, dtype=dtype)
    positive = torch.arange(num_anchors).expand(shape) < num_positive
    classes = torch.randint(1, num_classes + 1, shape, generator=generator) * positive
    wanted = torch.randn(*shape, 4, generator=generator, dtype=dtype) * positive[..., None]
    return class_logits, offsets, Targets(classes, wanted, positive)


def loop(class_logits, offsets, targets, hard_negatives):
    """The paper's loss, one anchor after the other."""
    classes, boxes = 0.0, 0.0
    for logits, predicted, kinds, wanted, positive in zip(
        class_logits, offsets, *targets, strict=True
    ):
        negatives = []
        for anchor in range(len(logits)):
            entropy = -math.log(logits[anchor].softmax(dim=0)[kinds[anchor]].item())
            if positive[anchor]:
                classes += entropy
                boxes += (predicted[anchor] - wanted[anchor]).abs().sum().item()
            else:
                negatives.append(entropy)
        negatives.sort(reverse=True)
        classes += sum(negatives[: int(hard_negatives * max(1, int(positive.sum())))])
    num_positive = max(1, int(targets.positive.sum()))
    return classes / num_positive, boxes / num_positive


def test_the_value_computed_by_hand():
    """One image, four anchors, one positive; all logits are equal, so each entropy is ln 2."""
    class_logits = torch.zeros(1, 4, 2)
    offsets = torch.tensor([[[1.0, -2.0, 0.0, 0.0], *3 * [[9.0, 9.0, 9.0, 9.0]]]])
    positive = torch.tensor([[True, False, False, False]])
    targets = Targets(positive.long(), torch.zeros(1, 4, 4), positive)
    paper = ssd_loss(class_logits, offsets, targets, hard_negatives=2)
    assert paper.classes.item() == pytest.approx(3 * math.log(2))
    assert paper.boxes.item() == pytest.approx(3)
    assert paper.total.item() == pytest.approx(3 * math.log(2) + 3)
    notes = ssd_loss(class_logits, offsets, targets, per="anchor", hard_negatives=None)
    assert notes.classes.item() == pytest.approx(math.log(2))
    assert notes.boxes.item() == pytest.approx(3 / 16)


def test_one_positive_among_a_hundred_hardly_counts_for_the_notes():
    positive = torch.arange(100)[None] == 0
    targets = Targets(positive.long(), positive[..., None] * torch.ones(4), positive)
    logits, offsets = torch.zeros(1, 100, 2), torch.zeros(1, 100, 4)
    loss = ssd_loss(logits, offsets, targets, per="anchor", hard_negatives=None)
    assert loss.boxes.item() == pytest.approx(0.01)
    assert loss.classes.item() == pytest.approx(math.log(2))
    assert ssd_loss(logits, offsets, targets).boxes.item() == pytest.approx(4)


def test_offsets_of_background_anchors_do_not_count():
    class_logits, offsets, targets = make()
    changed = torch.where(targets.positive[..., None], offsets, 100.0)
    assert ssd_loss(class_logits, offsets, targets) == ssd_loss(class_logits, changed, targets)


@pytest.mark.parametrize("per", ["positive", "anchor"])
def test_the_order_of_the_anchors_does_not_matter(per):
    class_logits, offsets, targets = make()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    moved = Targets(*(part[:, order] for part in targets))
    one = ssd_loss(class_logits, offsets, targets, per=per)
    other = ssd_loss(class_logits[:, order], offsets[:, order], moved, per=per)
    torch.testing.assert_close(one, other)


def test_a_batch_without_objects_still_learns_what_background_is():
    class_logits, offsets, targets = make(num_positive=0)
    loss = ssd_loss(class_logits, offsets, targets)
    assert loss.boxes == 0
    hardest = F.cross_entropy(
        class_logits.flatten(0, 1), targets.classes.flatten(), reduction="none"
    )
    expected = hardest.view(2, 12).topk(3).values.sum()
    torch.testing.assert_close(loss.classes, expected)


def test_an_image_full_of_objects_has_no_negatives():
    _, _, targets = make(num_positive=12)
    assert not hardest_negatives(torch.rand(2, 12), targets.positive).any()


def test_the_hardest_negatives_are_chosen_image_by_image():
    losses = torch.tensor([[0.1, 0.9, 0.5, 0.3], [0.1, 0.2, 0.3, 0.4]])
    positive = torch.tensor([[True, False, False, False], [False, True, True, False]])
    expected = [[False, True, False, False], [True, False, False, True]]
    assert hardest_negatives(losses, positive, per_positive=1).tolist() == expected


def test_no_negatives_can_be_asked_for():
    assert not hardest_negatives(torch.rand(1, 5), torch.zeros(1, 5).bool(), 0).any()


@pytest.mark.parametrize("hard_negatives", [1, 3, 100])
@pytest.mark.parametrize("num_positive", [0, 3])
def test_the_loss_agrees_with_a_loop_over_the_anchors(hard_negatives, num_positive):
    predictions = make(num_positive=num_positive)
    loss = ssd_loss(*predictions, hard_negatives=hard_negatives)
    expected = loop(*predictions, hard_negatives)
    assert [part.item() for part in loss] == pytest.approx(expected)


def test_the_loss_of_the_notes_is_a_mean_of_means():
    class_logits, offsets, targets = make()
    loss = ssd_loss(class_logits, offsets, targets, per="anchor", hard_negatives=None)
    classes = F.cross_entropy(
        class_logits.reshape(-1, 4), targets.classes.reshape(-1), reduction="none"
    )
    mask = targets.positive[..., None]
    boxes = F.l1_loss(offsets * mask, targets.offsets * mask, reduction="none")
    torch.testing.assert_close(loss.classes, classes.reshape(2, -1).mean(dim=1).mean())
    torch.testing.assert_close(loss.boxes, boxes.reshape(2, -1).mean(dim=1).mean())


def test_smooth_l1_agrees_with_pytorch():
    class_logits, offsets, targets = make()
    loss = ssd_loss(class_logits, offsets, targets, beta=1.0)
    chosen = targets.positive
    expected = F.smooth_l1_loss(offsets[chosen], targets.offsets[chosen], reduction="sum")
    torch.testing.assert_close(loss.boxes, expected / chosen.sum())


@pytest.mark.parametrize("per", ["positive", "anchor"])
@pytest.mark.parametrize("hard_negatives", [3.0, None])
def test_gradients_agree_with_differences(per, hard_negatives):
    class_logits, offsets, targets = make()

    def total(class_logits, offsets):
        return ssd_loss(
            class_logits, offsets, targets, per=per, hard_negatives=hard_negatives
        ).total

    assert torch.autograd.gradcheck(
        total, (class_logits.requires_grad_(), offsets.requires_grad_())
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_predictions_in_half_precision_are_summed_up_in_float32(dtype):
    predictions = make(dtype=dtype)
    class_logits, offsets, targets = predictions
    loss = ssd_loss(*predictions)
    expected = ssd_loss(class_logits.float(), offsets.float(), targets)
    torch.testing.assert_close(loss, expected, rtol=0, atol=0)
    many = torch.full((1, 6000, 4), 9.0, dtype=dtype)  # their sum is 216,000
    positive = torch.ones(1, 6000, dtype=torch.bool)
    targets = Targets(positive.long(), torch.zeros_like(many), positive)
    assert ssd_loss(torch.zeros(1, 6000, 2, dtype=dtype), many, targets).boxes.item() == 36


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_classes_may_be_small_integers(dtype):
    class_logits, offsets, targets = make()
    expected = ssd_loss(class_logits, offsets, targets)
    small = targets._replace(classes=targets.classes.to(dtype))
    assert ssd_loss(class_logits, offsets, small) == expected


def test_targets_may_be_any_three_tensors():
    class_logits, offsets, targets = make()
    expected = ssd_loss(class_logits, offsets, targets)
    assert ssd_loss(class_logits, offsets, tuple(targets)) == expected


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32])
def test_positives_that_are_no_booleans_are_rejected(dtype):
    class_logits, offsets, targets = make()
    wrong = targets._replace(positive=targets.positive.to(dtype))
    with pytest.raises(
        TypeError, match=r"targets.positive must be a tensor of booleans, got torch"
    ):
        ssd_loss(class_logits, offsets, wrong)
    with pytest.raises(TypeError, match="positive must be a tensor of booleans, got torch"):
        hardest_negatives(torch.rand(2, 12), wrong.positive)


def test_positives_of_other_anchors_are_rejected():
    with pytest.raises(ValueError, match=r"positive must have shape \(2, 12\), got \(12,\)"):
        hardest_negatives(torch.rand(2, 12), torch.ones(12).bool())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_logits": torch.zeros(2, 12)}, r"class_logits must have shape \(B, A, K \+ 1\)"),
        ({"offsets": torch.zeros(2, 11, 4)}, r"offsets must have shape \(2, 12, 4\), got \(2, 11"),
        ({"per": "image"}, "per must be 'positive' or 'anchor', got 'image'"),
        ({"hard_negatives": -1}, "hard_negatives must be at least 0, got -1"),
        ({"beta": -0.5}, "beta must be at least 0, got -0.5"),
        ({"class_logits": torch.zeros(2, 12, 2)}, r"targets.classes must lie in \[0, 2\), got"),
    ],
)
def test_what_does_not_fit_is_rejected(changes, message):
    class_logits, offsets, targets = make()
    arguments = {"class_logits": class_logits, "offsets": offsets, "targets": targets, **changes}
    with pytest.raises(ValueError, match=message):
        ssd_loss(**arguments)


def test_targets_of_other_anchors_are_rejected():
    class_logits, offsets, _ = make()
    _, _, targets = make(num_anchors=13)
    message = r"targets.classes must have shape \(2, 12\), got \(2, 13\)"
    with pytest.raises(ValueError, match=message):
        ssd_loss(class_logits, offsets, targets)


def test_integer_predictions_are_rejected():
    class_logits, offsets, targets = make()
    with pytest.raises(TypeError, match="class_logits must be a floating-point tensor"):
        ssd_loss(class_logits.long(), offsets, targets)
    with pytest.raises(TypeError, match="offsets must be a floating-point tensor"):
        ssd_loss(class_logits, offsets.long(), targets)
