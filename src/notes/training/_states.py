"""The states of a training run: as plain data that a file can hold, compared, and put back."""

import random
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.parameter import is_lazy

AnyGenerator = Generator | np.random.Generator | np.random.RandomState | random.Random
PLAIN_TYPES = (type(None), bool, int, float, str, torch.dtype, torch.device, torch.Size)


class HasState(Protocol):
    """A model, an optimizer, a schedule or a scaler."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state_dict: Any) -> Any: ...


def plain(name: str, value: Any, made: dict[int, Any] | None = None) -> Any:
    """The value as `torch.load(..., weights_only=True)` takes it: NumPy's numbers become Python's.

    Args:
        name: Where the value stands, for the error.
        value: Tensors, numbers, text, and lists or dicts of them.
        made: What has become of the containers so far, by their ids.

    Raises:
        TypeError: If a load would refuse the value, or something in it.
    """
    made = {} if made is None else made
    if isinstance(value, np.generic):
        value = value.item()
    # Exact types: an enum is an int to isinstance, and an unknown object to torch.load.
    kind = type(value)
    if kind in PLAIN_TYPES:
        return value
    if is_lazy(value):
        raise TypeError(f"{name} must have a shape (run a batch through lazy layers first)")
    if kind in (Tensor, nn.Parameter):
        if value.is_meta:
            raise TypeError(f"{name} must hold values, got a tensor on the device 'meta'")
        _plain_attributes(name, value, made)
        return value
    if kind not in (dict, OrderedDict, Counter, list, tuple):
        raise TypeError(
            f"{name} must be a tensor, number, text, or a list or dict of them, got {kind.__name__}"
        )
    if id(value) not in made:
        made[id(value)] = None  # until it is whole
        made[id(value)] = _plain_container(name, value, made)
    elif made[id(value)] is None:
        raise TypeError(f"{name} must not hold itself")
    return made[id(value)]


def _plain_container(name: str, value: Any, made: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in (list, tuple):
        return kind([plain(f"{name}[{i}]", item, made) for i, item in enumerate(value)])
    copied = kind(
        {_plain_key(name, k): plain(f"{name}[{k!r}]", item, made) for k, item in value.items()}
    )
    if kind is OrderedDict:  # a model's state carries its versions as an attribute
        vars(copied).update(_plain_attributes(name, value, made))
    return copied


def _plain_attributes(name: str, value: Any, made: dict[int, Any]) -> dict[str, Any]:
    return {key: plain(f"{name}.{key}", item, made) for key, item in vars(value).items()}


def _plain_key(name: str, key: Any) -> Any:
    if isinstance(key, np.generic):
        key = key.item()
    if type(key) is tuple:
        return tuple([_plain_key(name, part) for part in key])
    if type(key) not in PLAIN_TYPES:
        raise TypeError(f"{name} must have numbers or text as keys, got {type(key).__name__}")
    return key


def get_state(generator: Any) -> Any:
    """Where a generator of Python, NumPy or PyTorch stands (or the module of the first two)."""
    if hasattr(generator, "getstate"):
        return generator.getstate()
    if isinstance(generator, Generator):
        return generator.get_state()
    if isinstance(generator, np.random.Generator):
        return _with_lists(generator.bit_generator.state)
    return _with_lists(generator.get_state(legacy=False))


def set_state(generator: Any, state: Any) -> None:
    """Put a generator back to where it stood."""
    if hasattr(generator, "setstate"):
        generator.setstate(state)
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)


def _with_lists(state: Any) -> Any:
    """A state of NumPy without arrays, which a checkpoint cannot hold."""
    if isinstance(state, dict):
        return {name: _with_lists(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def get_random_states() -> dict[str, Any]:
    """Where the global generators of Python, NumPy and PyTorch stand (CPU and every GPU)."""
    has_mps = torch.backends.mps.is_available()
    return {
        "python": get_state(random),
        "numpy": get_state(np.random),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),  # an empty list without a GPU
        "mps": [torch.mps.get_rng_state()] if has_mps else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Put the global generators back; states of GPUs that are not there are passed over."""
    set_state(random, states["python"])
    set_state(np.random, states["numpy"])
    torch.set_rng_state(states["torch"])
    for index, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, index)
    for state in states["mps"] if torch.backends.mps.is_available() else []:
        torch.mps.set_rng_state(state)


def get_states(
    parts: Mapping[str, HasState], generators: Mapping[str, AnyGenerator]
) -> dict[str, Any]:
    """All that changes while a training runs."""
    return {
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "generators": {name: get_state(generator) for name, generator in generators.items()},
        "random_states": get_random_states(),
    }


def set_states(
    states: Mapping[str, Any],
    parts: Mapping[str, HasState],
    generators: Mapping[str, AnyGenerator],
    restore_random_states: bool,
) -> None:
    """Put it back."""
    for name, part in parts.items():
        part.load_state_dict(states["parts"][name])
    for name, generator in generators.items():
        set_state(generator, states["generators"][name])
    if restore_random_states:
        set_random_states(states["random_states"])


def check_fits(
    contents: dict[str, Any],
    parts: Mapping[str, HasState],
    generators: Mapping[str, AnyGenerator],
) -> None:
    """Refuse saved states that do not belong to what they are asked for.

    Raises:
        ValueError: If one is missing, or belongs to another architecture or kind.
    """
    for asked, saved in ((parts, "parts"), (generators, "generators")):
        for name in asked:
            if name not in contents[saved]:
                raise ValueError(
                    f"path must be a checkpoint with the state of {name!r}, "
                    f"got one with {list(contents[saved])}"
                )
    _check_model(contents["parts"]["model"], parts["model"].state_dict())
    for name, kind in kinds(parts).items():
        saved_kind = contents["kinds"][name]
        if kind != saved_kind:
            raise ValueError(f"{name} must be of the saved kind, {saved_kind}, got {kind}")
    shapes = optimizer_shapes(parts)
    if "optimizer" in parts and contents["optimizer_shapes"] != shapes:
        raise ValueError(
            "optimizer must have the parameters of the checkpoint, of shapes "
            f"{contents['optimizer_shapes']}, got {shapes}"
        )


def kinds(parts: Mapping[str, HasState]) -> dict[str, str]:
    """The class of each part. For a model the names and shapes of its parameters count."""
    return {name: type(part).__name__ for name, part in parts.items() if name != "model"}


def optimizer_shapes(parts: Mapping[str, Any]) -> list[list[list[int]]]:
    """The shape of each parameter of each group. The optimizer itself only counts them."""
    groups = parts["optimizer"].param_groups if "optimizer" in parts else []
    return [[list(parameter.shape) for parameter in group["params"]] for group in groups]


def _check_model(saved: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    for name in [*saved, *current]:
        saved_form, current_form = _form(saved.get(name)), _form(current.get(name))
        if saved_form != current_form:
            raise ValueError(
                f"model must have the architecture of the checkpoint, {name} {saved_form}, "
                f"got {name} {current_form}"
            )


def _form(value: Any) -> str:
    if is_lazy(value):
        return "without a shape (run a batch through lazy layers first)"
    if isinstance(value, Tensor):
        return f"of shape {tuple(value.shape)} and {value.dtype}"
    return "missing" if value is None else f"of type {type(value).__name__}"
