"""MNIST, Fashion-MNIST and CIFAR-10, through torchvision's own downloads and readers.

Each loader returns the same pair as `notes.data.digits.load_digits`, which needs no network, so
one can stand in for the other.

Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998),
https://doi.org/10.1109/5.726791; Xiao et al., "Fashion-MNIST: a Novel Image Dataset for
Benchmarking Machine Learning Algorithms" (2017), https://arxiv.org/abs/1708.07747; Krizhevsky,
"Learning Multiple Layers of Features from Tiny Images" (2009),
https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf.
"""

import os
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor
from torchvision import datasets
from torchvision.datasets.utils import check_integrity

from notes.checks import check_indices
from notes.data.labeled_images import LabeledImages


# --8<-- [start:load_mnist]
def load_mnist(root: str | Path) -> tuple[LabeledImages, LabeledImages]:
    """60,000 handwritten digits to learn from and 10,000 to be tested on.

    Args:
        root: Folder for the files, `~` for the home folder. They are downloaded if they are not in
            `root/MNIST/raw`.

    Returns:
        The training part and the test part: images `(N, 1, 28, 28)`, float32 in [0, 1], 0 for
        paper and 1 for ink; labels `(N,)`, int64 in [0, 10).

    Raises:
        ConnectionError: If the files are not there and cannot be downloaded.
        NotADirectoryError: If `root` is a file.
        PermissionError: If the files are not there and `root` cannot be written.
        ValueError: If a file is damaged. (With a network, a damaged one of which a checksum is
            known is downloaded again.)

    Explained in:
        [Data][data]
    """
    return _load_both_parts(datasets.MNIST, Path(os.path.expanduser(root)))


# --8<-- [end:load_mnist]


# --8<-- [start:load_fashion_mnist]
def load_fashion_mnist(root: str | Path) -> tuple[LabeledImages, LabeledImages]:
    """60,000 pictures of clothes and shoes to learn from and 10,000 to be tested on.

    Args:
        root: Folder for the files. They are downloaded if they are not in `root/FashionMNIST/raw`.

    Returns:
        As `load_mnist`: the images are `(N, 1, 28, 28)`.

    Raises:
        ConnectionError: As for `load_mnist`; `NotADirectoryError`, `PermissionError` and
            `ValueError` too.

    Explained in:
        [Data][data]
    """
    return _load_both_parts(datasets.FashionMNIST, Path(os.path.expanduser(root)))


# --8<-- [end:load_fashion_mnist]


# --8<-- [start:load_cifar10]
def load_cifar10(root: str | Path) -> tuple[LabeledImages, LabeledImages]:
    """50,000 small color photographs to learn from and 10,000 to be tested on.

    Args:
        root: Folder for the files. They are downloaded if they are not in
            `root/cifar-10-batches-py`.

    Returns:
        As `load_mnist`, but the images are `(N, 3, 32, 32)`: red, green and blue. The training
        part takes 614 MB of memory.

    Raises:
        ConnectionError: As for `load_mnist`; `NotADirectoryError`, `PermissionError` and
            `ValueError` too.

    Explained in:
        [Data][data]
    """
    return _load_both_parts(datasets.CIFAR10, Path(os.path.expanduser(root)))


# --8<-- [end:load_cifar10]


def _load_both_parts(kind: Any, root: Path) -> tuple[LabeledImages, LabeledImages]:
    return _load_part(kind, root, train=True), _load_part(kind, root, train=False)


def _load_part(kind: Any, root: Path, *, train: bool) -> LabeledImages:
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(f"root must be a folder, got the file {str(root)!r}")
    checksums = _checksums(kind, root)
    before = _times(checksums)
    try:
        part = kind(root, train=train, download=True)
    except PermissionError as error:
        raise PermissionError(f"root must be a writable folder, got {str(root)!r}") from error
    except Exception as error:
        needs_network = _is_about_download(error)
        if isinstance(error, OSError) and not needs_network:  # a full disk, say
            raise
        untouched = sorted(before.items() & _times(checksums).items())
        damaged = [path.name for path, _ in untouched if not check_integrity(path, checksums[path])]
        if needs_network and not damaged:
            raise _no_network(kind.__name__, root, error) from error
        raise ValueError(
            f"root must hold the whole files of {kind.__name__}, got a damaged "
            f"{damaged[0] if damaged else 'one'} in {str(root)!r}; delete it to download it again"
        ) from error
    images, labels = torch.as_tensor(part.data), torch.as_tensor(part.targets)
    if len(images) != len(labels):
        raise ValueError(
            f"root must hold one label for each image of {kind.__name__}, "
            f"got {len(labels)} labels for {len(images)} images"
        )
    check_indices(f"labels of {kind.__name__}", labels, len(part.classes))
    return LabeledImages(_channels_first(images), labels)


def _checksums(kind: Any, root: Path) -> dict[Path, str]:
    """Of the files of a set, as far as torchvision has checksums."""
    if issubclass(kind, datasets.MNIST):
        return {root / kind.__name__ / "raw" / name: md5 for name, md5 in kind.resources}
    meta = (kind.meta["filename"], kind.meta["md5"])
    files = {
        root / kind.base_folder / name: md5
        for name, md5 in [*kind.train_list, *kind.test_list, meta]
    }
    return {root / kind.filename: kind.tgz_md5, **files}


def _times(files: Iterable[Path]) -> dict[Path, int]:
    """When the files were changed that are there."""
    return {path: path.stat().st_mtime_ns for path in files if path.is_file()}


def _is_about_download(error: Exception) -> bool:
    text = str(error)
    if isinstance(error, RuntimeError):  # torchvision tells its own cases apart only by the text
        # It never downloads a lost file of metadata, although it says so.
        return ("download" in text or "not found" in text) and "metadata" not in text
    return isinstance(error, URLError | HTTPException | ConnectionError | TimeoutError)


def _no_network(name: str, root: Path, error: Exception) -> ConnectionError:
    reason = " ".join(str(error).split())
    return ConnectionError(
        f"root must hold {name}, or the network must be there to download it, got {str(root)!r} "
        f"({reason}); without a network, use notes.data.digits.load_digits()"
    )


def _channels_first(images: Tensor) -> Tensor:
    """Bytes `(N, H, W)` or `(N, H, W, C)` to numbers `(N, C, H, W)`."""
    bytes_first = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)
    return bytes_first.contiguous().to(torch.float32).div_(255)
