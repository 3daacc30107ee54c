"""What `loop` and `fit` refuse, before or while they train."""

import math
from collections.abc import Iterator, Mapping
from types import FunctionType

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

SMALL = 4096
MIN_SCALE = 1e-4  # where a gradient does not fit into float16, it is above 600 million


def check_metrics(metrics: Mapping[str, object]) -> None:
    """Refuse names that would stand for two things in a history."""
    for name in metrics:
        if not isinstance(name, str):
            raise TypeError(f"metrics must have text as names, got {name!r}")
        if name == "loss":
            raise ValueError("metrics must have names beside 'loss', which is taken, got 'loss'")


def check_optimizer(optimizer: Optimizer, *trained: object) -> None:
    """Refuse an optimizer that would train neither the model nor a loss with parameters."""
    modules = [module for module in trained if isinstance(module, nn.Module)]
    learn = {id(p) for module in modules for p in module.parameters() if p.requires_grad}
    if not any(id(parameter) in learn for parameter in parameters_of(optimizer)):
        raise ValueError(
            "optimizer must hold parameters of the model that require a gradient, got none"
        )


def parameters_of(optimizer: Optimizer) -> list[Tensor]:
    """The parameters of all groups."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def check_starts_anew(**batches: object) -> None:
    """Refuse a generator and the like, which is used up after the first epoch."""
    for name, value in batches.items():
        own = type(value).__iter__ if isinstance(value, Iterator) else None
        if own is Iterator.__iter__ or not (own is None or isinstance(own, FunctionType)):
            raise TypeError(
                f"{name} must start anew in each epoch, as a list or a loader does, "
                f"got a {type(value).__name__}"
            )


def check_gradients(model: nn.Module, parameters: list[Tensor], when: str) -> None:
    """Refuse a gradient that would spoil a parameter, before the step."""
    gradients = {id(p): p.grad for p in parameters if p.grad is not None}
    _check_finite("gradient", gradients, model, when)


def check_parameters(model: nn.Module, parameters: list[Tensor], when: str) -> None:
    """Refuse parameters that a step has spoiled in spite of a finite gradient."""
    _check_finite("parameters", {id(p): p.detach() for p in parameters}, model, when)


def _check_finite(what: str, tensors: dict[int, Tensor], model: nn.Module, when: str) -> None:
    if math.isfinite(_sum([tensor for tensor in tensors.values() if not tensor.is_meta])):
        return
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for key, tensor in tensors.items():  # a sum of finite numbers may be infinite
        entries = tensor.coalesce().values() if tensor.is_sparse else tensor
        wrong = entries[~entries.isfinite()]
        if len(wrong):
            place = names.get(key, "a parameter that is not the model's")
            raise FloatingPointError(
                f"{what} must be finite, got {wrong[0].item()} in {place} {when}"
            )


def _sum(tensors: list[Tensor]) -> float:
    """One number that is not finite if an entry is not: a single look at the device."""
    if not tensors:
        return 0.0
    device = tensors[0].device
    # Small tensors are added up as one, since each sum has its price; large ones are not copied.
    parts = [
        tensor.flatten()
        if tensor.numel() <= SMALL and tensor.device == device and not tensor.is_sparse
        else tensor.sum()[None].to(device)
        for tensor in tensors
    ]
    return abs(torch.cat(parts).sum().item())
