import copy
import math
from functools import partial

import pytest
import torch
from torch import nn

from notes.init.by_type import init_by_type
from notes.init.kaiming import kaiming_normal_
from notes.init.simple import constant_, normal_
from notes.init.variances import variance_report
from notes.init.xavier import xavier_normal_


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def scaled(factor, size=1000):
    """A linear layer that multiplies each input by one factor."""
    layer = nn.Linear(size, size, bias=False)
    with torch.no_grad():
        layer.weight.copy_(factor * torch.eye(size))
    return layer


def test_layers_that_multiply_square_their_factors_into_the_variances():
    model = nn.Sequential(scaled(2.0), scaled(3.0))
    rows = variance_report(model, torch.randn(8, 1000, generator=seeded()), generator=seeded(1))
    assert [(row.name, row.kind) for row in rows] == [("0", "Linear"), ("1", "Linear")]
    assert [row.activation for row in rows] == pytest.approx([4, 36], rel=0.1)
    assert [row.gradient for row in rows] == pytest.approx([9, 1], rel=0.1)


def test_a_constant_output_has_no_variance():
    layer = nn.Linear(3, 2)
    constant_(layer.weight, 0.0)
    constant_(layer.bias, 5.0)
    (row,) = variance_report(layer, torch.rand(4, 3))
    assert row.activation == 0


@pytest.mark.parametrize(
    ("activation", "rule", "expected"),
    [
        pytest.param(nn.ReLU, partial(normal_, std=0.01), 2e-29, id="ReLU from 0.01 vanishes"),
        pytest.param(nn.ReLU, partial(normal_, std=1.0), 2.8e31, id="ReLU from 1 explodes"),
        pytest.param(nn.ReLU, xavier_normal_, 4e-5, id="ReLU from Xavier fades"),
        pytest.param(nn.ReLU, kaiming_normal_, 0.82, id="ReLU from Kaiming holds"),
        pytest.param(nn.Tanh, partial(normal_, std=0.01), 1e-24, id="tanh from 0.01 vanishes"),
        pytest.param(nn.Tanh, partial(normal_, std=1.0), 0.974, id="tanh from 1 saturates"),
        pytest.param(nn.Tanh, xavier_normal_, 0.13, id="tanh from Xavier holds"),
    ],
)
def test_the_spread_after_thirty_layers_is_that_of_the_notes(activation, rule, expected):
    model = nn.Sequential(
        *(part for _ in range(30) for part in (nn.Linear(256, 256, bias=False), activation()))
    ).double()
    init_by_type(model, {nn.Linear: partial(rule, generator=seeded())})
    inputs = torch.randn(64, 256, generator=seeded(1), dtype=torch.float64)
    last = variance_report(model, inputs, generator=seeded(2))[-1]
    # Another draw of the weights gives another number of the same size.
    assert 1 / 3 < math.sqrt(last.activation) / expected < 3


def test_nothing_in_the_model_changes():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = copy.deepcopy(model.state_dict())
    inputs = torch.rand(8, 4)
    variance_report(model, inputs)
    torch.testing.assert_close(model.state_dict(), before)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert inputs.grad is None
    assert not any(module._forward_hooks for module in model.modules())


def test_it_works_where_gradients_are_switched_off():
    with torch.no_grad():
        (row,) = variance_report(scaled(1.0), torch.randn(8, 1000, generator=seeded()))
    assert row.gradient == pytest.approx(1, rel=0.1)


def test_an_activation_that_works_in_place_makes_no_difference():
    inputs = torch.randn(8, 6, generator=seeded())
    layers = [nn.Linear(6, 6), nn.Linear(6, 6)]
    reports = [
        variance_report(
            nn.Sequential(layers[0], nn.ReLU(inplace=inplace), layers[1]),
            inputs,
            generator=seeded(),
        )
        for inplace in (False, True)
    ]
    assert reports[0] == reports[1]


def test_the_same_seed_gives_the_same_report():
    model, inputs = nn.Linear(3, 3), torch.rand(4, 3)
    first, second = (variance_report(model, inputs, generator=seeded(4)) for _ in range(2))
    assert first == second


def test_a_module_that_runs_twice_has_two_rows_and_frozen_weights_do_not_matter():
    shared = scaled(2.0).requires_grad_(False)
    rows = variance_report(
        nn.Sequential(shared, shared), torch.randn(8, 1000, generator=seeded()), generator=seeded(1)
    )
    assert [row.name for row in rows] == ["0", "0"]
    assert [row.gradient for row in rows] == pytest.approx([4, 1], rel=0.1)


def test_word_numbers_as_inputs_are_fine():
    model = nn.Sequential(nn.Embedding(10, 64), nn.Linear(64, 64))
    rows = variance_report(model, torch.arange(10)[None])
    assert [row.kind for row in rows] == ["Embedding", "Linear"]
    assert all(row.gradient > 0 for row in rows)


def test_a_layer_whose_output_nobody_uses_gets_no_gradient():
    class Forgetful(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            self.unused(x)
            return self.used(x)

    gradients = {row.name: row.gradient for row in variance_report(Forgetful(), torch.rand(4, 3))}
    assert gradients["unused"] == 0
    assert gradients["used"] > 0


def test_inputs_that_are_empty_or_not_finite_are_rejected():
    with pytest.raises(ValueError, match=r"inputs must not be empty, got shape \(0, 3\)"):
        variance_report(nn.Linear(3, 2), torch.zeros(0, 3))
    with pytest.raises(ValueError, match=r"inputs must be finite, got inf at index \(0, 1\)"):
        variance_report(nn.Linear(3, 2), torch.tensor([[0.0, torch.inf, 0.0]]))


def test_the_gradient_is_that_of_autograd():
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    inputs = torch.rand(6, 4)
    report = variance_report(model, inputs, generator=seeded(2))
    hidden = model[0](inputs)
    noise = torch.empty(6, 3).normal_(generator=seeded(2))
    (gradient,) = torch.autograd.grad(model[1:](hidden), hidden, noise)
    assert report[0].gradient == pytest.approx(gradient.var(correction=0).item(), rel=1e-4)
    assert report[0].activation == pytest.approx(hidden.var(correction=0).item(), rel=1e-4)
