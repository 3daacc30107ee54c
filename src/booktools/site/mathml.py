"""Turn the formulas of rendered pages into MathML when the site is built.

A browser shows MathML by itself: no script, no font to load, and screen readers can read it.
`pymdownx.arithmatex` marks the formulas, pandoc translates them, all new ones in one call.
"""

import functools
import html
import json
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pypandoc

MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
TRANSLATED = re.compile(r"<p>(.*?)</p>", re.DOTALL)
TEXT = re.compile(r"\\(?:text|mathrm|operatorname)\*?\s*\{[^{}]*\}")
WORD = re.compile(r"(?<![^\s\d])(?:[a-z]{3,}|and|or|to|of|is|in|at|by|for)(?![^\s\d,.])")


@dataclass(frozen=True)
class Formula:
    """One formula.

    Attributes:
        tex: The TeX source, without the dollar signs.
        display: Whether it stands on a line of its own.
    """

    tex: str
    display: bool

    @property
    def key(self) -> str:
        """What the cache calls it."""
        return ("display " if self.display else "inline ") + self.tex


class MathCache:
    """Formulas translated before, in memory and in one file.

    Args:
        path: The JSON file. A missing, broken or outdated one counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mathml: dict[str, str] | None = None

    def translate(self, formulas: Iterable[Formula]) -> dict[Formula, str]:
        r"""Translate formulas; only those not seen before cost a call of pandoc.

        Raises:
            ValueError: If pandoc does not understand a formula, or if it is none, see `check`.

        Examples:
            >>> import tempfile
            >>> cache = MathCache(Path(tempfile.mkdtemp()) / "mathml.json")
            >>> half = Formula(r"\frac{1}{2}", display=False)
            >>> "<mfrac>" in cache.translate([half])[half]
            True
        """
        wanted = list(dict.fromkeys(formulas))
        for formula in wanted:
            check(formula.tex)
        if self._mathml is None:
            self._mathml = self._read()
        new = [formula for formula in wanted if formula.key not in self._mathml]
        if new:
            results = zip(new, run_pandoc(new), strict=True)
            self._mathml |= {formula.key: mathml for formula, mathml in results}
            self._write(self._mathml)
        return {formula: self._mathml[formula.key] for formula in wanted}

    def _read(self) -> dict[str, str]:
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            mathml = dict[str, str](stored["mathml"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return mathml if stored.get("pandoc") == pandoc_version() else {}

    def _write(self, mathml: dict[str, str]) -> None:
        stored = {"pandoc": pandoc_version(), "mathml": mathml}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}")  # two builds at once do not mix
        draft.write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        draft.replace(self.path)


def find_formulas(page: str) -> list[Formula]:
    r"""List the formulas that arithmatex marked in a page's HTML.

    Examples:
        >>> find_formulas(r'<p><span class="arithmatex">\(a &lt; b\)</span></p>')
        [Formula(tex='a < b', display=False)]
    """
    return [_formula(match) for match in MARKED.finditer(page)]


def insert_mathml(page: str, mathml: dict[Formula, str]) -> str:
    """Put the translations in the places of the formulas.

    A displayed formula comes in a box of its own, so that a wide one scrolls there and the page
    stays still.
    """

    def replacement(match: re.Match[str]) -> str:
        formula = _formula(match)
        if formula.display:
            return f'<div class="formula">{mathml[formula]}</div>'
        return mathml[formula]

    return MARKED.sub(replacement, page)


def check(tex: str) -> None:
    r"""Refuse what pandoc lets pass.

    Raises:
        ValueError: If a `\left` has no `\right`, or if it is prose between two dollar signs.
    """
    if len(re.findall(r"\\left\b", tex)) != len(re.findall(r"\\right\b", tex)):
        raise ValueError(rf"formula must close each \left with a \right, got {tex}")
    if word := WORD.search(TEXT.sub("", tex)):
        rule = r"must have its words in \text{} (a dollar sign that is none is written \$)"
        raise ValueError(f"formula {rule}, got '{word[0]}' in {tex}")


def run_pandoc(formulas: list[Formula]) -> list[str]:
    """Translate all formulas in one call of pandoc.

    Raises:
        ValueError: If pandoc does not understand a formula; the message holds pandoc's words.
    """
    kinds = {True: "DisplayMath", False: "InlineMath"}
    blocks = [
        f"Para [Math {kinds[formula.display]} {json.dumps(formula.tex, ensure_ascii=False)}]"
        for formula in formulas
    ]
    command = [pypandoc.get_pandoc_path(), "--from=native", "--to=html", "--mathml", "--wrap=none"]
    done = subprocess.run(
        command, input=f"[{','.join(blocks)}]", capture_output=True, encoding="utf-8", check=True
    )
    if done.stderr:
        raise ValueError(f"formula must be valid TeX, got {done.stderr.strip()}")
    return TRANSLATED.findall(done.stdout)


@functools.cache
def pandoc_version() -> str:
    """The version of pandoc; another one may translate differently."""
    return str(pypandoc.get_pandoc_version())


def _formula(match: re.Match[str]) -> Formula:
    return Formula(html.unescape(match["tex"]).strip(), display=match["tag"] == "div")
