"""The training of TinySSD can be interrupted, and the stored result is that of today's program."""

import shlex

import pytest
import train_ssd


def test_an_interrupted_training_goes_on_to_the_same_result(monkeypatch, tmp_path):
    options = train_ssd.parse(["--quick", "--folder", str(tmp_path)])
    whole = train_ssd.train(0, "notes", options)
    (tmp_path / "ssd-notes-0.pt").unlink()

    def interrupt(*_, epoch, **__):
        keep(*_, epoch=epoch, **__)
        if epoch == 1:
            raise KeyboardInterrupt

    keep = train_ssd.save_checkpoint
    monkeypatch.setattr(train_ssd, "save_checkpoint", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_ssd.train(0, "notes", options)
    options.resume = True
    parts = train_ssd.train(0, "notes", options)
    assert whole["history"]["train_classes"][1] < whole["history"]["train_classes"][0]
    for name in ("train_classes", "test_boxes", "average_precision"):
        assert whole["history"][name] == parts["history"][name]


def test_the_stored_result_comes_from_todays_settings(stored):
    result = stored("ssd")
    options = train_ssd.parse(shlex.split(result["command"])[2:])
    assert result["settings"] == {name: getattr(options, name) for name in result["settings"]}
    assert [run["seed"] for run in result["runs"]] == options.seeds
    assert [run["loss"] for run in result["other_losses"]] == options.other_losses
    assert result["test_seed"] == train_ssd.TEST_SEED
