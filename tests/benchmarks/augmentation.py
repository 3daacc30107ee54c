"""Crop, flip and normalize: image by image in a `DataLoader`, and a whole batch at once.

The images are in memory as bytes, and the data set makes a PIL image of each one it hands out, as
`torchvision.datasets.CIFAR10` does.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import torch
from PIL import Image
from tables import Table, median_compared, rows_against, times_as_fast, with_goal
from timing import Contestant, now, take_turns, threads
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as v1
from torchvision.transforms import v2

from notes.augmentation.crop import random_crop
from notes.augmentation.flip import random_horizontal_flip
from notes.augmentation.normalize import normalize_bytes
from notes.data.tensor_loader import TensorLoader

Batches = Iterable[tuple[Tensor, Tensor]]
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10
PADDING = 4
BATCH_SIZE = 256

PIL = "PIL and `transforms`, each image"
OURS = "`notes.augmentation`, each batch"
OURS_ALONE = f"{OURS}, one thread"


class ImagesOneByOne(Dataset[tuple[Tensor, int]]):
    """Hands out one image after the other, transformed."""

    def __init__(self, images: Tensor, transform: Callable[[Any], Tensor], as_pil: bool) -> None:
        self.images = images
        self.arrays = images.permute(0, 2, 3, 1).contiguous().numpy()
        self.transform = transform
        self.as_pil = as_pil

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.arrays[index]) if self.as_pil else self.images[index]
        return self.transform(image), index


class ImagesInBatches:
    """Hands out batches, each of which is augmented at once."""

    def __init__(self, images: Tensor) -> None:
        numbers = torch.arange(len(images))
        self.loader = TensorLoader(images, numbers, batch_size=BATCH_SIZE, shuffle=True)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for images, numbers in self.loader:
            cropped = random_crop(images, padding=PADDING)
            yield normalize_bytes(random_horizontal_flip(cropped), MEAN, STD), numbers


def make_images(num_images: int) -> Tensor:
    """Random bytes in the shape of CIFAR-10."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (num_images, 3, 32, 32), generator=generator, dtype=torch.uint8)


def make_contestants(images: Tensor) -> dict[str, Batches]:
    """All ways to the same batches; the first is the reference."""
    size = images.shape[-1]
    old = [v1.RandomCrop(size, PADDING), v1.RandomHorizontalFlip()]
    new = [v2.RandomCrop(size, PADDING), v2.RandomHorizontalFlip()]
    end = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]

    def one_by_one(steps: list[Callable[[Any], Any]], as_pil: bool) -> Batches:
        data_set = ImagesOneByOne(images, v1.Compose(steps), as_pil)
        return DataLoader(data_set, batch_size=BATCH_SIZE, shuffle=True)

    return {
        PIL: one_by_one([*old, v1.ToTensor(), v1.Normalize(MEAN, STD)], as_pil=True),
        "PIL and `transforms.v2`, each image": one_by_one([*new, v2.ToImage(), *end], as_pil=True),
        "tensors and `transforms.v2`, each image": one_by_one([*new, *end], as_pil=False),
        OURS: ImagesInBatches(images),
    }


def seconds_per_image(batches: Batches, num_threads: int) -> float:
    """Time one pass."""
    with threads(num_threads):
        start, count = now(), 0
        for images, _ in batches:
            count += len(images)
        return (now() - start) / count


def measure(num_rounds: int, num_images: int = 2048) -> Table:
    """Compare the ways."""
    ways = make_contestants(make_images(num_images))
    contestants: dict[str, Contestant] = {
        name: partial(seconds_per_image, batches, torch.get_num_threads())
        for name, batches in ways.items()
    }
    contestants[OURS_ALONE] = partial(seconds_per_image, ways[OURS], 1)
    seconds = take_turns(contestants, num_rounds)
    rows = rows_against(PIL, seconds, lambda value: 1 / value, times_as_fast)
    return Table(
        title="Crop, flip and normalize",
        setting="32×32 RGB images, padded by 4, cut, mirrored by chance and normalized; batches "  # noqa: RUF001
        f"of {BATCH_SIZE}, no worker processes, {torch.get_num_threads()} threads. {num_rounds} "
        f"rounds of {num_images:,} images.",
        own="images per second",
        compared="times as fast as PIL",
        rows=with_goal(rows, OURS, median_compared, at_least=20),
    )
