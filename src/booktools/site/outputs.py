"""Label the printed outputs of a page.

The comments that mark an output and state its tolerance are invisible; the label says to readers
what they say to the doc tests.
"""

from booktools.pages.blocks import read_blocks
from booktools.pages.comparison import DEFAULT, Tolerance
from booktools.pages.fences import split_lines


def label_outputs(text: str) -> str:
    """Give the output fences of a page a title and a style of their own."""
    lines = split_lines(text)
    for block in read_blocks(text):
        if fence := block.output:
            info = f'{{ .text .output .no-copy title="{describe(block.tolerance)}" }}'
            lines[fence.line - 1] = f"{fence.prefix}{fence.marker}{info}"
    return "\n".join(lines)


def describe(tolerance: Tolerance) -> str:
    """Say how closely an output is checked, where the page states it.

    Examples:
        >>> describe(Tolerance(absolute=0.01))
        'Output · checked to ±0.01'
        >>> describe(Tolerance(relative=0.025))
        'Output · checked to ±2.5 %'
        >>> describe(DEFAULT)
        'Output'
    """
    limits = []
    if tolerance.absolute:
        limits.append(f"±{tolerance.absolute:g}")
    if tolerance.relative:
        limits.append(f"±{100 * tolerance.relative:g} %")
    if tolerance == DEFAULT or not limits:
        return "Output"
    return f"Output · checked to {' or '.join(limits)}"
