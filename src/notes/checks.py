"""Checks of arguments, with one wording: *argument must rule, got value*.

Shapes: letters are free sizes, numbers are fixed ones, so `"N", 4` reads "any number of rows of 4".
"""

import operator

import torch
from torch import Tensor

LONGEST_SIDE = 2.0**62  # of a box: the areas of pairs of boxes fit into float32


def check_shape(name: str, tensor: Tensor, *shape: str | int) -> None:
    """Refuse a tensor that has not the given shape.

    Args:
        name: What the caller calls the argument.
        tensor: The argument.
        shape: One entry for each dimension: a letter for any size, a number for exactly this size.
            A last entry `"..."` allows more dimensions of any size.

    Raises:
        TypeError: If the argument is not a tensor.
        ValueError: If the number of dimensions or a fixed size differs.

    Examples:
        >>> check_shape("boxes", torch.zeros(3, 4), "N", 4)
        >>> check_shape("boxes", torch.zeros(4), "N", 4)
        Traceback (most recent call last):
        ...
        ValueError: boxes must have shape (N, 4), got (4,)

    Explained in:
        [Argument checks][argument-checks]
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    sizes = tuple(tensor.shape)
    rules, ruled = shape, sizes
    if shape[-1:] == ("...",):
        rules, ruled = shape[:-1], sizes[: len(shape) - 1]
    fits = len(ruled) == len(rules)
    for rule, size in zip(rules, ruled, strict=False):  # a plain loop: it is quicker than all()
        fits = fits and (rule == size or isinstance(rule, str))
    if not fits:
        comma = "," if len(shape) == 1 else ""
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} must have shape ({wanted}{comma}), got {sizes}")


def check_floating(name: str, tensor: Tensor) -> None:
    """Refuse a tensor of integers or booleans.

    Raises:
        TypeError: If the dtype is not a floating-point one.

    Examples:
        >>> check_floating("images", torch.zeros(2, dtype=torch.uint8))
        Traceback (most recent call last):
        ...
        TypeError: images must be a floating-point tensor, got torch.uint8

    Explained in:
        [Argument checks][argument-checks]
    """
    if not tensor.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor, got {tensor.dtype}")


def check_finite(name: str, tensor: Tensor) -> None:
    """Refuse a tensor with a NaN or an infinity in it.

    Raises:
        ValueError: If any element is not finite.

    Examples:
        >>> check_finite("scores", torch.tensor([0.5, float("nan")]))
        Traceback (most recent call last):
        ...
        ValueError: scores must be finite, got nan at index (1,)

    Explained in:
        [Argument checks][argument-checks]
    """
    total = tensor.sum().item()  # quick: one number that is not finite spoils the sum
    if total - total == 0:
        return
    finite = torch.isfinite(tensor)  # a sum of finite numbers may overflow
    if not finite.all():
        index = tuple((~finite).nonzero()[0].tolist())
        raise ValueError(f"{name} must be finite, got {tensor[index].item()} at index {index}")


def check_not_empty(name: str, tensor: Tensor) -> None:
    """Refuse a tensor without elements.

    Raises:
        ValueError: If the tensor has no element.

    Examples:
        >>> check_not_empty("images", torch.zeros(0, 3))
        Traceback (most recent call last):
        ...
        ValueError: images must not be empty, got shape (0, 3)

    Explained in:
        [Argument checks][argument-checks]
    """
    if tensor.numel() == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(tensor.shape)}")


def check_indices(name: str, indices: Tensor, size: int) -> None:
    """Refuse indices, of classes or of places, that are not integers in `[0, size)`.

    Indices may be small integers, such as `uint8`: use `indices.long()`, because PyTorch takes a
    `uint8` index for a mask and knows no index of 8 or 16 bits with a sign.

    Raises:
        TypeError: If the dtype is not an integer one.
        ValueError: If an index is negative or too large.

    Examples:
        >>> check_indices("targets", torch.tensor([0, 3]), 3)
        Traceback (most recent call last):
        ...
        ValueError: targets must lie in [0, 3), got 3

    Explained in:
        [Argument checks][argument-checks]
    """
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise TypeError(f"{name} must be a tensor of integers, got {indices.dtype}")
    indices = indices.long()  # 300 as a uint8 would be 44, so nothing from 44 on would pass
    if indices.numel() == 0:
        return
    smallest, largest = torch.stack(indices.aminmax()).tolist()
    if smallest < 0 or largest >= size:
        wrong = indices[(indices < 0) | (indices >= size)]
        raise ValueError(f"{name} must lie in [0, {size}), got {wrong[0].item()}")


def check_boolean(name: str, tensor: Tensor) -> None:
    """Refuse a tensor of anything but booleans.

    Raises:
        TypeError: If the dtype is another one.

    Examples:
        >>> check_boolean("mask", torch.zeros(2))
        Traceback (most recent call last):
        ...
        TypeError: mask must be a tensor of booleans, got torch.float32

    Explained in:
        [Argument checks][argument-checks]
    """
    if tensor.dtype != torch.bool:
        raise TypeError(f"{name} must be a tensor of booleans, got {tensor.dtype}")


def shown(numbers: Tensor) -> list[float]:
    """The numbers for a message, with as many digits as tell each from its neighbors.

    Rounded further, a number just out of range would look as if it were allowed.

    Args:
        numbers: `(N,)` floating-point numbers.

    Examples:
        >>> shown(torch.tensor([0.1, 1.0000001]))
        [0.1, 1.0000001]

    Explained in:
        [Argument checks][argument-checks]
    """
    numbers = numbers.detach().cpu()
    if numbers.dtype == torch.float64:
        return numbers.tolist()
    return [float(str(number)) for number in numbers.float().numpy()]


def check_boxes(name: str, boxes: Tensor, *, with_area: bool = False) -> None:
    """Refuse a tensor that does not hold `xyxy` boxes.

    A box may have no area (`x1 == x2`) unless `with_area` asks for one, but not a negative one.
    Sides beyond 2^62 are refused, because areas could overflow.

    Raises:
        TypeError: If the argument is not a floating-point tensor.
        ValueError: If the shape is not `(N, 4)`, a coordinate is NaN or infinite, or a box ends
            before it begins or is too large.

    Examples:
        >>> check_boxes("boxes", torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.5, 0.0, 0.4, 1.0]]))
        Traceback (most recent call last):
        ...
        ValueError: boxes must have x1 <= x2 and y1 <= y2, got [0.5, 0.0, 0.4, 1.0] at index 1

    Explained in:
        [Argument checks][argument-checks]
    """
    check_shape(name, boxes, "N", 4)
    check_floating(name, boxes)
    corners1, corners2 = boxes.detach().chunk(2, dim=1)
    sides = corners2 - corners1  # (N, 2)
    roots = sides.sqrt()
    if with_area:
        roots = roots + 1 / roots
    # One number tells of all boxes: a negative side has no root, and without area it is infinite.
    if roots.sum().item() <= LONGEST_SIDE**0.5:
        return
    check_finite(name, boxes)
    rules = {
        "x1 <= x2 and y1 <= y2": sides < 0,
        f"sides of at most {LONGEST_SIDE:.3g}": sides > LONGEST_SIDE,
        "an area": (sides == 0) & with_area,
    }
    for rule, broken in rules.items():
        if broken.any():
            index = int(broken.any(dim=1).nonzero()[0])
            box = shown(boxes[index])
            raise ValueError(f"{name} must have {rule}, got {box} at index {index}")


def check_label_rows(name: str, labels: Tensor, num_classes: int | None = None) -> None:
    """Refuse a tensor that does not hold the labeled boxes of a batch.

    Each row is class, x1, y1, x2, y2; one with a class below 0 is padding. What stands in a padding
    row beside its class does not matter, as long as it is finite.

    Args:
        name: What the caller calls the argument.
        labels: The argument.
        num_classes: Classes have to lie below it; by default below 2^24, the first integer whose
            successor `float32` does not hold.

    Raises:
        TypeError: If the argument is not a floating-point tensor.
        ValueError: If the shape is not `(B, M, 5)`, a number is NaN or infinite, a class is no
            whole number or too large, or a box ends before it begins or is too large.

    Examples:
        >>> check_label_rows("labels", torch.tensor([[[0.5, 0.0, 0.0, 1.0, 1.0]]]))
        Traceback (most recent call last):
        ...
        ValueError: labels must have whole numbers as classes, got 0.5

    Explained in:
        [Argument checks][argument-checks]
    """
    check_shape(name, labels, "B", "M", 5)
    check_floating(name, labels)
    if labels.numel() == 0:
        return
    labels = labels.detach()
    most = 2**24 if num_classes is None else num_classes
    classes, corners1, corners2 = labels.split([1, 2, 2], dim=2)
    sides = corners2 - corners1  # (B, M, 2)
    # As in check_boxes, three numbers tell of all rows, unless there are odd ones in the padding.
    numbers = torch.stack([sides.sqrt().sum(), classes.frac().abs().sum(), classes.amax()])
    roots, fractions, largest = numbers.tolist()
    if roots <= LONGEST_SIDE**0.5 and fractions == 0 and largest < most:
        return
    check_finite(name, labels)
    classes = classes[..., 0]  # (B, M)
    broken, unknown = classes != classes.floor(), classes >= most
    turned = (classes >= 0) & (sides < 0).any(dim=2)
    large = (classes >= 0) & (sides > LONGEST_SIDE).any(dim=2)
    if broken.any():
        got = shown(classes[broken][:1])[0]
        raise ValueError(f"{name} must have whole numbers as classes, got {got}")
    if unknown.any():
        got = shown(classes[unknown][:1])[0]
        raise ValueError(f"classes of {name} must lie in [0, {most}), got {got:.17g}")
    for rule, wrong in (
        ("x1 <= x2 and y1 <= y2", turned),
        (f"sides of at most {LONGEST_SIDE:.3g}", large),
    ):
        if wrong.any():
            index = tuple(wrong.nonzero()[0].tolist())
            box = shown(labels[index][1:])
            raise ValueError(f"boxes of {name} must have {rule}, got {box} at index {index}")


def check_device(name1: str, tensor1: Tensor, name2: str, tensor2: Tensor) -> None:
    """Refuse two tensors on different devices.

    Raises:
        ValueError: If the devices differ.

    Examples:
        >>> check_device("images", torch.zeros(1), "boxes", torch.zeros(1, device="meta"))
        Traceback (most recent call last):
        ...
        ValueError: boxes must be on the device of images, cpu, got meta

    Explained in:
        [Argument checks][argument-checks]
    """
    if tensor1.device != tensor2.device:
        raise ValueError(
            f"{name2} must be on the device of {name1}, {tensor1.device}, got {tensor2.device}"
        )


def check_same(name1: str, tensor1: Tensor, name2: str, tensor2: Tensor) -> None:
    """Refuse two tensors on different devices or of different dtypes.

    Under autocast floating-point tensors may differ in dtype, as layers then put out half
    precision while parameters and targets stay in `float32`.

    Raises:
        TypeError: If the dtypes differ.
        ValueError: If the devices differ.

    Examples:
        >>> check_same("boxes1", torch.zeros(1), "boxes2", torch.zeros(1, dtype=torch.float64))
        Traceback (most recent call last):
        ...
        TypeError: boxes2 must have the dtype of boxes1, torch.float32, got torch.float64

    Explained in:
        [Argument checks][argument-checks]
    """
    check_device(name1, tensor1, name2, tensor2)
    if tensor1.dtype != tensor2.dtype and not _autocast_joins(tensor1, tensor2):
        raise TypeError(
            f"{name2} must have the dtype of {name1}, {tensor1.dtype}, got {tensor2.dtype}"
        )


def _autocast_joins(tensor1: Tensor, tensor2: Tensor) -> bool:
    device = tensor1.device.type
    return (
        tensor1.is_floating_point()
        and tensor2.is_floating_point()
        and torch.amp.is_autocast_available(device)
        and torch.is_autocast_enabled(device)
    )


def check_positive(name: str, value: float) -> None:
    """Refuse a number that is zero or negative.

    Raises:
        ValueError: If the number is not greater than 0.

    Examples:
        >>> check_positive("eps", 0.0)
        Traceback (most recent call last):
        ...
        ValueError: eps must be greater than 0, got 0.0

    Explained in:
        [Argument checks][argument-checks]
    """
    if not value > 0:
        raise ValueError(f"{name} must be greater than 0, got {value}")


def check_probability(name: str, value: float) -> None:
    """Refuse a number outside [0, 1].

    Raises:
        ValueError: If the number is negative, above 1 or NaN.

    Examples:
        >>> check_probability("p", 1.5)
        Traceback (most recent call last):
        ...
        ValueError: p must lie in [0, 1], got 1.5

    Explained in:
        [Argument checks][argument-checks]
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


