"""Losses written by hand, each equal to PyTorch's own in value and in gradient."""
