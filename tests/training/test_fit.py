import datetime
import random
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional as F
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from torch.utils.tensorboard import SummaryWriter

from notes.data.tensor_loader import TensorLoader
from notes.layers.dropout import Dropout
from notes.training.checkpoint import save_checkpoint
from notes.training.fit import Extras, fit
from notes.training.loop import evaluate, train_epoch

EXTRAS = {field.name for field in fields(Extras)}


def make_data(num_examples=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(num_examples, 4, generator=generator)
    return inputs, (inputs.sum(dim=1) > 0).long()


def make_batches(**arguments):
    return TensorLoader(*make_data(**arguments), batch_size=8)


def make_model():
    torch.manual_seed(0)
    return nn.Linear(4, 2)


def run(model=None, *, lr=0.5, num_epochs=3, **arguments):
    model = model or make_model()
    optimizer = arguments.pop("optimizer", None) or torch.optim.SGD(model.parameters(), lr=lr)
    arguments = {"train_batches": make_batches(), "loss_fn": F.cross_entropy} | arguments
    return fit_with_extras(model, optimizer=optimizer, num_epochs=num_epochs, **arguments)


def fit_with_extras(*batches, **arguments):
    """`fit` with the settings of `Extras` among its own arguments."""
    extras = {name: arguments.pop(name) for name in EXTRAS & arguments.keys()}
    return fit(*batches, extras=Extras(**extras), progress=False, **arguments)


def test_it_only_composes_the_loop():
    model, by_hand = make_model(), make_model()
    history = run(model, val_batches=make_batches(seed=1), num_epochs=2)
    optimizer = torch.optim.SGD(by_hand.parameters(), lr=0.5)
    for epoch in range(2):
        train = train_epoch(by_hand, make_batches(), F.cross_entropy, optimizer)
        val = evaluate(by_hand, make_batches(seed=1), F.cross_entropy)
        assert [history["train_loss"][epoch], history["train_accuracy"][epoch]] == list(
            train.values()
        )
        assert [history["val_loss"][epoch], history["val_accuracy"][epoch]] == list(val.values())
    assert torch.equal(model.weight, by_hand.weight)


def test_metrics_clipping_and_precision_reach_the_loop():
    model, by_hand = make_model(), make_model()
    how = {"metrics": {"sum": lambda outputs, _: outputs.sum()}, "autocast_dtype": torch.bfloat16}
    history = run(model, val_batches=make_batches(seed=1), num_epochs=1, max_grad_norm=0.01, **how)
    optimizer = torch.optim.SGD(by_hand.parameters(), lr=0.5)
    train = train_epoch(
        by_hand, make_batches(), F.cross_entropy, optimizer, max_grad_norm=0.01, **how
    )
    val = evaluate(by_hand, make_batches(seed=1), F.cross_entropy, **how)
    assert history == {
        "train_loss": [train["loss"]],
        "train_sum": [train["sum"]],
        "val_loss": [val["loss"]],
        "val_sum": [val["sum"]],
    }


def test_without_validation_data_only_training_is_recorded():
    assert run().keys() == {"train_loss", "train_accuracy"}


def test_it_learns():
    history = run(num_epochs=20)
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]
    assert len(history["train_loss"]) == 20


def test_a_schedule_advances_after_each_epoch():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
    run(model, optimizer=optimizer, scheduler=schedule, num_epochs=2)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_a_plateau_schedule_watches_the_validation_loss():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.1)
    history = run(model, optimizer=optimizer, scheduler=schedule, val_batches=make_batches(seed=1))
    assert schedule.best == history["val_loss"][0]
    assert schedule.num_bad_epochs == 0
    assert schedule.last_epoch == 3


class Spoiled(nn.Module):
    """Gives the right answers first and worse ones every epoch."""

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, inputs):
        return inputs + self.offset