def check_probabilities(name: str, tensor: Tensor) -> None:
    """Refuse a tensor with an entry outside [0, 1], or a NaN.

    Raises:
        ValueError: If there is one.

    Examples:
        >>> check_probabilities("targets", torch.tensor([0.5, 1.5]))
        Traceback (most recent call last):
        ...
        ValueError: targets must lie in [0, 1], got 1.5

    Explained in:
        [Argument checks][argument-checks]
    """
    if tensor.numel() == 0:
        return
    smallest, largest = torch.stack(tensor.detach().aminmax()).tolist()  # NaN if there is one
    if not (smallest >= 0 and largest <= 1):
        wrong = tensor[~((tensor >= 0) & (tensor <= 1))][0].item()
        shown = float(f"{wrong:.4g}")
        shown = wrong if 0 <= shown <= 1 else shown  # 1.0000001 must not read 1
        raise ValueError(f"{name} must lie in [0, 1], got {shown}")


def as_integer(name: str, value: int, *, minimum: int = 1) -> int:
    """A number that counts something, as a plain integer.

    Args:
        name: What the caller calls the argument.
        value: The argument; an integer of NumPy or an integer tensor of one element will do too.
        minimum: The smallest number allowed.

    Raises:
        TypeError: If the value is not an integer, such as 2.0 or True.
        ValueError: If it is below the minimum.

    Examples:
        >>> as_integer("num_classes", torch.tensor(10))
        10
        >>> as_integer("num_classes", 0)
        Traceback (most recent call last):
        ...
        ValueError: num_classes must be at least 1, got 0

    Explained in:
        [Argument checks][argument-checks]
    """
    number = _integer(value)
    if number is None:
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def as_pair(
    name: str, value: int | tuple[int, ...] | list[int], *, minimum: int = 1
) -> tuple[int, int]:
    """One number for each direction, from one number for both or from a pair.

    Args:
        name: What the caller calls the argument.
        value: `(vertical, horizontal)`, or one number that stands for both.
        minimum: The smallest number allowed.

    Raises:
        TypeError: If the value is not an integer or a pair of integers.
        ValueError: If a number is below the minimum.

    Examples:
        >>> as_pair("stride", 2), as_pair("padding", (2, 1), minimum=0)
        ((2, 2), (2, 1))
        >>> as_pair("stride", 0)
        Traceback (most recent call last):
        ...
        ValueError: stride must be at least 1, got 0

    Explained in:
        [Argument checks][argument-checks]
    """
    pair = value if isinstance(value, tuple | list) else (value, value)
    vertical, horizontal = map(_integer, pair) if len(pair) == 2 else (None, None)
    if vertical is None or horizontal is None:
        raise TypeError(f"{name} must be an integer or a pair of integers, got {value!r}")
    if min(vertical, horizontal) < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return vertical, horizontal


def _integer(value: object) -> int | None:
    """The integer that a value stands for, or None; True stands for none."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or (isinstance(value, Tensor) and value.dtype == torch.bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # what has no index raises TypeError
    except TypeError:
        return None
