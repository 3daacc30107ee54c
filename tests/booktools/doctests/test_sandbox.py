from contextlib import closing

from booktools.doctests.sandbox import Sandbox, block_environment
from booktools.doctests.worker import Job


def environment(variables):
    return block_environment(variables, hash_seed=1, home="/home/nobody")


def test_threads_and_instruction_sets_are_what_the_user_says():
    chosen = {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default"}
    chosen |= {"ONEDNN_MAX_CPU_ISA": "SSE41", "PATH": "/bin"}
    assert chosen.items() <= environment(chosen).items()


def test_one_thread_is_the_default():
    assert environment({})["OMP_NUM_THREADS"] == "1"


MACHINE = """
COLUMNS DISPLAY FORCE_COLOR LANGUAGE LINES MPLSTYLE PYTEST_VERSION PYTHONBREAKPOINT PYTHONOPTIMIZE
PYTHONSTARTUP PYTHONUNBUFFERED PYTHONWARNINGS TORCH_HOME TORCH_LOGS WAYLAND_DISPLAY XDG_CACHE_HOME
XDG_CONFIG_HOME PYTORCH_ENABLE_MPS_FALLBACK SCIKIT_LEARN_DATA
"""


def test_nothing_else_of_the_users_machine_reaches_a_block():
    own = {"HOME": "/root", "MPLCONFIGDIR": "/root", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    assert environment(dict.fromkeys(MACHINE.split(), "1") | own) == environment({})


def test_a_new_interpreter_has_the_style_of_the_book_and_no_other(tmp_path, monkeypatch):
    code = """
import matplotlib, os
from contextlib import suppress
with suppress(AttributeError):
    print(matplotlib.figure)
from notes.figures.style import STYLE
before = dict(matplotlib.rcParams)
matplotlib.style.use(STYLE)
print(os.getppid(), __name__, matplotlib.rcParams == before, matplotlib.rcParams["lines.marker"])
matplotlib.pyplot.plot([1, 2])
"""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("matplotlibrc", ".config/matplotlib/matplotlibrc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("lines.marker: o", encoding="utf-8")
    (tmp_path / "job").mkdir()
    with closing(Sandbox(hash_seed=1, fork=False)) as sandbox:
        outcome = sandbox.run(Job(code, 10, "docs/page.md", str(tmp_path / "job"), seed=5))
        assert (outcome.failure, outcome.attempts) == ("", [])
        assert outcome.printed == f"{sandbox.process.pid} __main__ True None\n"
        assert outcome.num_figures == 1


def test_a_sandbox_that_died_starts_again_and_ends_when_it_is_closed(tmp_path):
    with closing(Sandbox(hash_seed=1, fork=False)) as sandbox:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            assert not sandbox.run(Job("x = 1\n", 1, "page", str(tmp_path / name), 1)).failure
            process = sandbox.process
            if name == "a":
                process.kill()
                process.wait()
    assert process.returncode == 0
