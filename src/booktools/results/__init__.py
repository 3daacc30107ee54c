"""Stored results, `docs/results/*.json`, and what pages show of them.

`python -m booktools.results` writes every table, number, plot and figure that depends on a result;
with `--check` it writes nothing and says what is not as it should be. A new result needs a module
that says what must hold inside it (`problems`) and what a page can show of it (`parts`).
"""
