import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from notes.augmentation.cutmix import cutmix, cutmix_at, draw_cutmix

IMAGES = torch.tensor([0, 1], dtype=torch.uint8).view(2, 1, 1, 1).repeat(1, 1, 2, 4)
LABELS, SWAP = torch.tensor([0, 1]), torch.tensor([1, 0])


def test_a_label_counts_as_much_as_its_area():
    parts = torch.tensor([[0, 1, 1, 2], [0, 0, 2, 4]])
    mixed, targets = cutmix_at(IMAGES, LABELS, SWAP, parts, 2)
    assert mixed.dtype == torch.uint8
    assert mixed.flatten(1).tolist() == [[0, 1, 1, 0, 0, 0, 0, 0], [0] * 8]
    assert targets.tolist() == [[0.75, 0.25], [1.0, 0.0]]


def test_an_empty_part_changes_nothing():
    nothing = torch.zeros(2, 4, dtype=torch.int64)
    mixed, targets = cutmix_at(IMAGES, LABELS, SWAP, nothing, 2)
    assert torch.equal(mixed, IMAGES)
    assert torch.equal(targets, torch.eye(2))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 6), alpha=st.floats(0.05, 20))
@settings(max_examples=40, deadline=None)
def test_the_targets_say_from_which_image_the_pixels_come(seed, count, alpha):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.arange(count)
    images = numbers[:, None, None, None].float().expand(-1, 1, 8, 10)
    mixed, targets = cutmix(images, numbers, count, alpha, generator)
    shares = torch.stack([(mixed == number).float().mean(dim=(1, 2, 3)) for number in numbers], 1)
    torch.testing.assert_close(targets, shares)


def test_each_image_has_a_part_of_its_own(generator):
    partners, parts = draw_cutmix(torch.zeros(50, 1, 64, 64), generator=generator)
    assert len(parts.unique(dim=0)) > 40
    assert sorted(partners.tolist()) == list(range(50))


def test_all_areas_are_equally_likely_unless_told(make_images):
    def seed():
        return torch.Generator().manual_seed(2)

    images, labels = make_images(), torch.arange(6)
    many = torch.zeros(50, 1, 64, 64)
    told, untold = draw_cutmix(many, 1.0, seed()), draw_cutmix(many, generator=seed())
    assert torch.equal(told[1], untold[1])
    told = cutmix(images, labels, 6, 1.0, seed())
    assert torch.equal(told[0], cutmix(images, labels, 6, generator=seed())[0])


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan")])
def test_an_alpha_that_is_not_positive_is_refused(alpha):
    with pytest.raises(ValueError, match=rf"^alpha must be greater than 0, got {alpha}$"):
        cutmix(IMAGES, LABELS, 2, alpha)


def test_labels_partners_and_parts_that_do_not_fit_are_refused():
    parts = torch.tensor([[0, 0, 1, 3], [0, 2, 1, 3]])
    with pytest.raises(ValueError, match=r"^parts must have .* got .* \[0, 2, 1, 3\]$"):
        cutmix_at(IMAGES, LABELS, SWAP, parts, 2)
    with pytest.raises(ValueError, match=r"^partners must lie in \[0, 2\), got 2$"):
        cutmix_at(IMAGES, LABELS, SWAP + 1, parts, 2)
    with pytest.raises(ValueError, match=r"^labels must lie in \[0, 1\), got 1$"):
        cutmix(IMAGES, LABELS, 1)


def test_a_single_image_is_refused():
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 2, 4\)"):
        cutmix(IMAGES[0], LABELS, 2)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_mixtures_agree_with_torchvision_when_the_draws_are_given(dtype, make_images, monkeypatch):
    # torchvision mixes each image with the one before it, all with one rectangle.
    images, labels = make_images(dtype), torch.tensor([3, 1, 4, 1, 0, 2])
    transform = v2.CutMix(num_classes=5)
    given = {"box": (2, 3, 8, 12), "lam_adjusted": 1 - 6 * 9 / (12 * 16)}
    monkeypatch.setattr(transform, "make_params", lambda _: given)
    theirs, their_targets = transform(images, labels)
    parts = torch.tensor([[3, 2, 9, 6]]).expand(6, 4)
    mixed, targets = cutmix_at(images, labels, torch.arange(6).roll(1), parts, 5)
    assert torch.equal(mixed, theirs)
    torch.testing.assert_close(targets, their_targets)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_parts_are_distributed_as_in_torchvision(alpha, generator, differ):
    images = torch.zeros(1500, 1, 24, 32)
    _, parts = draw_cutmix(images, alpha, generator)
    torch.manual_seed(0)
    transform = v2.CutMix(alpha=alpha, num_classes=2)
    boxes = torch.tensor([transform.make_params([images])["box"] for _ in range(1500)])
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    for ours, theirs in zip(parts.T, (y1, x1, y2 - y1, x2 - x1), strict=True):
        assert not differ(ours, theirs)
    areas = (y2 - y1) * (x2 - x1)
    assert not differ(parts[:, 2] * parts[:, 3], areas)
