import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from notes.augmentation.crop import crop_at, draw_crops, random_crop
from notes.augmentation.one_by_one import crop_each

NINE = torch.arange(9.0).view(1, 1, 3, 3)


def test_each_image_is_cut_at_its_own_place():
    windows = crop_at(NINE.repeat(2, 1, 1, 1), torch.tensor([0, 1]), torch.tensor([1, 0]), (2, 2))
    assert windows.flatten(1).tolist() == [[1, 2, 4, 5], [3, 4, 6, 7]]


def test_padding_surrounds_the_image_with_the_fill():
    padded = random_crop(NINE, padding=1, size=(5, 5), fill=7.0)
    expected = torch.full((1, 1, 5, 5), 7.0)
    expected[:, :, 1:4, 1:4] = NINE
    assert torch.equal(padded, expected)


def test_a_window_of_the_whole_image_is_the_image(make_images):
    images = make_images()
    assert torch.equal(random_crop(images), images)


def test_a_crop_keeps_the_size_unless_told(make_images):
    assert random_crop(make_images(), padding=2).shape == (6, 3, 12, 16)
    assert random_crop(make_images(), padding=2, size=(3, 5)).shape == (6, 3, 3, 5)


def test_one_number_for_the_size_means_a_square(make_images, generator):
    images, start = make_images(), torch.arange(6)
    assert random_crop(images, size=8, generator=generator).shape == (6, 3, 8, 8)
    assert torch.equal(crop_at(images, start, start, 5), crop_at(images, start, start, (5, 5)))
    assert torch.equal(crop_each(images, start, start, 5), crop_at(images, start, start, (5, 5)))
    assert draw_crops(images, 12, generator)[0].tolist() == [0] * 6


def test_places_may_be_small_integers(generator):
    images = torch.rand(2, 1, 300, 300, generator=generator)
    for dtype in (torch.uint8, torch.int16, torch.int32):
        start = torch.tensor([90, 120]).to(dtype)
        window = crop_at(images, start, start, (10, 5))
        assert torch.equal(window[1], images[1, :, 120:130, 120:125])


def test_the_gradient_of_a_crop_needs_no_more_memory_than_some_images(generator):
    images = torch.rand(2, 3, 64, 64, generator=generator, requires_grad=True)
    windows = crop_at(images, torch.tensor([3, 0]), torch.tensor([0, 7]), (57, 50))
    with torch.profiler.profile(profile_memory=True, acc_events=True) as profile:
        windows.sum().backward()
    expected = torch.zeros_like(images)
    expected[0, :, 3:60, :50], expected[1, :, :57, 7:57] = 1, 1
    assert torch.equal(images.grad, expected)
    largest = max(event.self_cpu_memory_usage for event in profile.events())
    assert largest <= 2 * images.nbytes


def test_the_images_of_a_batch_get_different_places(generator):
    same = torch.arange(64.0).view(1, 1, 8, 8).repeat(50, 1, 1, 1)
    corners = random_crop(same, padding=0, size=(4, 4), generator=generator)[:, 0, 0, 0]
    assert len(corners.unique()) > 10


def test_the_same_seed_gives_the_same_crops(make_images):
    first, second = (
        random_crop(make_images(), padding=4, generator=torch.Generator().manual_seed(1))
        for _ in range(2)
    )
    assert torch.equal(first, second)


@given(
    shape=st.tuples(*[st.integers(1, size) for size in (4, 3, 7, 7)]),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    padding=st.integers(0, 3),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=50, deadline=None)
