"""Write what depends on the stored results, `docs/results/*.json`, into the pages.

`make results` calls this. Tables, numbers and the data of plots go between the marks of the pages,
and the figures beside the results are drawn again.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from booktools.results.render import outdated_figures, outdated_pages


def main() -> int:
    """Render all results; with `--check` only say what would change."""
    parser = argparse.ArgumentParser(prog="python -m booktools.results", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if it would")
    parser.add_argument("--docs", type=Path, default="docs", help="the folder of the pages")
    options = parser.parse_args()
    try:
        changed = write(outdated_figures(options.docs / "results"), options.check)
        changed += write(outdated_pages(options.docs), options.check)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return int(options.check and changed > 0)


def write(files: Iterable[tuple[Path, bytes]], check: bool) -> int:
    """Write files unless this is only a check, name them, and return their number."""
    count = 0
    for path, content in files:
        if not check:
            path.write_bytes(content)
        print(path, "must be rendered again: make results" if check else "written")
        count += 1
    return count


if __name__ == "__main__":
    raise SystemExit(main())
