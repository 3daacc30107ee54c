import datetime
import enum
import io
import os
import random
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from notes.training._states import get_random_states, set_random_states
from notes.training.checkpoint import load_checkpoint, save_checkpoint


def draw():
    torch_device = "cuda" if torch.cuda.is_available() else "cpu"
    return (
        random.random(),
        random.gauss(),
        np.random.rand(),
        np.random.randn(),
        torch.rand(()).item(),
        torch.rand((), device=torch_device).item(),
    )


@pytest.fixture(autouse=True)
def leave_the_generators_as_they_were():
    states = get_random_states()
    yield
    set_random_states(states)


def test_the_same_numbers_come_again_after_the_states_were_put_back():
    states = get_random_states()
    first = draw()
    set_random_states(states)
    assert draw() == first


def test_asking_for_the_states_draws_nothing():
    torch.manual_seed(0)
    expected = torch.rand(())
    torch.manual_seed(0)
    get_random_states()
    assert torch.rand(()) == expected


def test_the_second_number_of_a_pair_is_kept_too():
    np.random.randn()  # normal numbers are drawn in pairs, and the second one waits
    random.gauss()
    states = get_random_states()
    first = np.random.randn(), random.gauss()
    set_random_states(states)
    assert (np.random.randn(), random.gauss()) == first


def test_the_states_can_be_saved_and_loaded_without_trust():
    states = get_random_states()
    first = draw()
    file = io.BytesIO()
    torch.save(states, file)
    file.seek(0)
    set_random_states(torch.load(file, weights_only=True))
    assert draw() == first


def test_each_gpu_has_its_own_state(monkeypatch):
    states_of_gpus, seen = [torch.tensor([1]), torch.tensor([2])], []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states_of_gpus)
    monkeypatch.setattr(
        torch.cuda, "set_rng_state", lambda state, index: seen.append((index, state))
    )
    set_random_states(get_random_states())
    assert seen == list(enumerate(states_of_gpus))


def test_states_of_gpus_that_are_not_there_are_passed_over():
    states = get_random_states()
    first = draw()
    unused = torch.zeros(16, dtype=torch.uint8)
    set_random_states(states | {"cuda": states["cuda"] + 8 * [unused]})
    assert draw() == first


def test_the_states_agree_with_the_generators_of_the_libraries():
    np.random.seed(3)
    torch.manual_seed(3)
    states = get_random_states()
    assert torch.equal(states["torch"], torch.get_rng_state())
    assert states["numpy"]["state"]["key"] == np.random.get_state()[1].tolist()
    assert states["python"] == random.getstate()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.pt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


