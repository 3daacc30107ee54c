"""Start a whole tree of modules, with one rule for each type."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

Rule = Callable[[Tensor], object]


# --8<-- [start:init_by_type]
def init_by_type(model: nn.Module, rules: Mapping[type[nn.Module], Rule]) -> list[str]:
    """Fill the weight of every module that has a rule, and its bias with zeros.

    A rule for a class also holds for its subclasses; of several the closest counts. Modules
    without a rule keep their values. The mode of the model does not change.

    Args:
        model: The root of the tree; it is visited itself, too.
        rules: For each class of module what fills its `weight`, in place. For arguments wrap it:
            `partial(kaiming_normal_, generator=generator)`.

    Returns:
        Names of the modules that were filled, in the order of the tree; the root's is empty.

    Raises:
        TypeError: If a rule stands for a module without a `weight`.
        ValueError: If no module has a rule, or one does not know its shape yet.

    Examples:
        >>> from notes.init.simple import constant_
        >>> model = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
        >>> init_by_type(model, {nn.Linear: lambda weight: constant_(weight, 0.5)})
        ['0', '2']
        >>> model[0].weight, model[0].bias
        (Parameter containing:
        tensor([[0.5000, 0.5000]], requires_grad=True), Parameter containing:
        tensor([0.], requires_grad=True))

    Explained in:
        [Initialization][initialization]
    """
    filled = []
    for name, module in model.named_modules():
        # The classes of a module, from its own up to nn.Module: the first with a rule is closest.
        closest = next((cls for cls in type(module).__mro__ if cls in rules), None)
        if closest is None:
            continue
        _fill(name, module, rules[closest])
        filled.append(name)
    if not filled:
        # Silence here would mean training from other values than one believes.
        wanted = ", ".join(cls.__name__ for cls in rules) or "none"
        raise ValueError(f"rules must match a module of the model, got rules for {wanted}")
    return filled


# --8<-- [end:init_by_type]


def _fill(name: str, module: nn.Module, rule: Rule) -> None:
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if not isinstance(weight, Tensor):
        raise TypeError(f"rules must be for modules with a weight, got {type(module).__name__}")
    if is_lazy(weight):
        raise ValueError(
            f"module {name!r} must know its shape, got {type(module).__name__}: "
            "send one batch through the model first"
        )
    rule(weight)
    if isinstance(bias, Tensor):
        with torch.no_grad():
            bias.zero_()