def train_spoiled(num_epochs, **arguments):
    """The training loss falls forever; the validation loss is best after the second epoch."""
    model = Spoiled()
    ones = torch.ones(1, 1)
    history = fit_with_extras(
        model,
        [(ones, ones)],
        [(ones, 3 * ones)],
        loss_fn=lambda outputs, targets: (
            (outputs - targets).abs().mean() if not model.training else -outputs.mean()
        ),
        optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
        num_epochs=num_epochs,
        metrics={},
        **arguments,
    )
    return model.offset.item(), history["val_loss"]


def test_early_stopping_goes_back_to_the_best_weights():
    assert train_spoiled(10, patience=2) == (2.0, [1.0, 0.0, 1.0, 2.0])


def test_early_stopping_without_validation_data_watches_the_training_loss():
    history = run(lr=0.0, patience=1, num_epochs=10)
    assert len(history["train_loss"]) == 2


def test_a_validation_loss_that_is_never_a_number_does_not_improve():
    spoiled = [(torch.full((1, 4), torch.nan), torch.tensor([0]))]
    history = run(val_batches=spoiled, patience=2, num_epochs=9)
    assert len(history["val_loss"]) == 2


class InterruptedBatches:
    """Yields whole epochs first, then Ctrl-C in the middle of one."""

    def __init__(self, whole_epochs):
        self.left = whole_epochs

    def __iter__(self):
        yield from list(make_batches())[:2]
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


def test_ctrl_c_leaves_the_history_of_the_whole_epochs():
    model = make_model()
    history = run(model, train_batches=InterruptedBatches(2), num_epochs=5)
    assert len(history["train_loss"]) == len(history["train_accuracy"]) == 2
    assert torch.isfinite(model.weight).all()


def test_a_writer_receives_every_value_under_its_epoch():
    class Writer:
        def __init__(self):
            self.records = []

        def add_scalar(self, tag, value, global_step):
            self.records.append((tag, value, global_step))

    writer = Writer()
    history = run(writer=writer, num_epochs=2)
    assert writer.records == [
        (name, history[name][epoch - 1], epoch)
        for epoch in (1, 2)
        for name in ("train_loss", "train_accuracy")
    ]


def test_an_error_names_the_epoch():
    losses = iter([0.0] * 6 + [torch.nan])
    with pytest.raises(FloatingPointError, match=r"loss must be .* got nan in epoch 2, step 3"):
        run(loss_fn=lambda outputs, targets: outputs.sum() * next(losses))


def test_weights_that_a_step_has_spoiled_do_not_replace_a_good_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    run(num_epochs=1, checkpoint=path)
    good = path.read_bytes()
    with pytest.raises(FloatingPointError, match=r"parameters must be .* in weight"):
        run(lr=float("inf"), checkpoint=path, train_batches=[make_data()])
    assert path.read_bytes() == good


def test_a_line_is_shown_for_each_epoch_on_standard_error(capfd):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    fit(model, make_batches(), loss_fn=F.cross_entropy, optimizer=optimizer, num_epochs=2)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "epoch 1/2" in captured.err
    assert "epoch 2/2" in captured.err
    assert "4/4 [" in captured.err, "the bar knows the number of batches"
    assert "train_loss=" in captured.err


def test_it_is_silent_when_asked(capfd):
    run()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_epochs": 0}, ValueError, "num_epochs must be at least 1, got 0"),
        ({"num_epochs": 2.0}, TypeError, "num_epochs must be an integer, got 2.0"),
        ({"patience": 0}, ValueError, "patience must be at least 1, got 0"),
        ({"patience": 1.5}, TypeError, "patience must be an integer, got 1.5"),
        ({"max_grad_norm": 0}, ValueError, "max_grad_norm must be greater than 0, got 0"),
        ({"schedule_by": "step"}, ValueError, "schedule_by must be 'epoch' or 'batch', got 'ste"),
        ({"train_batches": []}, ValueError, "batches must yield at least one example each time"),
        ({"val_batches": []}, ValueError, "batches must yield at least one example each time"),
        ({"metrics": {"loss": len}}, ValueError, "metrics must have names beside 'loss'"),
        ({"metrics": {1: len, "1": len}}, TypeError, "metrics must have text as names, got 1"),
        (
            {"train_batches": (batch for batch in make_batches())},
            TypeError,
            "train_batches must start anew in each epoch, .* got a generator",
        ),
        (
            {"val_batches": map(tuple, make_batches())},
            TypeError,
            "val_batches must start anew in each epoch, .* got a map",
        ),
        (
            {"optimizer": torch.optim.SGD(make_model().parameters(), lr=0.1)},
            ValueError,
            "optimizer must hold parameters of the model",
        ),
    ],
)
def test_it_rejects_what_cannot_be_trained(arguments, error, message):
    model, before = make_model(), make_model()
    with pytest.raises(error, match=message):
        run(model, **arguments)
    if arguments.get("val_batches") != []:
        assert torch.equal(model.weight, before.weight)


