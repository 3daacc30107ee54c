from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


def memorizes(model: nn.Module, *batch: Tensor, lr: float = 3e-3, steps: int = 60) -> bool:
    """Whether a model that trains on one batch gives the right class for all of it.

    He initialization, without which a deep network without normalization hardly starts.
    """
    *inputs, labels = batch
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(*inputs)
        nn.functional.cross_entropy(logits.flatten(0, -2), labels.flatten()).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        return bool((model(*inputs).argmax(-1) == labels).all())


@pytest.fixture(name="memorizes")
def _memorizes() -> Callable[..., bool]:
    torch.manual_seed(0)
    return memorizes


@pytest.fixture
def labels() -> Tensor:
    return torch.tensor([3, 1, 4, 1, 5, 9, 2, 6])
