import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from notes.layers.dropout import Dropout, apply_mask, dropout, keep_mask


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("p", "survivor"), [(0.2, 1.25), (0.5, 2.0), (0.9, 10.0)])
def test_survivors_and_their_share_are_those_of_the_notes(p, survivor):
    output = dropout(torch.ones(20_000, dtype=torch.float64), p, generator=seeded())
    kept = output[output != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, survivor))
    assert 1 - len(kept) / 20_000 == pytest.approx(p, abs=0.02)
    assert output.mean().item() == pytest.approx(1.0, abs=0.1)


def test_probability_zero_keeps_everything_in_a_new_tensor():
    inputs = torch.tensor([1.0, -2.0, 0.0])
    output = dropout(inputs, 0.0)
    assert torch.equal(output, inputs)
    assert output.data_ptr() != inputs.data_ptr()


def test_probability_one_drops_everything_even_what_is_not_finite():
    inputs = torch.tensor([1.0, torch.inf, torch.nan])
    assert dropout(inputs, 1.0).tolist() == [0, 0, 0]


def test_the_mask_is_drawn_for_every_entry_of_every_example():
    output = dropout(torch.ones(4, 1000), 0.5, generator=seeded())
    assert len({tuple(row) for row in output.tolist()}) == 4


@settings(deadline=None, max_examples=25)
@given(p=st.floats(0, 0.95), seed=st.integers(0, 1000))
def test_every_entry_is_dropped_or_scaled(p, seed):
    inputs = torch.rand(50, generator=seeded(1), dtype=torch.float64) + 1
    output = dropout(inputs, p, generator=seeded(seed))
    expected = torch.where(output == 0, 0.0, inputs / (1 - p))
    torch.testing.assert_close(output, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_dtype_stays(dtype):
    assert dropout(torch.ones(3, dtype=dtype), 0.5).dtype == dtype


def test_half_precision_drops_the_right_share_of_rare_losses():
    # bfloat16 draws lie 1/256 apart or so: they would drop twice as many as asked for.
    kept = keep_mask(torch.ones(200_000, dtype=torch.bfloat16), 0.001, generator=seeded())
    assert (~kept).sum().item() == pytest.approx(200, abs=50)


def test_relu_and_dropout_can_change_places_but_sigmoid_and_dropout_cannot():
    inputs, keep = torch.randn(100, generator=seeded()), keep_mask(torch.zeros(100), 0.5)
    assert torch.equal(apply_mask(inputs.relu(), keep, 0.5), apply_mask(inputs, keep, 0.5).relu())
    before, after = (
        apply_mask(inputs, keep, 0.5).sigmoid(),
        apply_mask(inputs.sigmoid(), keep, 0.5),
    )
    assert (before[~keep] == 0.5).all()
    assert (after[~keep] == 0).all()


def test_a_draw_of_exactly_zero_is_still_kept_for_probability_zero(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *_, **__: torch.zeros(1))
    assert keep_mask(torch.ones(1), 0.0).tolist() == [True]


def test_the_layer_does_nothing_in_evaluation_mode():
    inputs = torch.ones(100)
    layer = Dropout(0.5, generator=seeded())
    assert (layer(inputs) == 0).any()
    assert torch.equal(layer.eval()(inputs), inputs)


def test_the_layer_follows_its_generator_and_draws_a_new_mask_on_each_call():
    inputs = torch.ones(100)
    first, second = (Dropout(0.5, generator=seeded(7)) for _ in range(2))
    output = first(inputs)
    assert torch.equal(output, second(inputs))
    assert not torch.equal(output, first(inputs))


def test_a_copy_of_the_layer_has_a_generator_of_its_own():
    layer = Dropout(0.5, generator=seeded(7))
    twin = copy.deepcopy(layer)
    inputs = torch.ones(100)
    assert torch.equal(layer(inputs), twin(inputs))


def test_the_mask_is_drawn_where_the_generator_lives_and_moved_to_the_inputs(monkeypatch):
    class GeneratorElsewhere:
        device = torch.device("cpu:0")

    places = []

    def rand(shape, generator, device, dtype):
        places.append(device)
        return torch.zeros(shape, dtype=dtype)

    monkeypatch.setattr(torch, "rand", rand)
    assert keep_mask(torch.zeros(3, device="meta"), 0.5, generator=GeneratorElsewhere()).is_meta
    keep_mask(torch.zeros(3), 0.5)
    assert places == [torch.device("cpu:0"), torch.device("cpu")]


def test_an_empty_tensor_stays_empty():
    assert dropout(torch.zeros(0, 3), 0.5).shape == (0, 3)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_rejected(p):
    for function in (Dropout, lambda p: dropout(torch.ones(1), p)):
        with pytest.raises(ValueError, match=rf"p must lie in \[0, 1\], got {p}"):
            function(p)


def test_integers_are_rejected():
    with pytest.raises(
        TypeError, match=r"inputs must be a floating-point tensor, got torch\.int64"
    ):
        dropout(torch.ones(3, dtype=torch.long))


def test_a_mask_of_another_shape_or_of_numbers_is_rejected():
    with pytest.raises(ValueError, match=r"keep must have shape \(3,\), got \(2,\)"):
        apply_mask(torch.ones(3), torch.ones(2, dtype=torch.bool), 0.5)
    with pytest.raises(TypeError, match=r"keep must be a tensor of booleans, got torch\.float32"):
        apply_mask(torch.ones(3), torch.ones(3), 0.5)
    with pytest.raises(ValueError, match="keep must be on the device of inputs, cpu, got meta"):
        apply_mask(torch.ones(3), torch.ones(3, dtype=torch.bool, device="meta"), 0.5)


def test_with_the_mask_of_torch_it_agrees_with_torch_in_value_and_gradient():
    inputs = torch.randn(4, 50, generator=seeded(), dtype=torch.float64)
    torch.manual_seed(0)
    keep = F.dropout(torch.ones(4, 50, dtype=torch.float64), 0.3) != 0
    mine, other = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    torch.manual_seed(0)
    expected = F.dropout(other, 0.3)
    output = apply_mask(mine, keep, 0.3)
    torch.testing.assert_close(output, expected)
    output.pow(2).sum().backward()
    expected.pow(2).sum().backward()
    torch.testing.assert_close(mine.grad, other.grad)


def test_the_gradients_are_right():
    inputs = torch.randn(4, 5, generator=seeded(), dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: dropout(x, 0.4, generator=seeded(1)), inputs)
