"""The benchmarks compare like with like, and write what they measured. No time is judged here."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import accelerator
import allocator
import detection_detect
import detection_nms
import detection_steps
import detection_targets
import loader
import precision
import pytest
import run
import torch
import training_loop
from tables import Row, median_compared, median_own, rows_against, times_as_fast, with_goal
from timing import Clocked, Spread, spread, take_turns, threads
from torch.nn import functional as F

import augmentation

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def test_spread_by_hand():
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(median=3.0, low=2.0, high=4.0)
    assert spread([7.0]) == Spread(median=7.0, low=7.0, high=7.0)


def test_contestants_take_turns_and_the_first_turn_does_not_count():
    order = []

    def run_of(name):
        order.append(name)
        return float(len(order))

    seconds = take_turns({name: partial(run_of, name) for name in "ab"}, num_rounds=2)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert seconds == {"a": [3.0, 5.0], "b": [4.0, 6.0]}
    order.clear()
    assert take_turns({"a": partial(run_of, "a")}, 1, warm_up=False) == {"a": [1.0]}


def test_the_clock_runs_from_the_first_warm_batch_to_the_last(monkeypatch):
    readings = iter([10.0, 16.0])
    monkeypatch.setattr("timing.now", lambda: next(readings))
    batches = [(torch.zeros(1),)] * 5
    clocked = Clocked(batches, num_warm=1)
    assert list(clocked) == batches
    assert len(clocked) == 5
    assert clocked.seconds_per_batch == 2.0


def test_the_clock_needs_two_batches_after_the_warm_ones():
    with pytest.raises(ValueError, match=r"num_warm must lie in \[0, 1\), got 1"):
        Clocked([(torch.zeros(1),)] * 2, num_warm=1)


def test_the_number_of_threads_comes_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_only_times_of_one_round_are_compared():
    seconds = {"slow": [10.0, 100.0], "fast": [5.0, 50.0]}
    slow, fast = rows_against("slow", seconds, own=lambda value: value, compare=times_as_fast)
    assert slow == Row("slow", Spread(55.0, 32.5, 77.5))
    assert fast.compared == Spread(2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("bounds", "goal"), [({"at_least": 2.5}, "at least 2.5"), ({"at_most": 2.0}, "at most 2")]
)
@pytest.mark.parametrize("judged", [median_own, median_compared])
def test_a_goal_stands_in_its_own_row_only(bounds, goal, judged):
    two = Spread(2.0, 1.0, 3.0)
    first, second = with_goal([Row("a", two, two), Row("b", two, two)], "b", judged, **bounds)
    assert (first.goal, first.judged) == ("", "")
    assert (second.goal, second.judged) == (goal, judged)


@pytest.mark.parametrize("name", training_loop.installed_loops())
def test_every_loop_trains_like_the_bare_loop_and_measures_the_same(name):
    batches = training_loop.make_batches(num_batches=4, batch_size=16)
    model, measured, _ = training_loop.train(training_loop.installed_loops()[name], batches)
    bare, _, _ = training_loop.train(training_loop.bare, batches)
    assert torch.equal(model.weight, bare.weight)
    assert torch.equal(model.bias, bare.bias)
    expected = {"loss": 0.0, "accuracy": 0.0}
    torch.manual_seed(0)
    model = torch.nn.Linear(8, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for inputs, targets in batches:
        loss = F.cross_entropy(model(inputs), targets)
        expected["loss"] += loss.item() / 4
        expected["accuracy"] += (model(inputs).argmax(1) == targets).float().mean().item() / 4
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert measured == pytest.approx({key: expected[key] for key in measured}, rel=1e-5)
    assert ("accuracy" in measured) == ("accuracy" in name)
    assert ("loss" in measured) == ("loss" in name)


def test_every_loader_gives_each_image_once_with_its_label():
    images, labels = loader.make_data((1, 4, 4), torch.uint8, num_examples=600)
    for batches in loader.make_loaders(images, labels).values():
        seen_images, seen_labels = map(torch.cat, zip(*batches, strict=True))
        assert torch.equal(seen_labels.sort().values, labels)
        assert torch.equal(seen_images, images[seen_labels])


def test_every_augmentation_gives_a_window_of_each_image_mirrored_or_not():
    torch.manual_seed(0)
    images = augmentation.make_images(12)
    mean, std = (torch.tensor(x)[:, None, None] for x in (augmentation.MEAN, augmentation.STD))
    padded = F.pad(images, [augmentation.PADDING] * 4)
    windows = padded.unfold(2, 32, 1).unfold(3, 32, 1).flatten(2, 3).transpose(1, 2)
    windows = torch.cat([windows, windows.flip(-1)], dim=1)  # (12, 162, 3, 32, 32)
    for batches in augmentation.make_contestants(images).values():
        ((batch, numbers),) = batches
        assert batch.dtype == torch.float32
        assert batch.shape == (12, 3, 32, 32)
        assert numbers.sort().values.tolist() == list(range(12))
        pixels = ((batch * std + mean) * 255).round().to(torch.uint8)
        found = (windows[numbers] == pixels[:, None]).flatten(2).all(dim=2).nonzero()
        assert found[:, 0].tolist() == list(range(12))
        assert len(found[:, 1].unique()) > 6  # each image has a draw of its own


def test_every_precision_trains_to_about_the_same_loss():
    batches = precision.make_batches(num_batches=2, batch_size=8)
    losses = [precision.train(arguments, batches)[0] for arguments in precision.ARGUMENTS.values()]
    assert losses == pytest.approx([losses[0]] * len(losses), rel=0.01)


def test_a_new_process_gets_the_memory_settings_and_drops_those_around_it(monkeypatch):
    seen = []
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda *_, env, **__: seen.append(env) or subprocess.CompletedProcess((), 0, "0.25\n"),
    )
    assert allocator.in_a_new_process(5, {}) == 0.25
    assert allocator.in_a_new_process(5, allocator.KEEP_MEMORY) == 0.25
    assert not seen[0].keys() & allocator.KEEP_MEMORY.keys()
    assert allocator.KEEP_MEMORY.items() <= seen[1].items()


def test_lenet_is_timed_in_a_process_of_its_own():
    assert allocator.in_a_new_process(5, {}) > 0


def test_the_benchmark_for_a_gpu_runs_on_any_device():
    table = accelerator.measure(
        num_rounds=1,
        device=torch.device("cpu"),
        num_batches=2,
        batch_size=2,
        num_warm=0,
        compiled=False,
    )
    assert [row.name for row in table.rows] == list(accelerator.make_contestants(False))
    assert all(row.own.median > 0 for row in table.rows)


def write_quick(folder, *options):
    """What a quick run writes, by the names of the files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["run.py", "--quick", "--folder", str(folder), *options])
        patch.setattr(training_loop, "installed_loops", lambda: training_loop.LOOPS)
        patch.setattr(  # a new process takes seconds to start
            allocator,
            "in_a_new_process",
            lambda num_batches, _: allocator.seconds_per_step(num_batches),
        )
        run.main()
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return write_quick(tmp_path_factory.mktemp("quick"))


