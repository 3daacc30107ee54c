"""One line on standard error for each epoch: a bar over the batches, then what was measured."""

from collections.abc import Iterator, Mapping, Sized
from types import TracebackType
from typing import Self

from torch import Tensor
from tqdm import tqdm

from notes.training.loop import Batches


class ProgressLine:
    """Counts batches while they pass, and shows the epoch's values at its end.

    Args:
        title: What stands in front of the bar.
        batches: Only asked for their number.
        visible: Whether to show anything at all.

    Explained in:
        [Training loop][training-loop]
    """

    def __init__(self, title: str, batches: Batches, visible: bool) -> None:
        total = len(batches) if isinstance(batches, Sized) else None
        self.bar = tqdm(total=total, desc=title, unit="batch", disable=not visible)

    def __enter__(self) -> Self:
        """Start the line."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the line, also after an error."""
        self.bar.close()

    def count(self, batches: Batches) -> Iterator[tuple[Tensor, ...]]:
        """Hand the batches on, one by one."""
        for batch in batches:
            yield batch
            self.bar.update()

    def show(self, measured: Mapping[str, float]) -> None:
        """Write the values behind the bar."""
        self.bar.set_postfix({name: f"{value:.4f}" for name, value in measured.items()})
