"""Source that the sample page includes."""


# --8<-- [start:loss]
def square(value: float) -> float:
    r"""The square, $v^2$, with a formula in the docstring.

    $$\frac{\partial v^2}{\partial v} = 2 v$$
    """
    return value * value


# --8<-- [end:loss]
