"""Images and statistics for the tests of augmentation."""

import pytest
import torch
from scipy import stats


@pytest.fixture
def make_images():
    """Give a function that draws a batch of images in a dtype, always the same ones."""

    def draw(dtype=torch.uint8, shape=(6, 3, 12, 16)):
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return images if dtype == torch.uint8 else images.to(dtype) / 255

    return draw


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def differ():
    """Give a function that says whether two samples come from two distributions.

    With fixed seeds its answer is always the same, so one in a thousand is no risk.
    """

    def two_samples(ours, theirs):
        return stats.ks_2samp(torch.as_tensor(ours), torch.as_tensor(theirs)).pvalue < 0.001

    return two_samples