def test_a_generator_is_enough_for_one_epoch():
    batches = (batch for batch in make_batches())
    assert len(run(num_epochs=1, train_batches=batches)["train_loss"]) == 1


def test_batches_that_are_used_up_are_named_in_the_second_epoch():
    with pytest.raises(ValueError, match="batches must yield at least one example each time, got"):
        run(train_batches=iter(DataLoader(list(zip(*make_data(), strict=True)), batch_size=8)))


def test_an_integer_of_numpy_is_a_number_of_epochs():
    assert len(run(num_epochs=np.int64(2))["train_loss"]) == 2


def test_an_empty_group_of_parameters_is_passed_over():
    model = make_model()
    groups = [{"params": []}, {"params": model.parameters()}]
    assert run(model, optimizer=torch.optim.SGD(groups, lr=0.5)) == run()


def test_the_extras_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Extras().patience = 3


class Stochastic(nn.Module):
    """Draws random numbers while training, as dropout does."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.Dropout(), nn.Linear(16, 2))

    def forward(self, inputs):
        return self.layers(inputs)


def run_stochastic(num_epochs, train_batches=None, **arguments):
    torch.manual_seed(0)
    model = Stochastic()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.9)
    generator = torch.Generator().manual_seed(1)
    shuffled = TensorLoader(*make_data(), batch_size=8, shuffle=True, generator=generator)
    history = run(
        model,
        optimizer=optimizer,
        scheduler=schedule,
        train_batches=shuffled if train_batches is None else train_batches(shuffled),
        val_batches=make_batches(seed=1),
        num_epochs=num_epochs,
        **arguments,
    )
    return model.state_dict(), history


def assert_same(run1, run2):
    (weights1, history1), (weights2, history2) = run1, run2
    assert history1 == history2
    assert weights1.keys() == weights2.keys()
    assert all(torch.equal(weights1[name], weights2[name]) for name in weights1)


@pytest.mark.parametrize("patience", [None, 3])
def test_a_resumed_training_equals_an_uninterrupted_one_bit_by_bit(tmp_path, patience):
    uninterrupted = run_stochastic(5, patience=patience)
    path = tmp_path / "run.pt"
    run_stochastic(2, checkpoint=path, patience=patience)
    torch.rand(7)  # another process would be in another random state
    assert_same(run_stochastic(5, checkpoint=path, resume=True, patience=patience), uninterrupted)


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(tmp_path):
    class Interrupted:
        def __init__(self, batches):
            self.batches, self.generator, self.epoch = batches, batches.generator, 0

        def __iter__(self):
            self.epoch += 1
            for batch in self.batches:
                yield batch
                if self.epoch == 3:
                    raise KeyboardInterrupt

    path = tmp_path / "run.pt"
    _, history = run_stochastic(5, Interrupted, checkpoint=path)
    assert len(history["val_loss"]) == 2
    assert_same(run_stochastic(5, checkpoint=path, resume=True), run_stochastic(5))


def test_a_finished_training_is_not_trained_on(tmp_path):
    path = tmp_path / "run.pt"
    finished = run_stochastic(2, checkpoint=path)
    assert_same(run_stochastic(2, checkpoint=path, resume=True), finished)


def test_a_training_that_stopped_early_is_not_trained_on(tmp_path):
    path = tmp_path / "run.pt"
    stopped = run(lr=0.0, patience=1, num_epochs=10, checkpoint=path)
    assert run(lr=0.0, patience=1, num_epochs=10, checkpoint=path, resume=True) == stopped


def test_resuming_without_a_file_starts_from_the_beginning(tmp_path):
    assert len(run(checkpoint=tmp_path / "new.pt", resume=True)["train_loss"]) == 3
    assert (tmp_path / "new.pt").exists()


def test_a_plateau_schedule_cannot_advance_by_batch():
    optimizer = torch.optim.SGD((model := make_model()).parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    message = "schedule_by must be 'epoch' for ReduceLROnPlateau, got 'batch'"
    with pytest.raises(ValueError, match=message):
        run(model, optimizer=optimizer, scheduler=schedule, schedule_by="batch")


def make_long_name(folder):
    return folder / ("r" * 240)


def make_read_only(folder):
    path = folder / "run.pt"
    path.touch(0o444)
    return path


@pytest.mark.parametrize(
    ("make_path", "error", "message"),
    [
        pytest.param(
            lambda folder: folder / "no" / "run.pt",
            FileNotFoundError,
            r"checkpoint must be in an existing folder, got '.*no/run\.pt'",
            id="missing folder",
        ),
        pytest.param(
            lambda folder: make_read_only(folder) / "run.pt",
            FileNotFoundError,
            r"checkpoint must be in an existing folder, got '.*run\.pt/run\.pt'",
            id="file in place of a folder",
        ),
        pytest.param(
            lambda folder: folder, IsADirectoryError, "checkpoint must be a file", id="a folder"
        ),
        pytest.param(
            make_read_only,
            PermissionError,
            "checkpoint must not be a read-only file",
            id="read-only file",
        ),
        pytest.param(
            make_long_name, OSError, "checkpoint must have a shorter name", id="long name"
        ),
    ],
)
@pytest.mark.parametrize("resume", [True, False])
def test_a_path_that_cannot_be_written_is_noticed_before_the_first_epoch(
    tmp_path, make_path, error, message, resume
):
    model, before = make_model(), make_model()
    with pytest.raises(error, match=message):
        run(model, checkpoint=make_path(tmp_path), resume=resume)
    assert torch.equal(model.weight, before.weight)


def test_a_folder_without_permission_is_noticed_before_the_first_epoch(read_only_folder):
    model, before = make_model(), make_model()
    with pytest.raises(PermissionError, match="checkpoint must be in a writable folder, got"):
        run(model, checkpoint=read_only_folder / "run.pt")
    assert torch.equal(model.weight, before.weight)


class Since(nn.Linear):
    """Keeps what no checkpoint can hold."""

    def get_extra_state(self):
        return datetime.date(2026, 1, 1)

    def set_extra_state(self, state):
        pass


def test_a_state_that_cannot_be_saved_is_noticed_before_the_first_epoch(tmp_path):
    model = Since(4, 2)
    before = model.weight.detach().clone()
    with pytest.raises(TypeError, match=r"_extra_state'\] must be a tensor, .* got date"):
        run(model, checkpoint=tmp_path / "run.pt")
    assert torch.equal(model.weight, before)


def test_a_schedule_that_turns_to_numpy_later_can_be_saved(tmp_path):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=np.float64(0.5))
    warm_then_fall = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: 0.1 * epoch if epoch < 2 else np.cos(epoch)
    )
    run(model, optimizer=optimizer, scheduler=warm_then_fall, checkpoint=tmp_path / "run.pt")
    assert type(optimizer.param_groups[0]["lr"]) is np.float64
    assert (tmp_path / "run.pt").exists()


def test_a_lazy_model_gets_its_shapes_before_it_is_saved(tmp_path):
    model = nn.LazyLinear(2)
    run(model, checkpoint=tmp_path / "run.pt")
    assert model.weight.shape == (2, 4)
    assert (tmp_path / "run.pt").exists()


def test_a_name_without_a_folder_is_one_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(checkpoint="run.pt")
    assert (tmp_path / "run.pt").exists()


def test_resuming_needs_a_path():
    with pytest.raises(ValueError, match="checkpoint must be given to resume from, got None"):
        run(resume=True)


def test_a_compiled_model_learns_the_same_and_keeps_its_names():
    model, compiled = make_model(), make_model()
    history = run(model)
    compiled.compile(backend="eager")
    assert run(compiled) == history
    assert torch.equal(model.weight, compiled.weight)
    assert compiled.state_dict().keys() == model.state_dict().keys()


def test_a_batch_schedule_advances_with_every_batch():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    run(model, optimizer=optimizer, scheduler=schedule, schedule_by="batch", num_epochs=2)
    assert optimizer.param_groups[0]["lr"] == 0.5**8


def test_a_resumed_batch_schedule_and_a_stateful_optimizer_go_on_where_they_were(tmp_path):
    def train(num_epochs, **arguments):
        model = make_model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=5 * 4)
        arguments |= {"optimizer": optimizer, "scheduler": schedule, "schedule_by": "batch"}
        history = run(model, num_epochs=num_epochs, **arguments)
        return model.state_dict(), history, optimizer.state_dict(), schedule.last_epoch

    path = tmp_path / "run.pt"
    straight = train(5)
    train(2, checkpoint=path)
    resumed = train(5, checkpoint=path, resume=True)
    assert_same(resumed[:2], straight[:2])
    assert resumed[2]["param_groups"] == straight[2]["param_groups"]
    for name in ("step", "exp_avg", "exp_avg_sq"):
        assert torch.equal(resumed[2]["state"][0][name], straight[2]["state"][0][name])
    assert resumed[3] == straight[3] == 20


def test_a_resumed_plateau_schedule_remembers_the_best_loss(tmp_path):
    def train(num_epochs, **arguments):
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
        run(model, optimizer=optimizer, scheduler=schedule, num_epochs=num_epochs, **arguments)
        return schedule.state_dict()

    path = tmp_path / "run.pt"
    assert train(2, checkpoint=path)["num_bad_epochs"] == 1
    assert train(3, checkpoint=path, resume=True) == train(3)


def test_the_best_weights_come_back_at_the_last_epoch_too():
    assert train_spoiled(3, patience=9) == (2.0, [1.0, 0.0, 1.0])
    assert train_spoiled(3) == (3.0, [1.0, 0.0, 1.0])


def test_the_best_weights_outlive_an_interruption(tmp_path):
    path = tmp_path / "run.pt"
    train_spoiled(3, patience=3, checkpoint=path)
    resumed = train_spoiled(9, patience=3, checkpoint=path, resume=True)
    assert resumed == train_spoiled(9, patience=3) == (2.0, [1.0, 0.0, 1.0, 2.0, 3.0])


def test_patience_that_begins_on_resuming_waits_from_there(tmp_path):
    path = tmp_path / "run.pt"
    train_spoiled(5, checkpoint=path)
    offset, losses = train_spoiled(9, patience=2, checkpoint=path, resume=True)
    assert (offset, len(losses)) == (6.0, 8)


def test_patience_that_ends_on_resuming_leaves_the_last_weights(tmp_path):
    path = tmp_path / "run.pt"
    train_spoiled(3, patience=2, checkpoint=path)
    assert train_spoiled(4, checkpoint=path, resume=True) == (4.0, [1.0, 0.0, 1.0, 2.0])


def test_ctrl_c_goes_back_to_the_best_weights_too():
    class Writer:
        def add_scalar(self, tag, value, global_step):
            if global_step == 3:
                raise KeyboardInterrupt

    assert train_spoiled(9, patience=5, writer=Writer()) == (2.0, [1.0, 0.0, 1.0])


def test_a_finished_training_leaves_the_model_in_training_mode_too(tmp_path):
    path = tmp_path / "run.pt"
    run(checkpoint=path)
    run(model := make_model().eval(), checkpoint=path, resume=True)
    assert model.training


def make_parts(seed):
    """A training with a momentum and an order of its own."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Dropout(), nn.Linear(4, 2))
    order = torch.Generator().manual_seed(seed)
    return {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        "train_batches": TensorLoader(*make_data(), batch_size=8, shuffle=True, generator=order),
    }


