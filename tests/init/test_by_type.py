from functools import partial

import pytest
import torch
from torch import nn

from notes.init.by_type import init_by_type
from notes.init.kaiming import kaiming_normal_
from notes.init.simple import constant_, normal_
from notes.init.xavier import xavier_uniform_


def ones(weight):
    return constant_(weight, 1.0)


def twos(weight):
    return constant_(weight, 2.0)


class OwnLinear(nn.Linear):
    """A subclass, as a reader may write one."""


def model():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.Sequential(nn.Flatten(), nn.Linear(8, 4)),
        OwnLinear(4, 1),
    )


def test_each_type_gets_its_rule_and_its_bias_becomes_zero():
    net = model()
    assert init_by_type(net, {nn.Conv2d: ones, nn.Linear: twos}) == ["0", "2.1", "3"]
    assert (net[0].weight == 1).all()
    assert (net[2][1].weight == 2).all()
    assert (net[3].weight == 2).all()
    for layer in (net[0], net[2][1], net[3]):
        assert (layer.bias == 0).all()


def test_modules_without_a_rule_keep_their_values():
    net = model()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    init_by_type(net, {nn.Conv2d: ones})
    untouched = [name for name in before if not name.startswith("0.")]
    assert untouched
    assert all(torch.equal(net.state_dict()[name], before[name]) for name in untouched)


@pytest.mark.parametrize("order", [1, -1])
def test_the_rule_of_the_closest_class_counts_whatever_the_order(order):
    rules = dict([(nn.Linear, ones), (OwnLinear, twos)][::order])
    net = model()
    init_by_type(net, rules)
    assert (net[2][1].weight == 1).all()
    assert (net[3].weight == 2).all()


def test_the_root_itself_can_be_filled():
    layer = nn.Linear(2, 2, bias=False)
    assert init_by_type(layer, {nn.Linear: ones}) == [""]
    assert (layer.weight == 1).all()


def test_a_seeded_generator_gives_the_same_start_again_and_the_mode_stays():
    states = []
    for _ in range(2):
        net = model().eval()
        generator = torch.Generator().manual_seed(0)
        init_by_type(
            net,
            {
                nn.Conv2d: partial(kaiming_normal_, generator=generator),
                nn.Linear: partial(xavier_uniform_, generator=generator),
            },
        )
        assert not net.training
        states.append([net[0].weight, net[2][1].weight, net[3].weight])
    assert all(torch.equal(first, second) for first, second in zip(*states, strict=True))


def test_the_parameters_can_still_be_trained():
    net = nn.Sequential(nn.Linear(2, 1))
    init_by_type(net, {nn.Linear: partial(normal_, std=0.01)})
    net(torch.ones(1, 2)).sum().backward()
    assert net[0].weight.grad.tolist() == [[1, 1]]


def test_rules_that_match_nothing_are_rejected():
    message = "rules must match a module of the model, got rules for Conv1d, Bilinear"
    with pytest.raises(ValueError, match=message):
        init_by_type(model(), {nn.Conv1d: ones, nn.Bilinear: ones})
    with pytest.raises(ValueError, match="got rules for none"):
        init_by_type(model(), {})


def test_a_rule_for_a_module_without_weight_is_rejected():
    with pytest.raises(TypeError, match="rules must be for modules with a weight, got Flatten"):
        init_by_type(model(), {nn.Flatten: ones})


def test_a_lazy_module_must_see_a_batch_first():
    net = nn.Sequential(nn.LazyLinear(2))
    message = "module '0' must know its shape, got LazyLinear: send one batch"
    with pytest.raises(ValueError, match=message):
        init_by_type(net, {nn.Linear: ones})
    net(torch.zeros(1, 3))
    assert init_by_type(net, {nn.Linear: ones}) == ["0"]


def test_it_does_what_apply_of_torch_does():
    ours, theirs = model(), model()
    theirs.load_state_dict(ours.state_dict())
    init_by_type(ours, {nn.Linear: ones})

    def fill(module):
        if isinstance(module, nn.Linear):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)

    theirs.apply(fill)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
