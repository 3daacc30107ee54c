"""Find the random generators that a training draws from, so that a checkpoint can hold them."""

import random
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, get_args

from notes.training._states import AnyGenerator

MAX_LENGTH = 1000  # what is longer holds data, and nobody keeps a generator in it


def find_generators(**roots: object) -> dict[str, AnyGenerator]:
    """The generators in objects, in their attributes, lists and dicts, and so on to any depth.

    Returns:
        Each generator once, under the shortest path to it, such as `loader.sampler.generator`.
    """
    found: dict[str, AnyGenerator] = {}
    seen: set[int] = set()
    waiting = list(roots.items())
    for name, value in waiting:  # grows meanwhile
        if id(value) in seen or isinstance(value, random.SystemRandom):  # has no state
            continue
        seen.add(id(value))
        if isinstance(value, get_args(AnyGenerator)):
            found[name] = value
        else:
            waiting.extend((f"{name}.{key}", part) for key, part in _parts(value))
    return found


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    """What a value holds. A class or a module holds what everybody shares, and is passed over."""
    if isinstance(value, type | ModuleType):
        return
    if isinstance(value, dict | list | tuple) and len(value) <= MAX_LENGTH:
        yield from value.items() if isinstance(value, dict) else enumerate(value)
    elif isinstance(value, partial):
        yield from (("func", value.func), ("args", value.args), ("keywords", value.keywords))
    elif isinstance(value, MethodType):
        yield "__self__", value.__self__
    elif isinstance(value, FunctionType):
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            with suppress(ValueError):  # a cell that nothing has been written to
                yield name, cell.cell_contents
    slots = getattr(type(value), "__slots__", ())
    for name in (slots,) if isinstance(slots, str) else slots:
        yield name, getattr(value, name, None)
    yield from getattr(value, "__dict__", {}).items()
