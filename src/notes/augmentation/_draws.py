"""What the operations share: checks of images and draws, random numbers, rectangles, mixed labels.

A draw is made where the generator lives (on the CPU without one) and only then moved to the
images. So a seeded CPU generator draws the same numbers whatever device the images are on.

Shapes: `B` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from notes.checks import check_device, check_finite, check_indices, check_not_empty, check_shape

NUM_TRIES = 10  # torchvision, too, gives up after ten rectangles that do not fit


def check_images(images: Tensor) -> None:
    """Refuse anything but a batch `(B, C, H, W)` of `uint8` or floating-point images."""
    check_shape("images", images, "B", "C", "H", "W")
    check_not_empty("images", images)
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise TypeError(f"images must be uint8 or floating-point, got {images.dtype}")


def check_draws(name: str, draws: Tensor, images: Tensor, *shape: int) -> None:
    """Refuse what is not a finite `(B, *shape)` on the device of the images."""
    check_shape(name, draws, len(images), *shape)
    check_device("images", images, name, draws)
    check_finite(name, draws)


def check_range(
    name: str, bounds: tuple[float, float], lowest: float = 0.0, highest: float = float("inf")
) -> None:
    """Refuse a pair that is not `(low, high)` with `lowest <= low <= high <= highest`."""
    low, high = bounds
    if not lowest <= low <= high <= highest:
        raise ValueError(f"{name} must be a rising pair in [{lowest}, {highest}], got {bounds}")


def check_fill(name: str, value: float, images: Tensor) -> None:
    """Refuse a value for new pixels that the dtype of the images cannot hold."""
    if images.dtype == torch.uint8:
        if value not in range(256):
            raise ValueError(
                f"{name} must be a whole number in [0, 255] for uint8 images, got {value}"
            )
    elif not abs(value) <= torch.finfo(images.dtype).max:
        raise ValueError(f"{name} must be a number that {images.dtype} holds, got {value}")


def draw_uniform(
    shape: tuple[int, ...],
    low: float,
    high: float,
    generator: Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draw `float32` numbers that are spread evenly between `low` and `high`."""
    source = "cpu" if generator is None else generator.device
    numbers = torch.rand(shape, generator=generator, device=source, dtype=torch.float32)
    return (low + (high - low) * numbers).to(device)


