"""Compare what a block printed with what the page shows.

Words and integers must be equal, character by character. A number with a decimal point may differ
by one per cent, or by what the block states in a comment before its output:

    <!-- tolerance: relative 0.02 -->
    <!-- tolerance: absolute 0.01 -->

A stated tolerance takes the place of the one per cent; a block may state both kinds, and the
wider one counts. One unit in the last printed digit is always allowed where at least two decimals
are printed, because two machines may round 0.1250 to 0.12 and to 0.13. So -0.0000 equals 0.0000.

A sign moves the columns of a tensor, so blanks beside a decimal number are not compared; all other
blanks are. Blanks at the ends of lines, and empty lines at the end, are not visible and not
compared.
"""

import math
import re
from dataclasses import dataclass

# `2.14.1` and `v2.5` are words; `1e-05` is a decimal number that Python prints without a point.
NUMBER = re.compile(
    r"(?<![\w.])(?P<number>[-+]?"
    r"(?:\d+\.\d*(?:e[-+]?\d+)?|\d+e[-+]?\d+|(?:nan|inf)(?!\w))"
    r")(?!\.?\d)",
    re.IGNORECASE,
)
BLANKS_AND_NUMBER = re.compile(rf" *{NUMBER.pattern} *", re.IGNORECASE)


@dataclass(frozen=True)
class Tolerance:
    """How far a decimal number may lie from the printed one.

    Attributes:
        relative: Allowed difference as a share of the printed number.
        absolute: Allowed difference in the number's own unit.
    """

    relative: float = 0.0
    absolute: float = 0.0


DEFAULT = Tolerance(relative=0.01)


def tidy(text: str) -> str:
    """Remove what a reader cannot see: blanks at line ends and empty lines at the end."""
    lines = [line.rstrip() for line in text.split("\n")]
    joined = "\n".join(lines).rstrip("\n")
    return joined + "\n" if joined else ""


def difference(expected: str, actual: str, tolerance: Tolerance = DEFAULT) -> str | None:
    """Say how two outputs differ, or None if they agree.

    Examples:
        >>> difference("loss 0.500 of 3", "loss 0.502 of 3")
        >>> difference("loss 0.500 of 3", "loss 0.502 of 4")
        'line 1 differs in its words or integers'
        >>> difference("loss 0.500", "loss 0.600")
        'line 1 has 0.600 instead of 0.500'
    """
    expected_lines, actual_lines = tidy(expected).split("\n"), tidy(actual).split("\n")
    for number, (wanted, got) in enumerate(zip(expected_lines, actual_lines, strict=False), 1):
        if BLANKS_AND_NUMBER.sub("\0", wanted) != BLANKS_AND_NUMBER.sub("\0", got):
            return f"line {number} differs in its words or integers"
        for one, other in zip(_numbers(wanted), _numbers(got), strict=True):
            if not _close(one, other, tolerance):
                return f"line {number} has {other} instead of {one}"
    if len(expected_lines) != len(actual_lines):
        return f"{len(actual_lines) - 1} lines instead of {len(expected_lines) - 1}"
    return None


def _numbers(line: str) -> list[str]:
    return [match["number"] for match in NUMBER.finditer(line)]


def _close(expected: str, actual: str, tolerance: Tolerance) -> bool:
    wanted, got = float(expected), float(actual)
    if not (math.isfinite(wanted) and math.isfinite(got)):
        return wanted == got or (math.isnan(wanted) and math.isnan(got))
    allowed = max(tolerance.relative * abs(wanted), tolerance.absolute, _unit(expected))
    return abs(wanted - got) <= allowed * (1 + 1e-9)  # 0.13 - 0.12 is a little more than 0.01


def _unit(number: str) -> float:
    """One unit in the last printed digit, or 0 if fewer than two decimals are printed.

    `0.5` is what Python prints for exactly one half, so 0.6 is no rounding of it.
    """
    digits, _, exponent = number.lower().partition("e")
    decimals = len(digits.partition(".")[2])
    return float(10.0 ** (int(exponent or 0) - decimals)) if decimals >= 2 else 0.0
