"""Choose where to compute: a graphics card if there is one, else the processor."""

import platform

import torch


# --8<-- [start:best_device]
def best_device() -> torch.device:
    """The fastest device of this computer: `cuda`, then `mps` (a Mac), else `cpu`.

    Move the model there once, before the optimizer is made, and every batch when it is used.

    Examples:
        >>> best_device().type in ("cuda", "mps", "cpu")
        True

    Explained in:
        [Models][models]
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe_device(device: torch.device) -> str:
    """What stands behind a device, for the first line of a training log.

    Args:
        device: A device of this computer.

    Examples:
        >>> describe_device(torch.device("meta"))
        'meta'

    Explained in:
        [Models][models]
    """
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu: {platform.machine()}, {threads} thread{'s' if threads > 1 else ''}"
    return str(device)


# --8<-- [end:best_device]
