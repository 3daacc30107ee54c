import os
import time

import pytest

from notes.training import atomic_write as module
from notes.training.atomic_write import STALE_SECONDS, atomic_write, check_writable


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


@pytest.mark.parametrize("rights", [0o600, 0o664, 0o750])
def test_a_file_that_is_replaced_keeps_its_rights(tmp_path, rights):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(rights)
    with atomic_write(path) as file:
        assert os.stat(file.name).st_mode & 0o777 == rights, "before anything stands in it"
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == rights


def test_a_file_that_is_replaced_is_new_although_it_has_old_rights(tmp_path):
    path = leave_behind(tmp_path / "file", seconds_ago=10 * STALE_SECONDS)
    with atomic_write(path) as file:
        assert time.time() - os.stat(file.name).st_mtime < STALE_SECONDS, "or it could be removed"
    assert time.time() - path.stat().st_mtime < STALE_SECONDS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_that_is_replaced_keeps_its_owner(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, 65534, 65533)
    write(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65533)


def test_extended_attributes_are_kept(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    try:
        os.setxattr(path, "user.origin", b"run 7")
    except OSError as error:
        pytest.skip(f"this disk has none: {error}")
    write(path, b"new")
    assert os.getxattr(path, "user.origin") == b"run 7"


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


def leave_behind(path, seconds_ago=STALE_SECONDS + 1):
    path.touch()
    os.utime(path, 2 * (time.time() - seconds_ago,))
    return path


RANDOM = "0123456789abcdef" * 2


def test_leftovers_of_killed_writers_are_removed_once_they_are_old(tmp_path):
    old = leave_behind(tmp_path / f".file.{RANDOM}.tmp")
    young = leave_behind(tmp_path / f".file.{RANDOM[::-1]}.tmp", seconds_ago=STALE_SECONDS - 60)
    write(tmp_path / "file", b"new")
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize(
    "name", [".file.keep.tmp", ".file.tmp", "file.tmp", f".file2.{RANDOM}.tmp", f".file.{RANDOM}"]
)
def test_files_of_somebody_else_are_not_removed(tmp_path, name):
    theirs = leave_behind(tmp_path / name)
    write(tmp_path / "file", b"new")
    assert theirs.exists()


def test_a_folder_or_a_link_with_the_name_of_a_leftover_does_no_harm(tmp_path):
    folder, link = (tmp_path / f".file.{letter * 32}.tmp" for letter in "ab")
    folder.mkdir()
    link.symlink_to("elsewhere")
    for path in (folder, link):
        os.utime(path, (0, 0), follow_symlinks=False)
    write(tmp_path / "file", b"new")
    assert folder.is_dir()
    assert link.is_symlink()


def test_a_leftover_that_another_writer_removes_meanwhile_does_no_harm(tmp_path, monkeypatch):
    def look_too_late(path):
        path.unlink()
        return True

    leave_behind(tmp_path / f".file.{RANDOM}.tmp")
    monkeypatch.setattr(module, "_is_stale", look_too_late)
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


def test_the_reason_of_a_failed_write_names_the_file(tmp_path):
    message = r"\[Errno 28\] No space left on device: '.*file'"
    with pytest.raises(OSError, match=message), atomic_write(tmp_path / "file"):
        raise OSError(28, "No space left on device")


def test_a_name_that_is_too_long_is_rejected(tmp_path):
    for length in (240, 300):
        with pytest.raises(OSError, match=r"path must have a shorter name, got '.*fff'"):
            write(tmp_path / ("f" * length), b"new")
    assert os.listdir(tmp_path) == []


def test_a_file_in_place_of_the_folder_is_rejected(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match="path must be in an existing folder, got"):
        write(tmp_path / "file" / "run.pt", b"new")


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"path must be a file, got the device or pipe '.*pipe'"):
        write(tmp_path / "pipe", b"new")
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_that_somebody_else_protects_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(module.os, "access", lambda *_, **__: False)
    with pytest.raises(PermissionError, match="path must not be a read-only file"):
        write(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_listed_can_be_written_to(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.Path, "iterdir", refuse)
    monkeypatch.setattr(module.os, "open", refuse)
    write(tmp_path / "file", b"new")
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_path_can_be_checked_before_there_is_anything_to_write(tmp_path):
    path = tmp_path / "file"
    check_writable("checkpoint", path)
    path.write_bytes(b"old")
    check_writable("checkpoint", str(path))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(IsADirectoryError, match="checkpoint must be a file, got the folder"):
        check_writable("checkpoint", tmp_path)
