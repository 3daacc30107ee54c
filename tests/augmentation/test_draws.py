import pytest
import torch
from scipy import stats

from notes.augmentation._draws import draw_integers, draw_symmetric_beta, draw_uniform


def test_uniform_numbers_fill_their_range(generator):
    numbers = draw_uniform((40, 50), -2.0, 3.0, generator)
    assert numbers.shape == (40, 50)
    assert numbers.dtype == torch.float32
    assert stats.kstest(numbers.flatten(), stats.uniform(-2, 5).cdf).pvalue > 0.001


def test_integers_reach_each_value_below_their_own_count(generator):
    counts = torch.tensor([1, 2, 5]).repeat(1000, 1)
    numbers = draw_integers(counts, generator)
    assert numbers.dtype == torch.int64
    for column, count in enumerate((1, 2, 5)):
        observed = numbers[:, column].bincount(minlength=count)
        assert len(observed) == count
        assert count == 1 or stats.chisquare(observed).pvalue > 0.001


@pytest.mark.parametrize("count", [1, 3, 9, 255, 1000, 2**20 + 1])
def test_the_largest_draw_stays_below_the_count(count, monkeypatch):
    largest = 1 - 2**-24
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, largest))
    assert draw_integers(torch.tensor([count])).item() == count - 1


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 4.0, 50.0])
def test_beta_numbers_follow_the_beta_distribution(alpha, generator):
    numbers = draw_symmetric_beta(3000, alpha, generator)
    assert stats.kstest(numbers, stats.beta(alpha, alpha).cdf).pvalue > 0.001


@pytest.mark.parametrize("alpha", [1e-3, 1e-2, 1e6])
def test_beta_numbers_of_an_extreme_shape_are_never_nan(alpha, generator):
    numbers = draw_symmetric_beta(3000, alpha, generator)
    assert ((numbers >= 0) & (numbers <= 1)).all()


def test_a_draw_of_exactly_zero_gives_an_end_of_the_beta_distribution(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    assert draw_symmetric_beta(1, 1.0).item() == 1.0


def test_the_same_seed_gives_the_same_numbers():
    first, second = (
        draw_uniform((5,), 0.0, 1.0, torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_without_a_generator_the_global_seed_counts():
    torch.manual_seed(3)
    expected = draw_symmetric_beta(5, 1.0, torch.Generator().manual_seed(3))
    assert torch.equal(draw_symmetric_beta(5, 1.0), expected)


def test_a_draw_leaves_the_global_generator_alone(generator):
    before = torch.get_rng_state()
    draw_uniform((5,), 0.0, 1.0, generator)
    draw_integers(torch.tensor([5]), generator)
    draw_symmetric_beta(5, 1.0, generator)
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_are_drawn_where_the_generator_lives(monkeypatch):
    class GeneratorElsewhere:
        device = torch.device("meta")

    places = []

    def rand(shape, generator, device, dtype):
        places.append((generator, device))
        return torch.zeros(shape, dtype=dtype)

    monkeypatch.setattr(torch, "rand", rand)
    elsewhere = GeneratorElsewhere()
    draw_uniform((5,), 0.0, 1.0, elsewhere)
    draw_uniform((5,), 0.0, 1.0)
    assert places == [(elsewhere, torch.device("meta")), (None, "cpu")]


def test_numbers_go_to_the_device_that_is_asked_for(generator):
    assert draw_uniform((5,), 0.0, 1.0, generator, "meta").device.type == "meta"
    assert draw_symmetric_beta(5, 1.0, generator, "meta").device.type == "meta"
