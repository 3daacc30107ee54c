"""Thin variants: one number makes every hidden layer of a network narrower or wider."""

from notes.checks import check_positive


# --8<-- [start:scaled]
def scaled(count: int, width: float) -> int:
    """A number of channels or features, times `width`, rounded, and never below 1.

    Halving the width of a network leaves about a quarter of its parameters and multiply-adds:
    each layer has half as many inputs and half as many outputs.

    Args:
        count: Channels or features of the full network.
        width: 1 for the full network, 0.25 for a quarter of the channels.

    Raises:
        ValueError: If `width` is not greater than 0.

    Examples:
        >>> scaled(96, 0.25)
        24
        >>> scaled(96, 0.001)
        1

    Explained in:
        [Models][models]
    """
    check_positive("width", width)
    return max(1, round(count * width))


# --8<-- [end:scaled]
