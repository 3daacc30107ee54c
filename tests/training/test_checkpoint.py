import copy
import datetime
import json
import math
import os
import pickle
import random
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD, Adam, AdamW
from torch.optim import lr_scheduler as schedulers

from notes.data.tensor_loader import TensorLoader
from notes.training._states import get_random_states, set_random_states
from notes.training.checkpoint import FORMAT, load_checkpoint, save_checkpoint

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(autouse=True)
def leave_the_generators_as_they_were():
    states = get_random_states()
    yield
    set_random_states(states)


def make_net(num_hidden=8, num_layers=1, dtype=torch.float32):
    layers = [nn.Linear(4, num_hidden), nn.BatchNorm1d(num_hidden), nn.ReLU(), nn.Dropout(0.5)]
    layers += [nn.Linear(num_hidden, num_hidden) for _ in range(num_layers - 1)]
    return nn.Sequential(*layers, nn.Linear(num_hidden, 2)).to(dtype)


def make_sgd(parameters):
    return SGD(parameters, lr=0.1, momentum=0.9)


def make_step(optimizer):
    return schedulers.StepLR(optimizer, step_size=2, gamma=0.5)


def make_run(net=None, make_optimizer=make_sgd, make_scheduler=make_step):
    """Everything that has a state in a training run, under the names of the arguments."""
    model = net or make_net()
    optimizer = make_optimizer(model.parameters())
    return {
        "model": model,
        "optimizer": optimizer,
        "scheduler": make_scheduler(optimizer),
        "scaler": torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=5),
        "generators": {"shuffle": torch.Generator()},
    }