def test_the_quick_run_measures_every_contestant(quick):
    assert sorted(quick) == ["readable-to-fast", "speed"]
    tables = [table for result in quick.values() for table in result["tables"]]
    measured = [row["name"] for table in tables for row in table["rows"]]
    names = [
        *training_loop.LOOPS,
        *loader.make_loaders(*loader.make_data((1, 2, 2), torch.uint8, 2)),
        *augmentation.make_contestants(augmentation.make_images(1)),
        *precision.ARGUMENTS,
        *detection_nms.make_contestants(20),
        *detection_detect.make_contestants(20),
        *(name for _, forms in detection_steps.make_steps(True).values() for name in forms),
        *detection_targets.make_contestants(),
        allocator.DEFAULT,
        allocator.KEPT,
    ]
    assert [x for x in names if not any(row.startswith(x) for row in measured)] == []


def test_the_chapter_alone_can_be_measured(tmp_path):
    assert list(write_quick(tmp_path, "--chapter")) == ["readable-to-fast"]


@pytest.mark.parametrize("name", ["speed", "readable-to-fast"])
def test_the_stored_result_has_the_form_that_the_program_writes(name, quick):
    kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    assert list(kept) == list(quick[name])
    titles = [[table["title"] for table in one["tables"]] for one in (kept, quick[name])]
    assert titles[0] == titles[1][: len(titles[0])]  # a GPU adds a table
    assert list(kept["tables"][0]["rows"][0]) == list(quick[name]["tables"][0]["rows"][0])


@pytest.mark.parametrize("title", detection_steps.make_steps(small=True))
def test_all_forms_of_a_utility_give_the_same(title):
    _, forms = detection_steps.make_steps(small=True)[title]
    *_, (own, arguments, _) = forms.values()
    arguments = [
        value.double() if isinstance(value, torch.Tensor) else value for value in arguments
    ]
    expected = own(*arguments)
    for form, _, _ in forms.values():
        answer = form(*arguments)
        if isinstance(answer, list) and title.startswith("Anchors"):
            answer = torch.tensor(answer)
        torch.testing.assert_close(answer, expected, rtol=0, atol=1e-6)


def test_the_machine_is_described_by_its_processor_threads_and_memory_settings(monkeypatch):
    monkeypatch.setattr(run, "processor_name", lambda: "A processor")
    monkeypatch.setattr(run, "num_cores", lambda: 3)
    monkeypatch.setattr(run, "load_average", lambda: 0.25)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "7")
    processor, num_threads, _, malloc, load, gpu = run.describe_machine().split("; ")
    assert processor.startswith("A processor with 3 cores (")
    assert num_threads.startswith(f"{torch.get_num_threads()} threads")
    assert malloc == "MALLOC_MMAP_THRESHOLD_ at its default, MALLOC_TRIM_THRESHOLD_ 7"
    assert load == "load average 0.2 before the start"
    assert gpu == "no GPU was measured"
