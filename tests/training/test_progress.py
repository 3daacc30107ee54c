import pytest

from notes.training.progress import ProgressLine


def test_batches_pass_unchanged_and_are_counted():
    with ProgressLine("epoch 1", [1, 2, 3], visible=False) as line:
        assert list(line.count([1, 2, 3])) == [1, 2, 3]
        assert line.bar.total == 3


def test_a_stream_without_length_has_no_total():
    with ProgressLine("epoch 1", iter([1]), visible=False) as line:
        assert list(line.count(iter([1]))) == [1]
        assert line.bar.total is None


def test_the_values_stand_behind_the_bar(capfd):
    with ProgressLine("epoch 1", [1], visible=True) as line:
        list(line.count([1]))
        line.show({"loss": 0.123456})
    err = capfd.readouterr().err
    assert "epoch 1: 100%" in err
    assert "batch" in err
    assert "loss=0.1235" in err


def test_an_invisible_line_writes_nothing(capfd):
    with ProgressLine("epoch 1", [1], visible=False) as line:
        list(line.count([1]))
        line.show({"loss": 0.5})
    assert capfd.readouterr() == ("", "")


def test_the_line_ends_after_an_error_too():
    line = ProgressLine("epoch 1", [1], visible=True)
    with pytest.raises(ZeroDivisionError), line:
        raise ZeroDivisionError
    assert line.bar.disable
