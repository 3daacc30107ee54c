from booktools.doctests.sandbox import Sandbox, block_environment
from booktools.doctests.worker import Job


def test_threads_and_instruction_sets_are_what_the_user_says():
    chosen = {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default"}
    chosen |= {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    environment = block_environment(chosen, hash_seed=1)
    assert {name: environment[name] for name in chosen} == chosen


def test_one_thread_is_the_default():
    assert block_environment({}, hash_seed=1)["OMP_NUM_THREADS"] == "1"


def test_a_block_sees_neither_a_display_nor_pytest():
    names = "COLUMNS DISPLAY FORCE_COLOR LINES PYTEST_VERSION PYTHONWARNINGS WAYLAND_DISPLAY"
    environment = block_environment(dict.fromkeys(names.split(), "1"), hash_seed=1)
    assert set(environment) == {
        "MPLBACKEND",
        "OMP_NUM_THREADS",
        "PYTHONHASHSEED",
        "PYTHONPATH",
        "PYTHONUTF8",
    }


def test_without_forks_each_block_gets_a_new_interpreter(tmp_path):
    code = "import os, torch\nprint(os.getppid(), __name__, torch.initial_seed())\n"
    with Sandbox(hash_seed=1, fork=False) as sandbox:
        outcome = sandbox.run(Job(code, 10, "docs/page.md", str(tmp_path), seed=5))
        assert outcome.failure == ""
        assert outcome.printed == f"{sandbox.process.pid} __main__ 5\n"


def test_a_sandbox_that_died_starts_again_and_ends_when_it_is_closed():
    with Sandbox(hash_seed=1, fork=False) as sandbox:
        sandbox.start()
        sandbox.process.kill()
        sandbox.process.communicate()
        sandbox.start()
        again = sandbox.process
        assert again.poll() is None
    assert again.returncode == 0
