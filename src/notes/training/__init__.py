"""Learning from batches: `loop` holds the loop, `fit` repeats it."""
