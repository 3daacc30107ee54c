"""Notice that a block draws random numbers without a seed that a reader can see.

Before a block runs, the global generators of torch, numpy and Python get a start seed that no page
knows. `Watch` then looks at a generator whenever the block seeds it, and at the end of the block:
if it has moved without a seed, the block drew from the hidden one. The same holds for the seeds
that numpy makes up for a generator without one.

That alone is no mistake: a block may draw a batch to show its shape. So such a block, if it prints
or draws at all, is run again from other start seeds, and all runs must show exactly the same. This
is strict (no tolerance: even close numbers give themselves away), costs nothing for blocks with a
seed, and is the same on every run of the tests. A single other seed would let half of all coin
tosses, such as `torch.randint(2, (1,))`, pass; the eight seeds of `verification` are chosen so that
the first coins of every generator show both faces.
"""

import functools
import pickle
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

SEEDERS: dict[str, list[tuple[ModuleType, str]]] = {
    "torch": [(torch, "manual_seed"), (torch, "set_rng_state")],
    "numpy": [(np.random, "seed"), (np.random, "set_state")],
    "python": [(random, "seed"), (random, "setstate")],
}


class Watch:
    """Sets the start seed and watches the generators from then on.

    Attributes:
        hidden: Whether a draw without a visible seed has been noticed so far.
    """

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        self.hidden = False
        self.start = {name: _state(name) for name in SEEDERS}
        self.seeded = dict.fromkeys(SEEDERS, False)
        for name, functions in SEEDERS.items():
            for module, function in functions:
                self._replace(name, module, function)
        self.made_up = random.Random(seed)
        np.random.bit_generator.randbits = self._make_up  # type: ignore[attr-defined]

    def look(self, name: str) -> None:
        """Notice if the generator has moved from the start without a seed."""
        if not self.seeded[name] and _state(name) != self.start[name]:
            self.hidden = True

    def finish(self) -> bool:
        """Look at all generators once more, and say whether the block drew in secret."""
        for name in SEEDERS:
            self.look(name)
        return self.hidden

    def _make_up(self, num_bits: int) -> int:
        self.hidden = True
        return self.made_up.getrandbits(num_bits)

    def _replace(self, name: str, module: ModuleType, function: str) -> None:
        seeder: Callable[..., Any] = getattr(module, function)

        @functools.wraps(seeder)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.look(name)
            result = seeder(*args, **kwargs)
            # `torch.random.fork_rng` sets the start state again: that is no seed.
            self.seeded[name] = _state(name) != self.start[name]
            return result

        setattr(module, function, watched)
        if module is torch:
            setattr(torch.random, function, watched)


def _state(name: str) -> bytes:
    match name:
        case "torch":
            return torch.get_rng_state().numpy().tobytes()
        case "numpy":
            return pickle.dumps(np.random.get_state())
        case _:
            return pickle.dumps(random.getstate())
