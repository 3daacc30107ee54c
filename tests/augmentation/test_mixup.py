import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torchvision.transforms import v2

from notes.augmentation.mixup import draw_mixup, mixup, mixup_at

IMAGES = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
LABELS, SWAP = torch.tensor([0, 1]), torch.tensor([1, 0])


def test_images_and_labels_are_mixed_in_the_same_proportion():
    mixed, targets = mixup_at(IMAGES, LABELS, SWAP, torch.tensor([0.75, 0.5]), 2)
    assert mixed.flatten().tolist() == [0.25, 0.5]
    assert targets.tolist() == [[0.75, 0.25], [0.5, 0.5]]


def test_a_weight_of_one_changes_nothing(make_images):
    images = make_images(torch.float32)
    mixed, targets = mixup_at(images, torch.arange(6), torch.arange(6).flip(0), torch.ones(6), 6)
    assert torch.equal(mixed, images)
    assert torch.equal(targets, torch.eye(6))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 6), alpha=st.floats(0.05, 20))
@settings(max_examples=40, deadline=None)
def test_mixing_keeps_the_sum_of_the_targets_and_the_range_of_the_pixels(seed, count, alpha):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 2, 3, 4, generator=generator)
    labels = torch.randint(0, 5, (count,), generator=generator)
    mixed, targets = mixup(images, labels, 5, alpha, generator)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(count))
    assert (mixed >= images.amin(dim=0) - 1e-6).all()
    assert (mixed <= images.amax(dim=0) + 1e-6).all()


def test_a_weight_of_zero_exchanges_the_images():
    mixed, targets = mixup_at(IMAGES, LABELS, SWAP, torch.zeros(2), 2)
    assert torch.equal(mixed, IMAGES.flip(0))
    assert targets.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_any_mixture_is_equally_likely_unless_told(generator):
    images, labels = torch.arange(3000.0).view(-1, 1, 1, 1) % 2, torch.arange(3000) % 2
    _, weights = draw_mixup(images, generator=generator)
    assert stats.kstest(weights, stats.uniform.cdf).pvalue > 0.001
    targets = mixup(images, labels, 2, generator=generator)[1]
    mixed = targets[(targets[:, 0] > 0) & (targets[:, 0] < 1), 0]
    assert stats.kstest(mixed, stats.uniform.cdf).pvalue > 0.001


def test_each_image_has_a_weight_of_its_own(generator):
    partners, weights = draw_mixup(torch.zeros(50, 1, 1, 1), generator=generator)
    assert len(weights.unique()) == 50
    assert sorted(partners.tolist()) == list(range(50))


def test_half_precision_keeps_its_dtype(make_images):
    mixed, targets = mixup(make_images(torch.float16), torch.arange(6), 6)
    assert mixed.dtype == torch.float16
    assert targets.dtype == torch.float32


def test_integer_images_are_refused_where_floats_are_due():
    with pytest.raises(TypeError, match=r"images must be a floating-point tensor, got torch.uint8"):
        mixup(IMAGES.byte(), LABELS, 2)


@pytest.mark.parametrize("weight", [-0.5, 1.5])
def test_weights_outside_0_and_1_are_refused(weight):
    with pytest.raises(ValueError, match=rf"^weights must lie in \[0, 1\], got {weight}$"):
        mixup_at(IMAGES, LABELS, SWAP, torch.tensor([0.5, weight]), 2)


def test_weights_that_are_nan_are_refused():
    with pytest.raises(ValueError, match=r"^weights must be finite, got nan at index \(1,\)$"):
        mixup_at(IMAGES, LABELS, SWAP, torch.tensor([0.5, float("nan")]), 2)


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan")])
def test_an_alpha_that_is_not_positive_is_refused(alpha):
    with pytest.raises(ValueError, match=rf"^alpha must be greater than 0, got {alpha}$"):
        mixup(IMAGES, LABELS, 2, alpha)


def test_a_label_out_of_range_and_a_wrong_partner_are_refused():
    with pytest.raises(ValueError, match=r"^labels must lie in \[0, 1\), got 1$"):
        mixup(IMAGES, LABELS, 1)
    with pytest.raises(ValueError, match=r"^partners must lie in \[0, 2\), got 2$"):
        mixup_at(IMAGES, LABELS, SWAP + 1, torch.ones(2), 2)


def test_a_single_image_is_refused():
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 1, 1\)"):
        mixup(IMAGES[0], LABELS, 2)


def test_mixtures_agree_with_torchvision_when_the_draws_are_given(make_images, monkeypatch):
    # torchvision mixes each image with the one before it, all with one weight.
    images, labels = make_images(torch.float32), torch.tensor([3, 1, 4, 1, 0, 2])
    transform = v2.MixUp(num_classes=5)
    monkeypatch.setattr(transform, "make_params", lambda _: {"lam": 0.3})
    theirs, their_targets = transform(images, labels)
    before = torch.arange(6).roll(1)
    mixed, targets = mixup_at(images, labels, before, torch.full((6,), 0.3), 5)
    torch.testing.assert_close(mixed, theirs)
    torch.testing.assert_close(targets, their_targets)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_weights_are_distributed_as_in_torchvision(alpha, generator, differ):
    _, weights = draw_mixup(torch.zeros(1500, 1, 1, 1), alpha, generator)
    torch.manual_seed(0)
    theirs = [v2.MixUp(alpha=alpha, num_classes=2).make_params([])["lam"] for _ in range(1500)]
    assert not differ(weights, theirs)
    assert stats.kstest(weights, stats.beta(alpha, alpha).cdf).pvalue > 0.001