def draw_integers(counts: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw one integer for each count, evenly from `0` to `count - 1`: `int64`.

    `torch.randint` knows only one bound for all numbers; here each has its own.
    """
    # The largest float32 below 1, times a count, never rounds up to the count.
    numbers = draw_uniform(tuple(counts.shape), 0.0, 1.0, generator, counts.device)
    return (numbers * counts).long()


def draw_sides(
    images: Tensor,
    scale: tuple[float, float],
    ratio: tuple[float, float],
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw the two sides of some rectangles for each image, whether they fit or not.

    The area is even in `scale`, as a share of the image; the ratio of first over second side is
    even on a logarithmic scale, so twice and half are equally likely. Both sides are
    `(B, NUM_TRIES)` `int64`.
    """
    check_range("scale", scale, 0.0, 1.0)
    check_range("ratio", ratio, torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max)
    batch_size, _, height, width = images.shape
    shape = (batch_size, NUM_TRIES)
    areas = height * width * draw_uniform(shape, *scale, generator, images.device)
    log_low, log_high = math.log(ratio[0]), math.log(ratio[1])
    ratios = draw_uniform(shape, log_low, log_high, generator, images.device).exp()
    sides = (areas * ratios).sqrt(), (areas / ratios).sqrt()
    too_long = height + width  # an extreme ratio makes sides infinite, which no integer is
    first, second = (side.clamp(max=too_long).round().long() for side in sides)
    return first, second


def place_first_fit(
    heights: Tensor,
    widths: Tensor,
    fits: Tensor,
    size: tuple[int, int],
    generator: Generator | None = None,
) -> Tensor:
    """Take the first rectangle of each image that fits, empty if none does, and draw its place.

    Of `(B, NUM_TRIES)` heights, widths and booleans comes one part for each image, `(B, 4)`.
    """
    first = fits.int().argmax(dim=1, keepdim=True)  # argmax: the first of equal values
    found = fits.any(dim=1)
    chosen_heights = torch.where(found, heights.gather(1, first)[:, 0], 0)
    chosen_widths = torch.where(found, widths.gather(1, first)[:, 0], 0)
    tops = draw_integers(size[0] - chosen_heights + 1, generator)
    lefts = draw_integers(size[1] - chosen_widths + 1, generator)
    return torch.stack([tops, lefts, chosen_heights, chosen_widths], dim=1)


def check_parts(parts: Tensor, images: Tensor, smallest: int = 0) -> Tensor:
    """Refuse parts `(B, 4)`, top, left, height and width, that leave their image; as `int64`."""
    height, width = images.shape[2:]
    check_draws("parts", parts, images, 4)
    check_indices("parts", parts, max(height, width) + 1)
    parts = parts.long()
    tops, lefts, heights, widths = parts.unbind(dim=1)
    large = (heights >= smallest) & (widths >= smallest)
    wrong = ~(large & (tops + heights <= height) & (lefts + widths <= width))
    if wrong.any():
        raise ValueError(
            f"parts must have sides of at least {smallest} inside the {height} x {width} images, "
            f"got top, left, height, width {parts[wrong][0].tolist()}"
        )
    return parts


def inside(parts: Tensor, height: int, width: int) -> Tensor:
    """Say of each pixel whether it lies in the part of its image: `(B, 1, H, W)` booleans."""
    tops, lefts, heights, widths = parts[..., None].unbind(dim=1)  # (B, 1) each
    rows = torch.arange(height, device=parts.device) - tops  # (B, H), 0 at the top
    columns = torch.arange(width, device=parts.device) - lefts  # (B, W)
    in_rows, in_columns = (rows >= 0) & (rows < heights), (columns >= 0) & (columns < widths)
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def draw_symmetric_beta(
    count: int, alpha: float, generator: Generator | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Draw `(count,)` numbers in [0, 1] from the distribution Beta(alpha, alpha).

    For `alpha = 1` all are equally likely; a small alpha prefers the ends, a large one the middle.
    `torch.distributions.Beta` takes no generator; this exact formula does.

    Source:
        Devroye, "Random variate generation in one line of code" (1996), after Bailey (1994).
    """
    radius = draw_uniform((count,), 0.0, 1.0, generator, device)
    angle = draw_uniform((count,), 0.0, 2 * torch.pi, generator, device)
    # A Student t variable T with 2 alpha degrees of freedom, as T^2 / (2 alpha) and its sign.
    # expm1 keeps radius^(-1/alpha) - 1 exact for a large alpha, where it is close to 0.
    squared = torch.expm1(-radius.log() / alpha) * angle.cos().square()
    # T / sqrt(2 alpha + T^2), written so that an infinite T gives 1 and a T of 0 gives 0.
    return 0.5 + 0.5 * angle.cos().sign() / torch.sqrt(1 + 1 / squared)


def draw_partners(images: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw a random order of the batch, `(B,)` `int64`; an image may be its own partner."""
    return draw_uniform((len(images),), 0.0, 1.0, generator, images.device).argsort()


def check_mixing(images: Tensor, labels: Tensor, partners: Tensor, num_classes: int) -> None:
    """Refuse labels and partners that do not belong to these images."""
    check_images(images)
    check_draws("labels", labels, images)
    check_indices("labels", labels, num_classes)
    check_draws("partners", partners, images)
    check_indices("partners", partners, len(images))


def mix_labels(labels: Tensor, partners: Tensor, weights: Tensor, num_classes: int) -> Tensor:
    """Share each label between two classes: `(B, K)` probabilities in the dtype of the weights."""
    targets = F.one_hot(labels.long(), num_classes)  # (B, K)
    return weights[:, None] * targets + (1 - weights)[:, None] * targets[partners.long()]
