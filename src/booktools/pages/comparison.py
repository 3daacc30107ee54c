"""Compare what a block printed with what the page shows.

Words and integers must be equal, and so must versions, dates and numbers with a letter (`2.14.1`,
`Python 3.11`, `1.50x`). A number with a decimal point may differ by one unit in the last digit that
the page shows, because two machines round 0.1250 to 0.12 and to 0.13; so -0.0000 equals 0.0000. It
must be equal where a unit is no rounding: `104.`, `1e-05`, and below ten `0.5`, which is how Python
prints exactly one half; where it stands in the code as it is printed; and where the code asks for a
version. A block may state how far its numbers may lie from the page's; the wider one counts:

    <!-- tolerance: relative 0.02 -->
    <!-- tolerance: absolute 0.01 -->

A sign moves the columns of a tensor, so blanks beside a decimal number are not compared; all other
blanks are, but for those at the ends of lines.
"""

import math
import re
from dataclasses import dataclass

# `1e-05` is a number that Python prints without a point, `j` the unit of imaginary numbers.
NUMBER = (
    r"(?<![\w.])(?P<number>[-+]?"
    r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)\.(?P<decimals>\d*)(?:e(?P<exponent>[-+]?\d+))?"
    r"|\d+e[-+]?\d+|nan|inf))(?!\.?\d)(?!(?!j\b)\w)"
)
PART = re.compile(rf"\b(?:python|version)\W{{1,3}}\d[\w.]*| *{NUMBER} *", re.IGNORECASE)
ASKS_FOR_A_VERSION = re.compile(r"[_.]version|version(?:_info|\()")


@dataclass(frozen=True)
class Tolerance:
    """How far a decimal number may lie from the printed one.

    Attributes:
        relative: Allowed difference as a share of the printed number.
        absolute: Allowed difference in the number's own unit.
    """

    relative: float = 0.0
    absolute: float = 0.0


DEFAULT = Tolerance()  # one unit in the last digit


def tidy(text: str) -> str:
    """Remove what a reader cannot see: blanks at line ends and empty lines at the end."""
    lines = [line.rstrip() for line in text.split("\n")]
    joined = "\n".join(lines).rstrip("\n")
    return joined + "\n" if joined else ""


def difference(
    expected: str, actual: str, tolerance: Tolerance = DEFAULT, code: str = ""
) -> str | None:
    """Say how the output of some code differs from the expected one, or None if they agree.

    Examples:
        >>> difference("loss 0.500 of 3", "loss 0.501 of 3")
        >>> difference("loss 0.500 of 3", "loss 0.501 of 4")
        'line 1 differs in its words or integers'
        >>> difference("loss 0.500", "loss 0.600")
        'line 1 has 0.600 instead of 0.500'
    """
    expected_lines, actual_lines = tidy(expected).split("\n"), tidy(actual).split("\n")
    for number, (wanted, got) in enumerate(zip(expected_lines, actual_lines, strict=False), 1):
        if _words(wanted) != _words(got):
            return f"line {number} differs in its words or integers"
        numbers = ([part for part in PART.finditer(x) if part["number"]] for x in (wanted, got))
        for one, other in zip(*numbers, strict=True):
            if not _close(one, other, tolerance, code):
                return f"line {number} has {other['number']} instead of {one['number']}"
    if len(expected_lines) != len(actual_lines):
        return f"{len(actual_lines) - 1} lines instead of {len(expected_lines) - 1}"
    return None


def _words(line: str) -> str:
    return PART.sub(lambda part: "\0" if part["number"] else part[0], line)


def _close(one: re.Match[str], other: re.Match[str], tolerance: Tolerance, code: str) -> bool:
    expected, actual = (float(part["number"].replace(",", "")) for part in (one, other))
    if not (math.isfinite(expected) and math.isfinite(actual)):
        return expected == actual or (math.isnan(expected) and math.isnan(actual))
    decimals, unit = len(one["decimals"] or ""), 0.0
    if decimals > 1 or (decimals == 1 and abs(expected) >= 10):
        unit = 10.0 ** (int(one["exponent"] or 0) - decimals)
    if tolerance == DEFAULT:
        if decimals != len(other["decimals"] or ""):
            return False
        typed = re.search(rf"(?<![\w.]){re.escape(other['number'])}(?![\w.])", code)
        unit = 0.0 if typed or ASKS_FOR_A_VERSION.search(code) else unit
    allowed = max(tolerance.relative * abs(expected), tolerance.absolute, unit)
    return abs(expected - actual) <= allowed * (1 + 1e-9)  # 0.13 - 0.12 is a little more than 0.01
