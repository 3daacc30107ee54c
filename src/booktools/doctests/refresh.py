"""Write new outputs into a page, and touch nothing else in it.

Refreshing twice changes nothing the second time.
"""

import re
from pathlib import Path

from booktools.pages.blocks import EXPECTED, Block, read_blocks
from booktools.pages.comparison import tidy


def refresh(path: Path, outputs: dict[int, tuple[str, str]]) -> bool:
    """Replace the outputs of blocks, given as line to code and output; say if the file changed.

    Raises:
        ValueError: If a block is no longer where it stood when it ran.
    """
    before = path.read_bytes().decode("utf-8")
    blocks = {block.fence.line: block for block in read_blocks(before)}
    lines = re.split(r"(?<=\n)", before)
    for line, (code, printed) in sorted(outputs.items(), reverse=True):  # keeps lines above valid
        if line not in blocks or blocks[line].fence.code != code:
            raise ValueError(f"{path} must not change while its blocks run, got a new line {line}")
        _replace(lines, blocks[line], tidy(printed))
    after = "".join(lines)
    if after != before:
        path.write_bytes(after.encode("utf-8"))
    return after != before


def _replace(lines: list[str], block: Block, printed: str) -> None:
    ending = "\r\n" if lines[block.fence.line - 1].endswith("\r\n") else "\n"
    if block.output and not printed:
        comment = max(line for line in block.comments if line < block.output.line)
        lines[comment - 1 : block.output.end] = []
        if not lines[comment - 2].strip():
            del lines[comment - 2]
    elif block.output:
        if tidy(block.output.code) == printed:
            return
        start, stop = block.output.line - 1, block.output.end
        lines[start:stop] = _fence(block.output.prefix, printed, ending)
    elif printed:
        prefix = block.fence.prefix
        if not lines[block.head - 1].endswith("\n"):  # the fence ends the file
            lines[block.head - 1] += ending
        lines[block.head : block.head] = [
            *(ending, prefix + EXPECTED + ending, ending),
            *_fence(prefix, printed, ending),
        ]


def _fence(prefix: str, printed: str, ending: str) -> list[str]:
    """The lines of a fence, with a marker longer than any in the output."""
    longest = max((len(run) for run in re.findall(r"`{3,}", printed)), default=2)
    marker = "`" * (longest + 1)
    body = [f"{prefix}{line}".rstrip() + ending for line in printed.split("\n")[:-1]]
    return [f"{prefix}{marker}text{ending}", *body, f"{prefix}{marker}{ending}"]