def same(a, b):
    """Equal to the last bit, in all depths."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


class Text(str):
    """Looks like text, and is an unknown class to `torch.load`."""


class Color(enum.IntEnum):
    RED = 1


Point = namedtuple("Point", "x y")


class Stamped(torch.Tensor):
    """A class of its own."""


def with_attribute(value, attribute):
    value.note = attribute
    return value


def holding_itself():
    values = [1]
    values.append({"again": values})
    return values


def nested(depth):
    values = []
    for _ in range(depth):
        values = [values]
    return values


def without_storage():
    tensor = torch.ones(100)
    tensor.untyped_storage().resize_(8)
    return tensor


DATE = datetime.date(2026, 1, 1)
PLAIN = "must be a tensor, number, text, or a list or dict of them, got"
KEYS = "must have numbers or text as keys, got"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param({DATE: 1}, rf"extra\['x'\] {KEYS} date", id="date as a key"),
        pytest.param({(1, (DATE,)): 1}, rf"{KEYS} date", id="date in a tuple as a key"),
        pytest.param({Text("a"): 1}, rf"{KEYS} Text", id="subclass of text as a key"),
        pytest.param({Color.RED: 1}, rf"{KEYS} Color", id="enum as a key"),
        pytest.param({Point(1, 2): 1}, rf"{KEYS} Point", id="named tuple as a key"),
        pytest.param({frozenset(): 1}, rf"{KEYS} frozenset", id="frozen set as a key"),
        pytest.param({torch.ones(1): 1}, rf"{KEYS} Tensor", id="tensor as a key"),
        pytest.param(Counter([DATE]), rf"{KEYS} date", id="date as a key of a counter"),
        pytest.param([DATE], rf"extra\['x'\]\[0\] {PLAIN} date", id="date"),
        pytest.param(Text("a"), rf"{PLAIN} Text", id="subclass of text"),
        pytest.param(Color.RED, rf"{PLAIN} Color", id="enum"),
        pytest.param(Point(1, 2), rf"{PLAIN} Point", id="named tuple"),
        pytest.param(defaultdict(int), rf"{PLAIN} defaultdict", id="default dict"),
        pytest.param({1, 2}, rf"{PLAIN} set", id="set"),
        pytest.param(b"text", rf"{PLAIN} bytes", id="bytes"),
        pytest.param(range(3), rf"{PLAIN} range", id="range"),
        pytest.param(Path("run.pt"), rf"{PLAIN} PosixPath", id="path"),
        pytest.param(np.ones(2), rf"{PLAIN} ndarray", id="array"),
        pytest.param(np.datetime64("2026-01-01"), rf"{PLAIN} date", id="date of NumPy"),
        pytest.param(np.longdouble(1), rf"{PLAIN} longdouble", id="long number of NumPy"),
        pytest.param(torch.Generator(), rf"{PLAIN} Generator", id="generator"),
        pytest.param(nn.Linear(1, 1), rf"{PLAIN} Linear", id="whole model"),
        pytest.param(Stamped([1.0]), rf"{PLAIN} Stamped", id="subclass of tensors"),
        pytest.param(nn.LazyLinear(1).weight, "must have a shape", id="lazy parameter"),
        pytest.param(torch.ones(1, device="meta"), "must hold values, got a tens", id="no values"),
        pytest.param(without_storage(), "must hold only what torch.load accepts", id="no storage"),
        pytest.param(
            torch.empty(3, dtype=torch.uint3), "only what torch.load accepts", id="odd dtype"
        ),
        pytest.param(2**3000, "must hold only what torch.load accepts", id="huge number"),
        pytest.param(
            with_attribute(torch.ones(1), DATE), rf"\.note {PLAIN} date", id="attribute of a tensor"
        ),
        pytest.param(
            with_attribute(nn.Parameter(torch.ones(1)), DATE),
            rf"\.note {PLAIN} date",
            id="attribute of a parameter",
        ),
        pytest.param(
            with_attribute(OrderedDict(), DATE), rf"\.note {PLAIN} date", id="attribute of a dict"
        ),
        pytest.param(holding_itself(), r"\['x'\]\[1\]\['again'\] must not hold", id="circle"),
        pytest.param(nested(5000), "extra and states must be nested less deeply", id="deep"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(path, value, message):
    model = nn.Linear(1, 1)
    save_checkpoint(path, model=model, epoch=3)
    with pytest.raises(TypeError, match=message):
        save_checkpoint(path, model=model, extra={"x": value})
    assert load_checkpoint(path, model=model).epoch == 3
    assert os.listdir(path.parent) == ["run.pt"]


HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.sampled_from([DATE, Color.RED, Text("a"), b"a", np.int64(5), np.float32(0.1), torch.int8]),
)
LEAVES = HASHABLE | st.sampled_from(
    [
        torch.arange(3),
        torch.ones(2, dtype=torch.bfloat16, requires_grad=True),
        torch.ones(2, 2).T[1:],
        torch.ones(2, dtype=torch.complex64).conj(),
        torch.eye(3).to_sparse(),
        nn.Buffer(torch.ones(1)),
        nn.Parameter(torch.ones(0, 3)),
        torch.device("cuda:1"),
        torch.Size([2, 3]),
        Stamped([1.0]),
        2**2000,
        -(2**2100),
        "\ud800",
        Point(1, 2),
        1j,
        np.ones(1),
        ...,
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(HASHABLE | st.tuples(HASHABLE, HASHABLE), inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=2).map(OrderedDict)
    ),
    max_leaves=8,
)


@settings(max_examples=60)  # each one writes two files
@given(value=VALUES)
def test_every_value_is_refused_or_comes_back_equal(folder, value):
    path, model = folder / "any.pt", nn.Linear(1, 1)
    save_checkpoint(path, model=model, extra={"x": "old"})
    try:
        save_checkpoint(path, model=model, extra={"x": value})
    except TypeError:
        value = "old"
    assert same(load_checkpoint(path, model=model).extra, {"x": value})


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (np.float64(0.1), 0.1),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
    ],
)
def test_numbers_of_numpy_come_back_as_those_of_python(path, number, expected):
    save_checkpoint(path, model=nn.Linear(1, 1), epoch=np.int64(2), extra={"x": {number: [number]}})
    epoch, extra = load_checkpoint(path, model=nn.Linear(1, 1))
    ((key, (value,)),) = extra["x"].items()
    assert (type(epoch), epoch) == (int, 2)
    assert (type(key), key) == (type(value), value) == (type(expected), expected)


def test_values_that_are_shared_are_saved_once(path):
    values = [0.5] * 1000
    save_checkpoint(path, model=nn.Linear(1, 1), extra={"x": values})
    size = path.stat().st_size
    for _ in range(60):  # as a tree, these would be 2 to the power of 60
        values = [values, values]
    save_checkpoint(path, model=nn.Linear(1, 1), extra={"x": values})
    assert path.stat().st_size < 2 * size


@pytest.mark.parametrize(
    ("make_generator", "draw"),
    [
        pytest.param(random.Random, lambda g: (g.random(), g.gauss()), id="python"),
        pytest.param(np.random.RandomState, lambda g: g.randn(3).tolist(), id="old numpy"),
        pytest.param(np.random.default_rng, lambda g: g.normal(size=3).tolist(), id="numpy"),
        pytest.param(
            lambda seed: np.random.Generator(np.random.MT19937(seed)),
            lambda g: g.integers(9, size=700, dtype=np.int32).tolist(),
            id="numpy's twister",
        ),
        pytest.param(
            lambda seed: np.random.Generator(np.random.Philox(seed)),
            lambda g: g.integers(9, size=3, dtype=np.int32).tolist(),
            id="numpy's philox",
        ),
        pytest.param(
            lambda seed: torch.Generator().manual_seed(seed),
            lambda g: torch.randn(3, generator=g).tolist(),
            id="pytorch",
        ),
    ],
)
def test_generators_of_every_library_come_back(path, make_generator, draw):
    first, second = make_generator(0), make_generator(1)
    draw(first)
    save_checkpoint(path, model=nn.Linear(1, 1), generators={"data": first})
    load_checkpoint(path, model=nn.Linear(1, 1), generators={"data": second})
    assert draw(second) == draw(first)