def test_a_crop_shows_neighbors_of_the_image_or_padding(shape, size, padding, seed):
    height, width = (min(s, n + 2 * padding) for s, n in zip(size, shape[2:], strict=True))
    images = torch.arange(1.0, 1 + torch.tensor(shape).prod()).view(shape)
    generator = torch.Generator().manual_seed(seed)
    windows = random_crop(images, padding, (height, width), generator=generator)
    assert windows.shape == (*shape[:2], height, width)
    # Each pixel has its own number: neighbors that are no padding are 1 or one row apart.
    beside = windows.diff(dim=3)[(windows[..., 1:] > 0) & (windows[..., :-1] > 0)]
    below = windows.diff(dim=2)[(windows[..., 1:, :] > 0) & (windows[..., :-1, :] > 0)]
    assert (beside == 1).all()
    assert (below == shape[3]).all()
    number = torch.arange(shape[0])[:, None, None, None]
    assert (((windows - 1) // (shape[1] * shape[2] * shape[3]) == number) | (windows == 0)).all()


@pytest.mark.parametrize("size", [(1, 1), (4, 5)])
def test_a_window_up_to_the_size_of_the_image_fits(size):
    assert random_crop(torch.zeros(1, 1, 4, 5), size=size).shape == (1, 1, *size)


@pytest.mark.parametrize("size", [(5, 5), (4, 6), (0, 5), (4, 0), 5, 0])
def test_other_windows_are_refused(size):
    message = r"size must (lie between \(1, 1\) and \(4, 5\)|be at least 1), got"
    images, start = torch.zeros(1, 1, 4, 5), torch.zeros(1, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        draw_crops(images, size)
    with pytest.raises(ValueError, match=message):
        crop_at(images, start, start, size)


@pytest.mark.parametrize("start", [-1, 2])
def test_a_window_that_leaves_the_image_is_refused(start):
    wrong, zero = torch.tensor([start]), torch.tensor([0])
    with pytest.raises(ValueError, match=rf"^tops must lie in \[0, 2\), got {start}$"):
        crop_at(NINE, wrong, zero, (2, 3))
    with pytest.raises(ValueError, match=rf"^lefts must lie in \[0, 2\), got {start}$"):
        crop_at(NINE, zero, wrong, (3, 2))


def test_places_between_two_pixels_are_refused():
    whole, half = torch.tensor([0]), torch.tensor([0.5])
    with pytest.raises(TypeError, match=r"tops must be a tensor of integers, got torch.float32"):
        crop_at(NINE, half, whole, (2, 2))
    with pytest.raises(TypeError, match=r"lefts must be a tensor of integers, got torch.float32"):
        crop_at(NINE, whole, half, (2, 2))


def test_draws_for_another_number_of_images_are_refused():
    two, one = torch.zeros(2, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"tops must have shape \(1,\), got \(2,\)"):
        crop_at(NINE, two, one, (2, 2))
    with pytest.raises(ValueError, match=r"lefts must have shape \(1,\), got \(2,\)"):
        crop_at(NINE, one, two, (2, 2))


def test_negative_padding_is_refused():
    with pytest.raises(ValueError, match=r"^padding must be at least 0, got -1$"):
        random_crop(NINE, padding=-1)


def test_a_fill_that_bytes_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"fill must be a whole number .* got 0.5"):
        random_crop(NINE.byte(), padding=1, fill=0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda images: random_crop(images),
        lambda images: draw_crops(images, (2, 2)),
        lambda images: crop_at(images, torch.tensor([0]), torch.tensor([0]), (2, 2)),
    ],
)
def test_a_single_image_is_refused(call):
    with pytest.raises(ValueError, match=r"images must have shape \(B, C, H, W\), got \(1, 3, 3\)"):
        call(NINE[0])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_crops_agree_with_a_loop_over_the_images(dtype, layout, make_images, generator):
    images = make_images(dtype).to(memory_format=layout)
    tops, lefts = draw_crops(images, (5, 7), generator)
    windows = crop_at(images, tops, lefts, (5, 7))
    assert windows.dtype == dtype
    assert torch.equal(windows, crop_each(images, tops, lefts, (5, 7)))


def test_crops_agree_with_torchvision_when_the_draws_are_given(make_images, generator):
    images = make_images()
    transform = v2.RandomCrop((12, 16), padding=4, fill=9)
    padded = torch.nn.functional.pad(images, (4, 4, 4, 4), value=9)
    tops, lefts = draw_crops(padded, (12, 16), generator)
    given = transform.make_params([images[0]]) | {"needs_crop": True}
    theirs = [
        transform.transform(image, given | {"top": top, "left": left})
        for image, top, left in zip(images, tops.tolist(), lefts.tolist(), strict=True)
    ]
    assert torch.equal(crop_at(padded, tops, lefts, (12, 16)), torch.stack(theirs))


def test_places_are_distributed_as_in_torchvision(generator, differ):
    images = torch.zeros(1000, 1, 12, 16)
    tops, lefts = draw_crops(images, (5, 7), generator)
    torch.manual_seed(0)
    theirs = [v2.RandomCrop((5, 7)).make_params([images[0]]) for _ in range(1000)]
    assert not differ(tops, [draw["top"] for draw in theirs])
    assert not differ(lefts, [draw["left"] for draw in theirs])
    assert sorted(tops.unique().tolist()) == list(range(8))
    assert sorted(lefts.unique().tolist()) == list(range(10))
    assert abs(torch.corrcoef(torch.stack([tops, lefts]))[0, 1]) < 0.1
