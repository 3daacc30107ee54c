"""Data sets, splits and a loader over tensors in memory."""
