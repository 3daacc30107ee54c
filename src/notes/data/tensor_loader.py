"""Batches of tensors that are in memory already.

`torch.utils.data.DataLoader` fetches every example by itself and stacks them. That is right for
files, and slow for tensors, where one `index_select` fetches a whole batch.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from notes.checks import as_integer


# --8<-- [start:TensorLoader]
class TensorLoader:
    """Iterates over tensors in batches of rows that belong together.

    Every pass over the loader is one epoch. Without shuffling a batch is a *view* of the data:
    whoever changes it in place changes the data. With shuffling it is a copy.

    Args:
        tensors: One or more tensors with the same number of rows: `(N, ...)`.
        batch_size: Rows in a batch. The last batch has fewer if `N` is no multiple of it.
        shuffle: Whether each epoch has its own random order.
        drop_last: Whether to leave out a last batch that is not full.
        generator: Draws the orders. Without one, PyTorch's global generator does.
        device: Where the tensors are moved, once, when the loader is made.

    Attributes:
        tensors: The tensors, on the device.
        batch_size: As given.
        shuffle: As given.
        drop_last: As given.
        generator: As given.

    Raises:
        TypeError: If an argument is not a tensor, or `batch_size` not an integer.
        ValueError: If there is no tensor, no row or no batch, the numbers of rows or the devices
            differ, or `batch_size` is below 1.

    Examples:
        >>> inputs, labels = torch.arange(10).reshape(5, 2), torch.arange(5)
        >>> loader = TensorLoader(inputs, labels, batch_size=2)
        >>> len(loader), loader.num_examples
        (3, 5)
        >>> for batch, targets in loader:
        ...     print(tuple(batch.shape), targets)
        (2, 2) tensor([0, 1])
        (2, 2) tensor([2, 3])
        (1, 2) tensor([4])

    Explained in:
        [Data][data]
    """

    def __init__(
        self,
        *tensors: Tensor,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: Generator | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        _check_rows(tensors)
        batch_size = as_integer("batch_size", batch_size)
        if drop_last and batch_size > len(tensors[0]):
            raise ValueError(
                f"batch_size must be at most {len(tensors[0])}, the number of rows, "
                f"when drop_last is True, got {batch_size}"
            )
        if device is None:
            _check_one_device(tensors)
        else:
            tensors = tuple(tensor.to(device) for tensor in tensors)
        self.tensors = tensors
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = generator

    @property
    def num_examples(self) -> int:
        """Rows seen in one epoch: all of them, or the full batches' with `drop_last`."""
        num_rows = len(self.tensors[0])
        return num_rows - num_rows % self.batch_size if self.drop_last else num_rows

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return -(-self.num_examples // self.batch_size)  # divided, rounded up

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """One epoch."""
        return self._shuffled_batches() if self.shuffle else self._batches_in_order()

    def _batches_in_order(self) -> Iterator[tuple[Tensor, ...]]:
        batches = [torch.split(rows[: self.num_examples], self.batch_size) for rows in self.tensors]
        return zip(*batches, strict=True)

    def _shuffled_batches(self) -> Iterator[tuple[Tensor, ...]]:
        # Drawn on the generator's device: the same seed gives the same order on every device.
        draw_on = self.generator.device if self.generator else "cpu"
        order = torch.randperm(len(self.tensors[0]), generator=self.generator, device=draw_on)
        order = order[: self.num_examples].to(self.tensors[0].device)
        for rows in torch.split(order, self.batch_size):
            yield tuple([tensor.index_select(0, rows) for tensor in self.tensors])


# --8<-- [end:TensorLoader]


def _check_rows(tensors: tuple[Tensor, ...]) -> None:
    if not tensors:
        raise ValueError("tensors must hold at least one tensor, got none")
    for position, tensor in enumerate(tensors):
        name = f"tensors[{position}]"
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
        if tensor.ndim == 0:
            raise ValueError(f"{name} must have at least one dimension, got shape ()")
    num_rows = [len(tensor) for tensor in tensors]
    if len(set(num_rows)) > 1:
        raise ValueError(f"tensors must have the same number of rows, got {num_rows}")
    if num_rows[0] == 0:
        raise ValueError("tensors must have at least one row, got 0")


def _check_one_device(tensors: tuple[Tensor, ...]) -> None:
    devices = {str(tensor.device) for tensor in tensors}
    if len(devices) > 1:
        raise ValueError(
            f"tensors must be on one device (or give device=...), got {sorted(devices)}"
        )
