"""Random numbers, as every operation draws them.

A draw is made where the generator lives (on the CPU without one) and only then moved to the
images. So a seeded CPU generator draws the same numbers whatever device the images are on.
"""

import torch
from torch import Tensor


def draw_uniform(
    shape: tuple[int, ...],
    low: float,
    high: float,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draw `float32` numbers that are spread evenly between `low` and `high`.

    Args:
        shape: Shape of the answer.
        low: Smallest number.
        high: Largest number; with `low == high` each number is `low`.
        generator: Source of randomness, or None for PyTorch's global one.
        device: Where the answer goes.

    Returns:
        A tensor of this shape on this device.

    Examples:
        >>> draw_uniform((2,), 5.0, 5.0)
        tensor([5., 5.])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    source = "cpu" if generator is None else generator.device
    numbers = torch.rand(shape, generator=generator, device=source, dtype=torch.float32)
    return (low + (high - low) * numbers).to(device)


def draw_integers(counts: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw one integer for each count, evenly from `0` to `count - 1`.

    `torch.randint` knows only one bound for all numbers; here each has its own.

    Args:
        counts: How many integers to choose from, 1 or more each, any shape.
        generator: Source of randomness, or None for PyTorch's global one.

    Returns:
        `int64` of the same shape, on the same device.

    Examples:
        >>> draw_integers(torch.tensor([1, 1]))
        tensor([0, 0])

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    # The largest float32 below 1, times a count, never rounds up to the count.
    numbers = draw_uniform(tuple(counts.shape), 0.0, 1.0, generator, counts.device)
    return (numbers * counts).long()


def draw_symmetric_beta(
    count: int,
    alpha: float,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draw numbers from the distribution Beta(alpha, alpha).

    For `alpha = 1` all of `[0, 1]` is equally likely; a small alpha prefers the ends, a large one
    the middle. `torch.distributions.Beta` takes no generator; this exact formula does.

    Args:
        count: How many numbers.
        alpha: Shape of the distribution, greater than 0.
        generator: Source of randomness, or None for PyTorch's global one.
        device: Where the answer goes.

    Returns:
        `(count,)` numbers in [0, 1].

    Source:
        Devroye, "Random variate generation in one line of code" (1996), after Bailey (1994).

    Examples:
        >>> numbers = draw_symmetric_beta(1000, 100.0, torch.Generator().manual_seed(0))
        >>> bool(((numbers > 0.3) & (numbers < 0.7)).all())
        True

    Explained in:
        [Augmentation in batches][augmentation-in-batches]
    """
    radius = draw_uniform((count,), 0.0, 1.0, generator, device)
    angle = draw_uniform((count,), 0.0, 2 * torch.pi, generator, device)
    # A Student t variable T with 2 alpha degrees of freedom, as T^2 / (2 alpha) and its sign.
    # expm1 keeps radius^(-1/alpha) - 1 exact for a large alpha, where it is close to 0.
    squared = torch.expm1(-radius.log() / alpha) * angle.cos().square()
    # T / sqrt(2 alpha + T^2), written so that an infinite T gives 1 and a T of 0 gives 0.
    return 0.5 + 0.5 * angle.cos().sign() / torch.sqrt(1 + 1 / squared)
