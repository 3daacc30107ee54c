"""Readable PyTorch: the code that the chapters of PyTorch Notes include and explain."""
