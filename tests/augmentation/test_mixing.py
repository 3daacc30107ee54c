import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from notes.augmentation._mixing import check_batch, check_partners, draw_partners, mix_labels

IMAGES = torch.zeros(2, 3, 4, 4)


def test_a_label_is_shared_between_two_classes():
    shared = mix_labels(torch.tensor([0, 2]), torch.tensor([1, 0]), torch.tensor([0.75, 0.0]), 3)
    assert shared.tolist() == [[0.75, 0.0, 0.25], [1.0, 0.0, 0.0]]


def test_an_image_that_is_its_own_partner_keeps_its_label():
    shared = mix_labels(torch.tensor([1]), torch.tensor([0]), torch.tensor([0.3]), 2)
    assert shared.tolist() == [[0.0, 1.0]]


def test_cross_entropy_takes_the_shared_labels():
    logits = torch.tensor([[0.3, -0.2, 0.7]])
    shared = torch.tensor([[0.25, 0.0, 0.75]])
    losses = [F.cross_entropy(logits, torch.tensor([k])) for k in (0, 2)]
    expected = 0.25 * losses[0] + 0.75 * losses[1]
    torch.testing.assert_close(F.cross_entropy(logits, shared), expected)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_shared_labels_are_probabilities(samples):
    labels, weights = (torch.tensor(values) for values in zip(*samples, strict=True))
    shared = mix_labels(labels, draw_partners(torch.zeros(len(labels), 1, 1, 1)), weights, 5)
    assert shared.shape == (len(labels), 5)
    assert ((shared >= 0) & (shared <= 1)).all()
    torch.testing.assert_close(shared.sum(dim=1), torch.ones(len(labels), dtype=weights.dtype))


def test_each_image_is_a_partner_exactly_once(generator):
    for count in (1, 2, 9):
        partners = draw_partners(torch.zeros(count, 1, 1, 1), generator)
        assert sorted(partners.tolist()) == list(range(count))


def test_all_pairings_are_equally_likely(generator):
    batch = torch.zeros(3, 1, 1, 1)
    seen = [tuple(draw_partners(batch, generator).tolist()) for _ in range(600)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert 70 < min(counts) <= max(counts) < 130


@pytest.mark.parametrize("partner", [-1, 2])
def test_partners_outside_the_batch_are_refused(partner):
    with pytest.raises(ValueError, match=rf"^partners must lie in \[0, 2\), got {partner}$"):
        check_partners(torch.tensor([0, partner]), IMAGES)


def test_partners_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r"^partners must have shape \(2,\), got \(1,\)$"):
        check_partners(torch.tensor([0]), IMAGES)


@pytest.mark.parametrize("label", [-1, 5])
def test_labels_out_of_range_are_refused(label):
    with pytest.raises(ValueError, match=rf"^labels must lie in \[0, 5\), got {label}$"):
        check_batch(IMAGES, torch.tensor([0, label]), 5)


def test_labels_of_another_kind_are_refused():
    with pytest.raises(TypeError, match=r"labels must be a tensor of integers, got torch.float32"):
        check_batch(IMAGES, torch.tensor([0.0, 1.0]), 5)
    with pytest.raises(ValueError, match=r"labels must have shape \(2,\), got \(3,\)"):
        check_batch(IMAGES, torch.tensor([0, 1, 1]), 5)
    with pytest.raises(ValueError, match=r"labels must be on the device of images, cpu, got meta"):
        check_batch(IMAGES, torch.zeros(2, dtype=torch.int64, device="meta"), 5)
