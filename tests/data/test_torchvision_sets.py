"""The sets are read by torchvision's own code, from small files in the real formats."""

import gzip
import hashlib
import pickle
import socket
import struct
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from torchvision import datasets

from notes.data.digits import load_digits
from notes.data.torchvision_sets import load_cifar10, load_fashion_mnist, load_mnist

RANDOM = np.random.default_rng(0)
GRAY = {part: RANDOM.integers(0, 256, (size, 28, 28)) for part, size in (("train", 5), ("t10k", 3))}
COLOR = RANDOM.integers(0, 256, (6, 3, 32, 32))  # five batches to learn from and one for the test
LABELS = [9, 0, 3, 1, 4]


def idx_bytes(array):
    """An array in the format of MNIST: type and dimensions, sizes, bytes."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write_idx_files(raw):
    raw.mkdir(parents=True)
    for part, images in GRAY.items():
        labels = np.array(LABELS[: len(images)])
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))


def md5(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def write_cifar_files(folder, monkeypatch):
    """Six batches of one image, and their checksums where torchvision keeps those of the set."""
    folder.mkdir(parents=True)
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    for image, label, name in zip(COLOR.astype(np.uint8), [*LABELS, 7], names, strict=True):
        batch = {"data": image.reshape(1, -1), "labels": [label]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    sums = [[name, md5(folder / name)] for name in names]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", sums[:-1])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", sums[-1:])
    meta = datasets.CIFAR10.meta | {"md5": md5(folder / "batches.meta")}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def mnist_server(tmp_path, monkeypatch):
    """A web server on this machine with small files of MNIST, in place of the real one."""
    files = tmp_path / "server"
    write_idx_files(files)
    for path in list(files.iterdir()):
        (files / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    sums = [(path.name, md5(path)) for path in files.glob("*.gz")]

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=files)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}train-images-idx3-ubyte.gz")
        monkeypatch.setattr(datasets.MNIST, "resources", sums)
        yield files
        server.shutdown()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("load", "folder"), [(load_mnist, "MNIST"), (load_fashion_mnist, "FashionMNIST")]
)
def test_gray_images_are_read_as_the_files_hold_them(tmp_path, load, folder):
    write_idx_files(tmp_path / folder / "raw")
    for part, raw in zip(load(tmp_path), GRAY.values(), strict=True):
        assert part.images.shape == (len(raw), 1, 28, 28)
        assert part.images.dtype == torch.float32
        assert np.array_equal((part.images[:, 0] * 255).round().numpy(), raw)
        assert part.labels.dtype == torch.int64
        assert part.labels.tolist() == LABELS[: len(raw)]


@pytest.mark.usefixtures("no_network")
def test_color_images_are_read_with_the_channels_first(tmp_path, monkeypatch):
    write_cifar_files(tmp_path / "cifar-10-batches-py", monkeypatch)
    train, test = load_cifar10(tmp_path)
    assert train.images.shape == (5, 3, 32, 32)
    assert train.images.is_contiguous()
    assert np.array_equal((train.images * 255).round().numpy(), COLOR[:5])
    assert np.array_equal((test.images * 255).round().numpy(), COLOR[5:])
    assert train.labels.dtype == torch.int64
    assert (train.labels.tolist(), test.labels.tolist()) == (LABELS, [7])


@pytest.mark.usefixtures("no_network")
def test_black_is_0_and_white_is_1(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    write_idx_files(raw)
    extremes = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)])
    (raw / "train-images-idx3-ubyte").write_bytes(idx_bytes(extremes))
    (raw / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([0, 1])))
    images = load_mnist(tmp_path)[0].images
    assert images[0].unique().tolist() == [0]
    assert images[1].unique().tolist() == [1]


@pytest.mark.usefixtures("no_network")
def test_the_parts_have_the_same_form_as_the_digits(tmp_path):
    write_idx_files(tmp_path / "MNIST" / "raw")
    for ours, stand_in in zip(load_mnist(tmp_path), load_digits(image_size=28), strict=True):
        assert type(ours) is type(stand_in)
        assert ours.images.shape[1:] == stand_in.images.shape[1:]
        assert [t.dtype for t in ours] == [t.dtype for t in stand_in]


def test_missing_files_are_downloaded_once(tmp_path, mnist_server):
    first, _ = load_mnist(tmp_path / "new" / "root")
    for path in mnist_server.iterdir():
        path.unlink()
    second, _ = load_mnist(tmp_path / "new" / "root")
    assert first.labels.tolist() == LABELS
    assert torch.equal(first.images, second.images)


@pytest.mark.parametrize("load", [load_mnist, load_cifar10])
def test_a_download_with_the_wrong_checksum_is_not_used(tmp_path, mnist_server, load):
    for path in mnist_server.glob("*.gz"):
        path.write_bytes(gzip.compress(b"please log in to this network"))
    with pytest.raises(
        ConnectionError, match=r"the network must be there .*not found or corrupted"
    ):
        load(tmp_path / "root")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("load", "name"),
    [(load_mnist, "MNIST"), (load_fashion_mnist, "FashionMNIST"), (load_cifar10, "CIFAR10")],
)
def test_without_a_network_the_error_names_the_set_that_needs_none(tmp_path, load, name):
    with pytest.raises(ConnectionError) as caught:
        load(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"root must hold {name}, or the network must be there")
    assert "Name or service not known" in message
    assert message.endswith("without a network, use notes.data.digits.load_digits()")
    assert "\n" not in message


@pytest.mark.usefixtures("no_network")
def test_a_file_that_was_cut_off_is_rejected(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    write_idx_files(raw)
    path = raw / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="root must hold the whole files of MNIST, got a damaged"):
        load_mnist(tmp_path)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_damaged_file_is_named_and_not_blamed_on_the_network(tmp_path, monkeypatch, name):
    folder = tmp_path / "cifar-10-batches-py"
    write_cifar_files(folder, monkeypatch)
    damaged = bytearray((folder / name).read_bytes())
    damaged[-3] ^= 1
    (folder / name).write_bytes(damaged)
    with pytest.raises(ValueError, match=f"whole files of CIFAR10, got a damaged {name} in"):
        load_cifar10(tmp_path)


@pytest.mark.usefixtures("no_network")
def test_a_lost_file_that_cannot_be_downloaded_alone_is_not_blamed_on_the_network(
    tmp_path, monkeypatch
):
    folder = tmp_path / "cifar-10-batches-py"
    write_cifar_files(folder, monkeypatch)
    (folder / "batches.meta").unlink()
    with pytest.raises(ValueError, match="whole files of CIFAR10, got a damaged one in"):
        load_cifar10(tmp_path)
    (folder / "data_batch_2").unlink()
    with pytest.raises(ConnectionError, match="root must hold CIFAR10, or the network must be"):
        load_cifar10(tmp_path)


@pytest.mark.usefixtures("no_network")
def test_a_damaged_archive_is_named_and_not_blamed_on_the_network(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-labels-idx1-ubyte.gz").write_bytes(b"half of it")
    message = "whole files of MNIST, got a damaged train-labels-idx1-ubyte.gz in"
    with pytest.raises(ValueError, match=message):
        load_mnist(tmp_path)


@pytest.mark.usefixtures("no_network")
def test_a_label_that_is_no_class_is_rejected(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    write_idx_files(raw)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([1, 10, 2])))
    with pytest.raises(ValueError, match=r"labels of MNIST must lie in \[0, 10\), got 10"):
        load_mnist(tmp_path)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("kind", [str, Path])
def test_a_wave_stands_for_the_home_folder(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_idx_files(tmp_path / "data" / "MNIST" / "raw")
    assert load_mnist(kind("~/data"))[1].labels.tolist() == LABELS[:3]
    assert not (tmp_path / "~").exists()


@pytest.mark.usefixtures("no_network")
def test_files_that_do_not_belong_together_are_rejected(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    write_idx_files(raw)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([1, 2])))
    with pytest.raises(
        ValueError, match=r"one label for each image of MNIST, got 2 .* for 3 images"
    ):
        load_mnist(tmp_path)


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist, load_cifar10])
def test_a_root_that_is_a_file_is_rejected(tmp_path, load):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"root must be a folder, got the file '.*file'"):
        load(tmp_path / "file")


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
def test_a_root_that_is_not_writable_is_rejected(read_only_folder, load):
    with pytest.raises(PermissionError, match="root must be a writable folder, got"):
        load(read_only_folder)


def test_a_full_disk_is_reported_as_it_is(tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", fail)
    with pytest.raises(OSError, match="No space left on device"):
        load_mnist(tmp_path)
