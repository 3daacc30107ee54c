import os
import time

import pytest

from notes.training import atomic_write as module
from notes.training.atomic_write import STALE_SECONDS, atomic_write


def write(path, content):
    with atomic_write(path) as file:
        file.write(content)


def test_the_content_is_there_after_the_block(tmp_path):
    write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_inside_the_block_everybody_else_sees_the_old_content(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_only_the_file_itself_remains(tmp_path):
    write(tmp_path / "file", b"new")
    write(str(tmp_path / "file"), b"newer")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_changes_nothing(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail_half_way():
        with atomic_write(path) as file:
            file.write(b"ne")
            raise error("stop")

    with pytest.raises(error, match="stop"):
        fail_half_way()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_changes_nothing(tmp_path, monkeypatch, step):
    def fail(*_args):
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(module.os, step, fail)
    with pytest.raises(OSError, match="No space left on device"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_content_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def record(*args, name=name, real=real):
            calls.append(name)
            return real(*args)

        monkeypatch.setattr(module.os, name, record)
    write(tmp_path / "file", b"new")
    assert calls == ["fsync", "replace", "fsync"]  # the content, the name, the folder


def test_the_file_gets_the_rights_that_any_new_file_gets(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_symbolic_link_stays_a_link(tmp_path):
    (tmp_path / "latest").symlink_to("epoch3")
    write(tmp_path / "latest", b"new")
    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "epoch3").read_bytes() == b"new"


def test_two_writers_at_once_do_not_mix(tmp_path):
    path = tmp_path / "file"
    with atomic_write(path) as first:
        first.write(b"fir")
        with atomic_write(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
        first.write(b"st")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["file"]


def test_leftovers_of_killed_writers_are_removed_once_they_are_old(tmp_path):
    old, young = tmp_path / ".file.aa.tmp", tmp_path / ".file.bb.tmp"
    others = [tmp_path / name for name in (".file2.aa.tmp", "file.tmp", ".file.txt")]
    for path in (old, young, *others):
        path.write_bytes(b"")
    for path in (old, *others):
        os.utime(path, 2 * (time.time() - STALE_SECONDS - 1,))
    write(tmp_path / "file", b"new")
    assert not old.exists()
    assert young.exists()
    assert all(path.exists() for path in others)


def test_a_leftover_that_another_writer_removes_meanwhile_does_no_harm(tmp_path, monkeypatch):
    def look_too_late(path):
        path.unlink()
        return STALE_SECONDS + 1

    (tmp_path / ".file.aa.tmp").write_bytes(b"")
    monkeypatch.setattr(module, "_age", look_too_late)
    write(tmp_path / "file", b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_a_block_that_fails_without_its_temporary_file_reports_its_own_error(tmp_path):
    def lose_the_file():
        with atomic_write(tmp_path / "file") as file:
            os.unlink(file.name)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        lose_the_file()


def test_a_missing_folder_is_rejected(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"path must be in an existing folder, got '.*/no/f"
    ):
        write(tmp_path / "no" / "file", b"new")


def test_a_folder_in_place_of_the_file_is_rejected(tmp_path):
    message = f"path must be a file, got the folder '.*{tmp_path.name}'"
    with pytest.raises(IsADirectoryError, match=message):
        write(tmp_path, b"new")


def test_a_folder_that_is_not_writable_is_rejected(read_only_folder):
    message = rf"in a writable folder, got '.*{read_only_folder.name}' \(Permission denied\)"
    with pytest.raises(PermissionError, match=message):
        write(read_only_folder / "file", b"new")


@pytest.mark.parametrize("rights", [0o444, 0o555])
def test_a_read_only_file_is_not_replaced(tmp_path, rights):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(rights)
    with pytest.raises(PermissionError, match=r"path must not be a read-only file, got '.*file'"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
