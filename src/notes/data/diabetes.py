"""A stand-in for the diabetes table: the same shape and range, made-up numbers.

The notes train on a file `diabetes.csv` of unknown origin: 759 people, 8 measurements between -1
and 1, and a last column that says 1 or 0. It is not the `load_diabetes` of scikit-learn, which has
442 rows, 10 columns and no classes.
"""

import torch
from torch import Generator, Tensor

from notes.checks import as_integer

NUM_ROWS = 759
NUM_FEATURES = 8


# --8<-- [start:make_diabetes_like]
def make_diabetes_like(num_rows: int = NUM_ROWS, *, generator: Generator | None = None) -> Tensor:
    """A table to practice binary classification with: 8 features and a label in each row.

    The label depends on the features, but not on them alone. Half of the features matter, one of
    them only by its size, and chance decides the rest: a linear model does well, a small network
    does better, and nothing is right every time.

    Args:
        num_rows: How many rows to draw.
        generator: Draws the numbers. Without one, PyTorch's global generator does.

    Returns:
        `(num_rows, 9)` float32: features in [-1, 1], then a label, 0 or 1.

    Raises:
        TypeError: If `num_rows` is not an integer.
        ValueError: If it is below 1.

    Examples:
        >>> table = make_diabetes_like(generator=torch.Generator().manual_seed(0))
        >>> inputs, labels = table[:, :-1], table[:, -1:]
        >>> inputs.shape, labels.shape
        (torch.Size([759, 8]), torch.Size([759, 1]))

    Explained in:
        [Data][data]
    """
    num_rows = as_integer("num_rows", num_rows)
    features = 2 * torch.rand(num_rows, NUM_FEATURES, generator=generator) - 1  # (N, 8)
    linear = 3 * features[:, 1] + 2 * features[:, 5] - 1.5 * features[:, 7]
    by_size = 4 * features[:, 2].abs() - 2
    label = torch.bernoulli(torch.sigmoid(linear + by_size + 0.8), generator=generator)
    return torch.cat([features, label[:, None]], dim=1)  # (N, 9)


# --8<-- [end:make_diabetes_like]
