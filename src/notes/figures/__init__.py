"""Drawings in one style, with one signature: `draw_x(what, ax=None, *, options) -> Axes`."""