def states_of(parts):
    model, optimizer, loader = parts.values()
    momentum = [state["momentum_buffer"] for state in optimizer.state.values()]
    tensors = [*model.state_dict().values(), *momentum, loader.generator.get_state()]
    return [t.clone() for t in (*tensors, torch.get_rng_state())], model.training


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"metrics": {}},
            r"metrics must be those of the checkpoint, \['train_loss', 'train_accuracy'\], "
            r"got \['train_loss'\]",
            id="other metrics",
        ),
        pytest.param(
            {"val_batches": make_batches(seed=1)},
            r"metrics must be those .* got \['train_loss', 'train_accuracy', 'val_loss', 'val_acc",
            id="validation too",
        ),
        pytest.param(
            {"extra": {}}, r"must be one that fit has written, got 'run\.pt'", id="another program"
        ),
        pytest.param(
            {"extra": {"history": [1.0], "best": None}},
            r"must be one that fit has written, got 'run\.pt'",
            id="another history",
        ),
        pytest.param({"num_epochs": 0}, "num_epochs must be at least 1", id="no epoch"),
        pytest.param({"metrics": {"loss": len}}, "names beside 'loss'", id="a metric called loss"),
    ],
)
def test_a_resuming_that_is_refused_changes_nothing(tmp_path, arguments, message):
    path, saved, parts = tmp_path / "run.pt", make_parts(seed=0), make_parts(seed=1)
    run(**saved, checkpoint=path)
    run(**parts, num_epochs=1)
    if "extra" in arguments:
        generators = {"train_batches.generator": saved["train_batches"].generator}
        model, optimizer, _ = saved.values()
        save_checkpoint(path, model=model, optimizer=optimizer, generators=generators, **arguments)
        arguments = {}
    parts["model"].eval()
    before, mode = states_of(parts)
    with pytest.raises(ValueError, match=message):
        run(**parts, checkpoint=path, resume=True, **arguments)
    after, mode_after = states_of(parts)
    assert all(map(torch.equal, before, after))
    assert mode == mode_after


