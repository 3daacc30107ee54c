import math

import pytest
import torch
from torch import nn

from notes.training._keeper import Best, Keeper


def make_model(value):
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, value)
    return model


def make_keeper(path, model, patience=None):
    parts = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "scheduler": None,
        "scaler": torch.amp.GradScaler("cpu", enabled=False),
    }
    best = Best(model, patience)
    return Keeper(path, best, parts=parts, sources={"train_batches": []}), best


def test_the_weights_of_the_smallest_loss_come_back():
    model = make_model(1.0)
    best = Best(model, patience=2)
    for epoch, loss in enumerate([3.0, 1.0, math.nan, 2.0], start=1):
        nn.init.constant_(model.weight, epoch)
        best.look(loss, epoch)
    assert [best.is_long_ago(epoch) for epoch in (2, 3, 4)] == [False, False, True]
    best.restore()
    assert model.weight.item() == 2.0


def test_without_patience_nothing_is_kept():
    best = Best(model := make_model(1.0), patience=None)
    best.look(0.0, 1)
    nn.init.constant_(model.weight, 2.0)
    best.restore()
    assert model.weight.item() == 2.0
    assert not best.is_long_ago(99)
    assert best.state_dict() is None


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keeper, _ = make_keeper(None, make_model(1.0))
    assert keeper.start(["train_loss"], resume=True) == {"train_loss": []}
    keeper.save({"train_loss": [1.0]}, epoch=1)
    assert list(tmp_path.iterdir()) == []


def test_what_was_kept_comes_back(tmp_path):
    path, model = tmp_path / "run.pt", make_model(1.0)
    keeper, best = make_keeper(path, model, patience=3)
    keeper.start(["train_loss"], resume=False)
    best.look(0.5, 1)
    keeper.save({"train_loss": [0.5]}, epoch=1)
    other = make_model(7.0)
    keeper, best = make_keeper(path, other, patience=3)
    assert keeper.start(["train_loss"], resume=True) == {"train_loss": [0.5]}
    assert other.weight.item() == 1.0
    assert (best.loss, best.epoch) == (0.5, 1)


def test_without_resuming_a_file_that_is_there_is_left_alone(tmp_path):
    path, model = tmp_path / "run.pt", make_model(1.0)
    path.write_bytes(b"something else")
    keeper, _ = make_keeper(path, model)
    assert keeper.start(["train_loss"], resume=False) == {"train_loss": []}
    assert path.read_bytes() == b"something else"


def test_a_file_with_other_names_is_refused_before_anything_is_put_back(tmp_path):
    path = tmp_path / "run.pt"
    keeper, _ = make_keeper(path, make_model(1.0))
    keeper.save({"train_loss": [0.5]}, epoch=1)
    keeper, _ = make_keeper(path, other := make_model(7.0))
    with pytest.raises(
        ValueError, match=r"metrics must be those of the checkpoint, \['train_loss'"
    ):
        keeper.start(["train_loss", "val_loss"], resume=True)
    assert other.weight.item() == 7.0