def seed_everything(run, seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    run["generators"]["shuffle"].manual_seed(seed)
    with torch.no_grad():
        for parameter in run["model"].parameters():
            parameter.normal_()


def train(run, num_epochs):
    """Train with every kind of chance that there is: order, dropout and two kinds of noise."""
    part = SimpleNamespace(**run)
    inputs = torch.linspace(-1, 1, 80).reshape(20, 4)
    loader = TensorLoader(
        inputs, inputs[:, :2], batch_size=6, shuffle=True, generator=part.generators["shuffle"]
    )
    losses = []
    for _ in range(num_epochs):
        for batch, targets in loader:
            noise = random.random() + np.random.randn()
            loss = (part.model(batch + noise) - targets).square().mean()
            part.optimizer.zero_grad()
            part.scaler.scale(loss).backward()
            part.scaler.step(part.optimizer)
            part.scaler.update()
            losses.append(loss.item())
        part.scheduler.step()
    return losses


def snapshot(run):
    parts = [run[name].state_dict() for name in ("model", "optimizer", "scheduler", "scaler")]
    generator = run["generators"]["shuffle"].get_state()
    return copy.deepcopy([*parts, generator, get_random_states()])


def same(a, b):
    """Equal to the last bit, in all depths."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def trained_run(**changes):
    run = make_run(**changes)
    seed_everything(run, seed=0)
    train(run, num_epochs=1)
    return run


def assert_refused_without_a_change(path, run, match, error=ValueError):
    before = snapshot(run)
    with pytest.raises(error, match=match) as caught:
        load_checkpoint(path, **run)
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert same(snapshot(run), before)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.pt"


def test_the_weights_epoch_and_extra_values_come_back(path):
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, 0.25)
    history = {"loss": [0.5, math.inf], "best": ("epoch", 3), "image": torch.arange(3), "x": None}
    save_checkpoint(path, model=model, epoch=7, extra=history)
    other = nn.Linear(2, 1)
    checkpoint = load_checkpoint(path, model=other)
    assert other.weight.tolist() == [[0.25, 0.25]]
    assert checkpoint.epoch == 7
    assert same(checkpoint.extra, history)


def test_without_further_arguments_the_epoch_is_0_and_nothing_is_extra(path):
    save_checkpoint(path, model=nn.Linear(2, 1))
    assert load_checkpoint(path, model=nn.Linear(2, 1)) == (0, {})


@pytest.mark.parametrize(
    "make_optimizer",
    [
        pytest.param(make_sgd, id="sgd"),
        pytest.param(lambda p: Adam(p, lr=0.01), id="adam"),
        pytest.param(lambda p: AdamW(p, lr=0.01, amsgrad=True), id="adamw with amsgrad"),
    ],
)
@pytest.mark.parametrize(
    "make_scheduler",
    [
        pytest.param(make_step, id="step"),
        pytest.param(lambda o: schedulers.OneCycleLR(o, 0.2, total_steps=9), id="one cycle"),
        pytest.param(lambda o: schedulers.MultiStepLR(o, [1, 3]), id="multi-step"),
    ],
)
def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(
    path, make_optimizer, make_scheduler
):
    make = {"make_optimizer": make_optimizer, "make_scheduler": make_scheduler}
    straight = make_run(**make)
    seed_everything(straight, seed=0)
    losses = train(straight, num_epochs=5)

    first = make_run(**make)
    seed_everything(first, seed=0)
    losses_before = train(first, num_epochs=2)
    save_checkpoint(path, **first, epoch=2, extra={"losses": losses_before})

    second = make_run(**make)
    seed_everything(second, seed=1)
    train(second, num_epochs=1)  # all its states are other ones now
    checkpoint = load_checkpoint(path, **second)
    losses_after = train(second, num_epochs=5 - checkpoint.epoch)

    assert checkpoint.extra["losses"] + losses_after == losses
    assert same(snapshot(second), snapshot(straight))


def test_saving_changes_nothing_in_the_run(path):
    run = trained_run()
    before = snapshot(run)
    save_checkpoint(path, **run)
    assert same(snapshot(run), before)


def test_a_model_can_be_loaded_alone_and_the_random_states_left(path):
    save_checkpoint(path, **trained_run())
    run = trained_run()
    seed_everything(run, seed=1)
    before = snapshot(run)
    load_checkpoint(path, model=run["model"], restore_random_states=False)
    after = snapshot(run)
    assert not same(after[0], before[0])
    assert same(after[1:], before[1:])


def test_a_model_of_another_class_with_the_same_parameters_fits(path):
    class Renamed(nn.Sequential):
        pass

    save_checkpoint(path, model=(net := make_net()))
    load_checkpoint(path, model=(renamed := Renamed(*make_net())))
    assert same(renamed.state_dict(), net.state_dict())


def test_a_loaded_model_keeps_its_mode_and_device(path):
    model = make_net().to(DEVICE).eval()
    save_checkpoint(path, model=model)
    load_checkpoint(path, model=model)
    assert not model.training
    assert model[0].weight.device.type == DEVICE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"net": make_net(num_hidden=9)},
            r"architecture of the checkpoint, 0\.weight of shape \(8, 4\) and torch\.float32, "
            r"got 0\.weight of shape \(9, 4\) and torch\.float32",
            id="wider",
        ),
        pytest.param(
            {"net": make_net(num_layers=2)},
            r"architecture of the checkpoint, 4\.weight of shape \(2, 8\)",
            id="deeper",
        ),
        pytest.param(
            {"net": make_net()[:4]},
            r"checkpoint, 4\.weight of shape .* got 4\.weight missing",
            id="without the last layer",
        ),
        pytest.param(
            {"net": nn.Sequential(*make_net(), nn.PReLU())},
            r"checkpoint, 5\.weight missing, got 5\.weight of shape \(1,\)",
            id="with one layer more",
        ),
        pytest.param(
            {"net": make_net(dtype=torch.float64)},
            r"torch\.float32, got 0\.weight .* torch\.float64",
            id="of another precision",
        ),
        pytest.param(
            {"make_optimizer": lambda p: Adam(p, lr=0.01)},
            "optimizer must be of the saved kind, SGD, got Adam",
            id="another optimizer",
        ),
        pytest.param(
            {"make_optimizer": lambda p: make_sgd(reversed(list(p)))},
            r"optimizer must have the parameters of the checkpoint, of shapes \[\[\[8, 4\], .*, "
            r"got \[\[\[2\], ",
            id="parameters in another order",
        ),
        pytest.param(
            {"make_scheduler": lambda o: schedulers.ExponentialLR(o, 0.9)},
            "scheduler must be of the saved kind, StepLR, got ExponentialLR",
            id="another scheduler",
        ),
    ],
)
def test_a_checkpoint_of_something_else_changes_nothing(path, change, message):
    save_checkpoint(path, **trained_run())
    assert_refused_without_a_change(path, make_run(**change), message)


def test_a_state_of_another_type_changes_nothing(path):
    class Remembering(nn.Linear):
        memory = "text"

        def get_extra_state(self):
            return self.memory

        def set_extra_state(self, state):
            self.memory = state

    save_checkpoint(path, model=Remembering(1, 1))
    other = Remembering(1, 1)
    other.memory = 3
    message = "checkpoint, _extra_state of type str, got _extra_state of type int"
    with pytest.raises(ValueError, match=message):
        load_checkpoint(path, model=other)
    assert other.memory == 3


def test_a_part_that_was_not_saved_changes_nothing(path):
    run = trained_run()
    save_checkpoint(path, model=run["model"], optimizer=run["optimizer"])
    seed_everything(run, seed=1)
    assert_refused_without_a_change(
        path, run, r"with the state of 'scheduler', got one with \['model', 'optimizer'\]"
    )


def test_a_generator_that_was_not_saved_changes_nothing(path):
    run = trained_run()
    save_checkpoint(path, **run)
    seed_everything(run, seed=1)
    run["generators"]["noise"] = torch.Generator()
    assert_refused_without_a_change(
        path, run, r"with the state of 'noise', got one with \['shuffle'\]"
    )


def test_an_error_of_the_last_part_takes_back_the_parts_before_it(path):
    run = trained_run()
    save_checkpoint(path, **run | {"scaler": torch.amp.GradScaler("cpu", enabled=False)})
    seed_everything(run, seed=1)
    assert_refused_without_a_change(path, run, r"that fits, got 'run\.pt': The source state dict")


def test_an_error_of_a_random_state_takes_back_everything_before_it(path):
    run = trained_run()
    save_checkpoint(path, **run)
    contents = torch.load(path, weights_only=True)
    contents["random_states"]["torch"] = torch.zeros(3, dtype=torch.uint8)
    torch.save(contents, path)
    seed_everything(run, seed=1)
    assert_refused_without_a_change(
        path, run, r"path must be a checkpoint that fits, got 'run\.pt'"
    )


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run.pt"
    save_checkpoint(path, model=make_net())
    return path


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_checkpoint_changes_nothing(whole_file, share):
    content = whole_file.read_bytes()
    path = whole_file.with_name("cut.pt")
    path.write_bytes(content[: int(share * len(content))])
    run = {"model": make_net()}
    before = copy.deepcopy(run["model"].state_dict())
    with pytest.raises(ValueError, match=r"path must be a whole checkpoint, got 'cut\.pt'"):
        load_checkpoint(path, **run)
    assert same(run["model"].state_dict(), before)


@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_does_not_matter(whole_file, share, bit):
    content = bytearray(whole_file.read_bytes())
    content[int(share * len(content))] ^= 1 << bit
    path = whole_file.with_name("flipped.pt")
    path.write_bytes(content)
    right, model = make_net(), make_net()
    load_checkpoint(whole_file, model=right)
    before = copy.deepcopy(model.state_dict())
    try:
        load_checkpoint(path, model=model)
    except ValueError as error:
        assert str(error).startswith("path must be ")  # noqa: PT017 - not every flip is an error
        assert same(model.state_dict(), before)
    else:
        assert same(model.state_dict(), right.state_dict())


def test_a_flipped_bit_in_a_weight_is_noticed(path):
    model = nn.Linear(4, 4)
    save_checkpoint(path, model=model)
    weights = model.weight.detach().numpy().tobytes()
    content = path.read_bytes()
    assert content.count(weights) == 1
    path.write_bytes(content.replace(weights, bytes([weights[0] ^ 1]) + weights[1:]))
    with pytest.raises(ValueError, match=r"path must be an undamaged checkpoint, got 'run\.pt'"):
        load_checkpoint(path, model=model)


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("place", ["bare pickle", "whole file", "extra value", "model"])
def test_a_malicious_pickle_does_not_run_and_changes_nothing(path, place):
    run, evil = trained_run(), Evil(path.with_name("broken_into"))
    save_checkpoint(path, **run)
    contents = torch.load(path, weights_only=True)
    if place == "bare pickle":
        path.write_bytes(pickle.dumps(evil))
    elif place == "whole file":
        torch.save(evil, path)
    elif place == "extra value":
        torch.save(contents | {"extra": {"history": evil}}, path)
    else:
        contents["parts"]["model"]["0.weight"] = evil
        torch.save(contents, path)
    message = "a whole checkpoint" if place == "bare pickle" else "could run code when opened"
    seed_everything(run, seed=1)
    assert_refused_without_a_change(path, run, message)
    assert not evil.folder.exists()


@pytest.mark.filterwarnings("ignore:Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
def test_not_even_the_environment_can_switch_the_protection_off(path, monkeypatch):
    evil = Evil(path.with_name("broken_into"))
    torch.save(evil, path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert_refused_without_a_change(path, make_run(), "could run code when opened")
    assert not evil.folder.exists()


@pytest.mark.parametrize(
    "make_contents",
    [
        pytest.param(lambda good: good["parts"]["model"], id="bare weights"),
        pytest.param(lambda good: [1, 2], id="a list"),
        pytest.param(lambda good: {"format": FORMAT}, id="nothing but the format"),
        pytest.param(lambda good: good | {"parts": 3}, id="no parts"),
        pytest.param(lambda good: good | {"parts": good["parts"] | {"model": 3}}, id="no model"),
        pytest.param(lambda good: good | {"kinds": {}}, id="no kinds"),
        pytest.param(lambda good: good | {"epoch": 1.5}, id="half an epoch"),
        pytest.param(lambda good: good | {"format": "notes.checkpoint 3"}, id="a later format"),
    ],
)
def test_a_file_of_somebody_else_changes_nothing(path, make_contents):
    run = trained_run()
    save_checkpoint(path, **run)
    torch.save(make_contents(torch.load(path, weights_only=True)), path)
    seed_everything(run, seed=1)
    assert_refused_without_a_change(path, run, "path must be a checkpoint written by save_check")


def test_a_path_that_is_not_there_changes_nothing(path):
    for missing in (path, path.parent):
        assert_refused_without_a_change(
            missing,
            make_run(),
            f"path must be an existing checkpoint, got '.*{missing.name}'",
            FileNotFoundError,
        )


class WithExtraState(nn.Linear):
    """A layer that keeps more than tensors."""

    def __init__(self, extra_state):
        super().__init__(1, 1)
        self.extra_state = extra_state

    def get_extra_state(self):
        return self.extra_state

    def set_extra_state(self, state):
        self.extra_state = state


class Text(str):
    """Looks like text, and is an unknown class to `torch.load`."""


DATE = datetime.date(2026, 1, 1)
PLAIN = "must be a tensor, number, text, or a list or dict of them, got"
KEYS = "must have numbers or text as keys, got"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        pytest.param({"epoch": -1}, ValueError, "epoch must be at least 0, got -1", id="before 0"),
        pytest.param({"epoch": 1.5}, TypeError, "epoch must be an integer, got 1.5", id="half"),
        pytest.param({"epoch": True}, TypeError, "epoch must be an integer, got True", id="true"),
        pytest.param({"extra": {DATE: 1}}, TypeError, f"extra {KEYS} date", id="name of a value"),
        pytest.param(
            {"generators": {Text("data"): torch.Generator()}},
            TypeError,
            f"generators {KEYS} Text",
            id="name of a generator",
        ),
        pytest.param(
            {"model": WithExtraState({DATE: 1})},
            TypeError,
            rf"parts\['model'\]\['_extra_state'\] {KEYS} date",
            id="state of a model",
        ),
        pytest.param(
            {"model": nn.LazyLinear(2)},
            TypeError,
            r"parts\['model'\]\['weight'\] must have a shape \(run a batch through lazy layers",
            id="lazy layer",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_argument_that_could_not_be_loaded_is_not_saved(
    path, arguments, error, message, dry_run
):
    save_checkpoint(path, model=nn.Linear(1, 1), epoch=3)
    with pytest.raises(error, match=message):
        save_checkpoint(path, **{"model": nn.Linear(1, 1)} | arguments, dry_run=dry_run)
    assert load_checkpoint(path, model=nn.Linear(1, 1)).epoch == 3


def test_a_dry_run_writes_nothing(path):
    save_checkpoint(path, model=nn.Linear(1, 1), dry_run=True)
    assert os.listdir(path.parent) == []


def test_a_part_with_a_state_that_could_not_be_loaded_is_not_saved(path):
    model = nn.Linear(1, 1)
    optimizer = make_sgd(model.parameters())
    optimizer.param_groups[0]["since"] = DATE
    with pytest.raises(TypeError, match=rf"\['optimizer'\]\['param_groups'\].*{PLAIN} date"):
        save_checkpoint(path, model=model, optimizer=optimizer)
    assert not path.exists()


@pytest.mark.parametrize(
    "make_scheduler",
    [
        pytest.param(lambda o: schedulers.ExponentialLR(o, np.float64(0.9)), id="gamma"),
        pytest.param(lambda o: schedulers.LambdaLR(o, lambda e: np.cos(e / 10)), id="lambda"),
        pytest.param(lambda o: schedulers.MultiStepLR(o, np.array([1, 3])), id="milestones"),
    ],
)
def test_a_schedule_with_numbers_of_numpy_goes_on_bit_for_bit(path, make_scheduler):
    make = {
        "make_optimizer": lambda p: Adam(p, lr=np.float64(0.01)),
        "make_scheduler": make_scheduler,
    }
    straight, first, second = (make_run(**make) for _ in range(3))
    seed_everything(straight, seed=0)
    train(straight, num_epochs=4)
    seed_everything(first, seed=0)
    train(first, num_epochs=2)
    save_checkpoint(path, **first)
    load_checkpoint(path, **second)
    train(second, num_epochs=2)
    assert same(snapshot(second), snapshot(straight))


def test_where_files_cannot_be_mapped_they_are_read_back_whole(path, monkeypatch):
    real = torch.load

    def load(*args, **arguments):
        if arguments.pop("mmap", False):
            raise RuntimeError("unable to mmap")
        return real(*args, **arguments)

    monkeypatch.setattr(torch, "load", load)
    save_checkpoint(path, model=nn.Linear(1, 1), epoch=1)
    with pytest.raises(TypeError, match=r"must hold only what torch\.load accepts"):
        save_checkpoint(path, model=nn.Linear(1, 1), extra={"x": 2**3000})
    assert load_checkpoint(path, model=nn.Linear(1, 1)).epoch == 1


def test_a_full_disk_is_named_and_the_old_file_stays(path):
    """In a process that may not write more than 30 kB into a file."""
    program = """
import resource, sys, torch
from torch import nn
from notes.training.checkpoint import load_checkpoint, save_checkpoint
save_checkpoint(sys.argv[1], model=nn.Linear(1, 1), epoch=3)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
for num_weights in (6_000, 100_000):
    try:
        save_checkpoint(sys.argv[1], model=nn.Linear(num_weights, 1))
    except OSError as error:
        print(error)
print(load_checkpoint(sys.argv[1], model=nn.Linear(1, 1)).epoch)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program, path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    message = f"[Errno 27] File too large: '{path}'\n"
    assert finished.stdout == 2 * message + "3\n", finished.stderr
    assert os.listdir(path.parent) == ["run.pt"]


def test_a_check_comes_before_anything_is_put_back(path):
    run = trained_run()
    save_checkpoint(path, **run, epoch=2, extra={"x": 1})
    seed_everything(run, seed=1)
    before, seen = snapshot(run), []

    def refuse(checkpoint):
        seen.append(checkpoint)
        raise LookupError("another one")

    with pytest.raises(LookupError, match="another one"):
        load_checkpoint(path, **run, check=refuse)
    assert seen == [(2, {"x": 1})]
    assert same(snapshot(run), before)


def test_ctrl_c_while_loading_takes_back_what_was_put_back(path, monkeypatch):
    run = trained_run()
    save_checkpoint(path, **run)
    seed_everything(run, seed=1)
    before = snapshot(run)
    scaler, load = run["scaler"], run["scaler"].load_state_dict

    def interrupt(state):
        monkeypatch.setattr(scaler, "load_state_dict", load)
        raise KeyboardInterrupt

    monkeypatch.setattr(scaler, "load_state_dict", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_checkpoint(path, **run)
    assert same(snapshot(run), before)


def test_a_lazy_model_must_get_its_shapes_before_it_is_loaded(path):
    save_checkpoint(path, model=nn.Linear(3, 2))
    with pytest.raises(ValueError, match=r"got weight without a shape \(run a batch through lazy"):
        load_checkpoint(path, model=nn.LazyLinear(2))


def test_a_path_that_is_not_writable_is_rejected(read_only_folder):
    with pytest.raises(PermissionError, match="path must be in a writable folder, got"):
        save_checkpoint(read_only_folder / "run.pt", model=nn.Linear(1, 1))


def test_a_folder_that_is_not_there_is_rejected(path):
    with pytest.raises(FileNotFoundError, match="path must be in an existing folder, got"):
        save_checkpoint(path.parent / "no" / "run.pt", model=nn.Linear(1, 1))


@pytest.mark.parametrize(
    "make_scheduler",
    [
        schedulers.CosineAnnealingWarmRestarts,
        schedulers.CosineAnnealingLR,
        lambda o, _: schedulers.LambdaLR(o, lambda epoch: 0.5**epoch),
        lambda o, _: schedulers.ReduceLROnPlateau(o),
        lambda o, _: schedulers.CyclicLR(o, 0.1, 0.2),
        lambda o, _: schedulers.ChainedScheduler([schedulers.ConstantLR(o)]),
        lambda o, _: schedulers.SequentialLR(
            o, [schedulers.LinearLR(o), schedulers.ExponentialLR(o, 0.9)], [1]
        ),
    ],
)
def test_every_scheduler_of_pytorch_can_be_saved_and_loaded(path, make_scheduler):
    model = nn.Linear(1, 1)
    optimizer = make_sgd(model.parameters())
    scheduler = make_scheduler(optimizer, 10)
    before = copy.deepcopy(scheduler.state_dict())
    save_checkpoint(path, model=model, optimizer=optimizer, scheduler=scheduler)
    load_checkpoint(path, model=model, optimizer=optimizer, scheduler=scheduler)
    assert same(scheduler.state_dict(), before)


def kill_saves(folder, num_kills, how):
    """Run `kill_saves.py`; the numbers it counted."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    program = Path(__file__).with_name("kill_saves.py")
    finished = subprocess.run(
        [sys.executable, program, folder, str(num_kills), how],
        env=environment,
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(finished.stdout)


def test_sixty_kills_leave_a_whole_checkpoint_every_time(path):
    counts = kill_saves(path.parent, 60, "atomic")
    assert counts["damaged"] == counts["backwards"] == 0
    assert counts["kills"] == 60
    assert counts["epochs"] >= 60
    assert counts["leftovers"] >= 5, "the kills must hit the writing itself"

    for leftover in path.parent.glob(".run.pt.*.tmp"):
        os.utime(leftover, 2 * (time.time() - 3600,))
    save_checkpoint(path, model=nn.Linear(1, 1))
    assert os.listdir(path.parent) == ["run.pt"]


def test_the_same_kills_damage_a_file_that_is_written_in_place(path):
    assert kill_saves(path.parent, 300, "in-place")["damaged"] == 1