def test_the_order_of_the_validation_data_is_restored(tmp_path):
    def train(num_epochs, **arguments):
        generator = torch.Generator().manual_seed(3)
        shuffled = TensorLoader(*make_data(seed=1), batch_size=8, shuffle=True, generator=generator)
        run(num_epochs=num_epochs, val_batches=shuffled, **arguments)
        return generator.get_state()

    path = tmp_path / "run.pt"
    train(2, checkpoint=path)
    assert torch.equal(train(3, checkpoint=path, resume=True), train(3))


def test_an_attribute_that_only_looks_like_a_generator_is_left_alone(tmp_path):
    class Batches(list):
        generator = "a diesel engine"

    assert len(run(train_batches=Batches(make_batches()), checkpoint=tmp_path / "x")) == 2


class Drawing:
    """Wraps a loader, and adds noise from three sources."""

    def __init__(self, loader, seed):
        self.loader = loader
        self.noise = torch.Generator().manual_seed(seed)
        self.rng = np.random.default_rng(seed)
        self.random = random.Random(seed)

    def __iter__(self):
        for inputs, targets in self.loader:
            noise = torch.randn(inputs.shape, generator=self.noise)
            yield inputs + noise * self.rng.random() * self.random.random(), targets


def make_loader(kind, seed):
    data = TensorDataset(*make_data())
    generator = torch.Generator().manual_seed(seed)
    if kind == "random sampler":
        return DataLoader(data, 8, sampler=RandomSampler(data, generator=generator))
    if kind == "weighted sampler":
        weights = torch.linspace(0, 1, len(data))
        sampler = WeightedRandomSampler(weights, len(data), generator=generator)
        return DataLoader(data, 8, sampler=sampler)
    if kind == "batch sampler":
        sampler = BatchSampler(RandomSampler(data, generator=generator), 8, drop_last=False)
        return DataLoader(data, batch_sampler=sampler)
    if kind == "workers":
        return DataLoader(data, 8, shuffle=True, generator=generator, num_workers=1)
    return Drawing(DataLoader(data, 8, shuffle=True, generator=generator), seed)


