import copy
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from notes.data.tensor_loader import TensorLoader
from notes.training._checks import (
    check_gradients,
    check_metrics,
    check_optimizer,
    check_parameters,
    check_starts_anew,
    parameters_of,
)


class Restarting:
    """An iterator that begins again whenever somebody asks for one."""

    def __iter__(self):
        self.left = 2
        return self

    def __next__(self):
        raise StopIteration


class UsedUp(Iterator):
    """An iterator of Python that does not begin again."""

    def __next__(self):
        raise StopIteration


@pytest.mark.parametrize(
    "batches",
    [
        [1, 2],
        (1, 2),
        TensorLoader(torch.zeros(2), batch_size=1),
        DataLoader([1, 2]),
        Restarting(),
        None,
    ],
    ids=lambda batches: type(batches).__name__,
)
def test_batches_that_start_anew_are_accepted(batches):
    check_starts_anew(train_batches=batches)


@pytest.mark.parametrize(
    ("batches", "name"),
    [
        ((batch for batch in [1]), "generator"),
        (map(int, "12"), "map"),
        (zip([1], [2], strict=True), "zip"),
        (iter([1, 2]), "list_iterator"),
        (UsedUp(), "UsedUp"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_batches_that_can_be_used_only_once_are_refused(batches, name):
    message = f"val_batches must start anew in each epoch, as a list or a loader does, got a {name}"
    with pytest.raises(TypeError, match=message):
        check_starts_anew(train_batches=[], val_batches=batches)


def test_names_of_metrics_are_text_and_not_loss():
    check_metrics({"accuracy": len, "losses": len})
    with pytest.raises(ValueError, match="metrics must have names beside 'loss'"):
        check_metrics({"accuracy": len, "loss": len})
    with pytest.raises(TypeError, match="metrics must have text as names, got None"):
        check_metrics({None: len})


def test_an_optimizer_must_hold_something_that_learns():
    model, loss = nn.Linear(2, 2), nn.Linear(2, 1)
    for trained in (model, loss):
        check_optimizer(torch.optim.SGD(trained.parameters(), lr=0.1), model, loss)
    check_optimizer(torch.optim.SGD(model.parameters(), lr=0.1), model, len)
    other = torch.optim.SGD(copy.deepcopy(model).parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"optimizer must hold .* that require a gradient, got"):
        check_optimizer(other, model, loss)


def test_the_parameters_of_all_groups_are_listed():
    model = nn.Linear(2, 2)
    groups = [{"params": [model.weight]}, {"params": []}, {"params": [model.bias]}]
    parameters = parameters_of(torch.optim.SGD(groups, lr=0.1))
    assert [id(p) for p in parameters] == [id(model.weight), id(model.bias)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_found_in_every_dtype(dtype, bad):
    model = nn.Linear(3, 2, dtype=dtype)
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    check_gradients(model, parameters, "now")
    check_parameters(model, parameters, "now")
    model.bias.grad[1] = bad
    with pytest.raises(FloatingPointError, match=r"gradient must be .* in bias now"):
        check_gradients(model, parameters, "now")
    model.bias.data[0] = bad
    with pytest.raises(FloatingPointError, match=r"parameters must be .* in bias now"):
        check_parameters(model, parameters, "now")


def test_parameters_without_a_gradient_and_without_values_are_passed_over():
    model = nn.Linear(3, 2)
    check_gradients(model, list(model.parameters()), "now")
    model = nn.Linear(3, 2, device="meta")
    check_parameters(model, list(model.parameters()), "now")
