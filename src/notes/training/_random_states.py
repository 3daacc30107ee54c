"""The states of the global random generators, as plain data that a checkpoint can hold."""

import random
from typing import Any

import numpy as np
import torch


# --8<-- [start:get_random_states]
def get_random_states() -> dict[str, Any]:
    """Where the global generators of Python, NumPy and PyTorch stand (CPU and every GPU).

    Returns:
        Tensors, numbers and tuples only, so that `torch.load(..., weights_only=True)` takes them.

    Examples:
        >>> states = get_random_states()
        >>> before = torch.rand(3)
        >>> set_random_states(states)
        >>> torch.equal(torch.rand(3), before)
        True

    Explained in:
        [Checkpoints][checkpoints]
    """
    name, keys, position, has_gauss, cached_gaussian = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (
            name,
            torch.from_numpy(np.asarray(keys, dtype=np.int64)),
            position,
            has_gauss,
            cached_gaussian,
        ),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),  # an empty list without a GPU
    }


# --8<-- [end:get_random_states]


# --8<-- [start:set_random_states]
def set_random_states(states: dict[str, Any]) -> None:
    """Put the global generators back to where they stood.

    States of GPUs that this machine does not have are passed over.

    Args:
        states: What `get_random_states` returned, on this machine or on another one.

    Explained in:
        [Checkpoints][checkpoints]
    """
    random.setstate(states["python"])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    for index, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, index)


# --8<-- [end:set_random_states]