@pytest.mark.parametrize(
    "kind", ["random sampler", "weighted sampler", "batch sampler", "wrapped loader", "workers"]
)
def test_every_generator_that_can_be_reached_goes_on_where_it_was(tmp_path, kind):
    def train(num_epochs, seed, **arguments):
        torch.manual_seed(seed)
        masks, noise = (torch.Generator().manual_seed(seed + i) for i in (1, 2))
        model = nn.Sequential(nn.Linear(4, 8), Dropout(generator=masks), nn.Linear(8, 2))

        def noisy_loss(outputs, targets):
            return F.cross_entropy(outputs + torch.randn(2, generator=noise), targets)

        history = run(
            model,
            lr=0.1,
            num_epochs=num_epochs,
            train_batches=make_loader(kind, seed),
            loss_fn=noisy_loss,
            **arguments,
        )
        return model.state_dict(), history

    path = tmp_path / "run.pt"
    train(2, seed=0, checkpoint=path)
    assert_same(train(4, seed=1, checkpoint=path, resume=True), train(4, seed=0))


def test_float16_scales_its_gradients_and_the_scale_outlives_an_interruption(tmp_path):
    path = tmp_path / "run.pt"
    seen = []

    def loss(outputs, targets):
        if outputs.requires_grad:
            outputs.register_hook(lambda gradient: seen.append(gradient.abs().max().item()))
        return F.cross_entropy(outputs.float(), targets)

    half = {"loss_fn": loss, "autocast_dtype": torch.float16, "checkpoint": path}
    plain = run(lr=0.1)
    history = run(lr=0.1, **half)
    assert history["train_loss"] == pytest.approx(plain["train_loss"], rel=1e-2)
    assert max(seen) > 100, "a mean over 8 examples alone has no gradient above 1/8"
    saved = torch.load(path, weights_only=True)["parts"]["scaler"]
    assert saved["scale"] == 2.0**16
    assert saved["_growth_tracker"] == 3 * 4
    run(lr=0.1, num_epochs=4, resume=True, **half)
    assert torch.load(path, weights_only=True)["parts"]["scaler"]["_growth_tracker"] == 4 * 4


def test_a_gradient_too_large_for_float16_costs_a_step_and_not_the_model():
    model, before = make_model(), make_model()
    inputs, targets = make_data()
    batches = [(inputs, targets)]
    run(
        model,
        train_batches=batches,
        num_epochs=1,
        loss_fn=lambda outputs, targets: 1e4 * F.cross_entropy(outputs, targets),
        autocast_dtype=torch.float16,
    )
    assert torch.equal(model.weight, before.weight)


def test_a_compiled_model_can_be_resumed_without_compiling(tmp_path):
    path = tmp_path / "run.pt"
    compiled = make_model()
    compiled.compile(backend="eager")
    run(compiled, num_epochs=2, checkpoint=path)
    resumed, straight = make_model(), make_model()
    run(resumed, num_epochs=3, checkpoint=path, resume=True)
    run(straight, num_epochs=3)
    assert torch.equal(resumed.weight, straight.weight)


def test_tensorboard_receives_every_value(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        history = run(writer=writer, val_batches=make_batches(seed=1))
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == set(history)
    for name, values in history.items():
        assert [event.step for event in events.Scalars(name)] == [1, 2, 3]
        assert [event.value for event in events.Scalars(name)] == pytest.approx(values)
