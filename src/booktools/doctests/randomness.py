"""Notice that a block draws random numbers without a seed that a reader can see.

Before a block runs, the global generators of torch, numpy and Python get a start seed that no page
knows. `Watch` then looks at a generator whenever the block seeds it, and at the end of the block:
if it has moved without a seed, the block drew from the hidden one. So does a generator of numpy
that is made without a seed.

That alone is no mistake: a block may draw a batch to show its shape. So `verification` runs it
again, which costs nothing for blocks with a seed, and is the same on every run of the tests.
"""

import functools
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

# For each global generator: where its seeders are found, what they are called, and its state.
GENERATORS: dict[str, tuple[tuple[Any, ...], tuple[str, ...], Callable[[], bytes]]] = {
    "torch": (
        (torch, torch.random),
        ("manual_seed", "set_rng_state"),
        lambda: torch.get_rng_state().numpy().tobytes(),
    ),
    "numpy": ((np.random,), ("seed", "set_state"), lambda: pickle.dumps(np.random.get_state())),
    "python": ((random,), ("seed", "setstate"), lambda: pickle.dumps(random.getstate())),
}


class Watch:
    """Sets the start seed and watches the generators from then on."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        self.hidden = False  # whether a draw without a visible seed has been noticed so far
        self.start = {name: state() for name, (_, _, state) in GENERATORS.items()}
        self.seeded = dict.fromkeys(GENERATORS, False)
        for name, (modules, functions, _) in GENERATORS.items():
            for function in functions:
                watched = self._watch(name, getattr(modules[0], function))
                for module in modules:
                    setattr(module, function, watched)
        self.made_up = random.Random(seed)
        np.random.bit_generator.randbits = self._make_up  # type: ignore[attr-defined]

    def finish(self) -> bool:
        """Look at all generators once more, and say whether the block drew in secret."""
        for name in GENERATORS:
            self._look(name)
        return self.hidden

    def _look(self, name: str) -> None:
        self.hidden |= not self.seeded[name] and GENERATORS[name][2]() != self.start[name]

    def _watch(self, name: str, seeder: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(seeder)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._look(name)
            result = seeder(*args, **kwargs)
            # `torch.random.fork_rng` sets the start state again: that is no seed.
            self.seeded[name] = GENERATORS[name][2]() != self.start[name]
            return result

        return watched

    def _make_up(self, num_bits: int) -> int:
        self.hidden = True
        return self.made_up.getrandbits(num_bits)
