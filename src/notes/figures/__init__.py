"""Drawings in one style: `draw_x(..., ax=None)` draws on the axes it is given, or on new ones."""
