"""The benchmarks compare like with like, and write what they measured. No time is judged here."""

import json
import subprocess
import sys
from functools import partial

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
from tables import (
    BEGIN,
    END,
    Row,
    median_compared,
    render,
    rows_against,
    times_as_fast,
    with_goal,
    written_into,
)
from timing import Clocked, Spread, spread, take_turns, threads
from torch.nn import functional as F

import augmentation

TABLE = {
    "title": "A race",
    "setting": "On foot.",
    "own": "minutes",
    "compared": "times as fast",
    "rows": [
        {"name": "tortoise", "own": {"median": 1234.5, "low": 900.0, "high": 2000.0}}
        | {"compared": None, "goal": "", "met": None},
        {"name": "hare", "own": {"median": 12.34, "low": 1.5, "high": 100.4}}
        | {"compared": {"median": 100.0, "low": 99.0, "high": 101.0}}
        | {"goal": "at least 200", "met": False},
    ],
    "note": "",
}
RESULT = {"machine": ["legs", "no GPU was measured"], "versions": "none", "tables": [TABLE]}


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
    ("bounds", "goal", "met"),
    [
        ({"at_least": 2.0}, "at least 2", True),
        ({"at_least": 2.5}, "at least 2.5", False),
        ({"at_most": 2.0}, "at most 2", True),
        ({"at_most": 1.5}, "at most 1.5", False),
    ],
)
def test_a_goal_is_judged_on_its_own_row_only(bounds, goal, met):
    two = Spread(2.0, 1.0, 3.0)
    first, second = with_goal(
        [Row("a", two, two), Row("b", two, two)], "b", median_compared, **bounds
    )
    assert (first.goal, first.met) == ("", None)
    assert (second.goal, second.met) == (goal, met)


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


def test_the_quick_run_shows_every_contestant_and_writes_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py", "--quick"])
    monkeypatch.setattr(training_loop, "installed_loops", lambda: training_loop.LOOPS)
    monkeypatch.setattr(run, "REFERENCE", None)  # no place to write to
    monkeypatch.setattr(run, "CHAPTER", None)
    monkeypatch.setattr(  # a new process takes seconds to start
        allocator,
        "in_a_new_process",
        lambda num_batches, _: allocator.seconds_per_step(num_batches),
    )
    run.main()
    shown = capsys.readouterr().out
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
    assert [name for name in names if f"| {name}" not in shown] == []


def test_the_table_shows_medians_spreads_and_verdicts():
    lines = render(RESULT).splitlines()
    assert lines[0] == "Measured on legs; no GPU was measured."
    assert "| tortoise | 1,234 (900–2,000) |  |  |" in lines  # noqa: RUF001
    assert "| hare | 12.3 (1.50–100) | 100 (99.0–101) | at least 200: missed |" in lines  # noqa: RUF001


def test_only_the_part_between_the_comments_is_exchanged():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written_into(page, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize("page", ["", BEGIN, END, END + BEGIN])
def test_a_page_without_the_two_comments_is_refused(page):
    with pytest.raises(ValueError, match="page must hold"):
        written_into(page, "new")


@pytest.mark.parametrize(
    "page", [run.REFERENCE / "speed.md", run.CHAPTER / "readable-to-fast.md"], ids=lambda p: p.stem
)
def test_the_page_shows_the_result_that_is_kept(page):
    result = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    assert written_into(text, render(result)) == text


def test_the_chapter_alone_can_be_measured_and_written(monkeypatch, tmp_path):
    page = tmp_path / "readable-to-fast.md"
    page.write_text(f"before {BEGIN} old {END} after", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["run.py", "--chapter"])
    monkeypatch.setattr(run, "CHAPTER", tmp_path)
    monkeypatch.setattr(run, "measure_chapter", lambda quick: RESULT | {"quick": quick})
    run.main()
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before")
    assert "| hare |" in text
    assert json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["quick"] is False


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
    processor, num_threads, _, malloc, load, gpu = run.describe_machine()
    assert processor.startswith("A processor with 3 cores (")
    assert num_threads.startswith(f"{torch.get_num_threads()} threads")
    assert malloc == "MALLOC_MMAP_THRESHOLD_ at its default, MALLOC_TRIM_THRESHOLD_ 7"
    assert load == "load average 0.2 before the start"
    assert gpu == "no GPU was measured"
