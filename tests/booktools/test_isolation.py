from booktools.isolation import Sandbox, block_environment
from booktools.sandbox import Job


def test_threads_and_instruction_sets_are_what_the_user_says():
    chosen = {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default"}
    chosen |= {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    environment = block_environment(chosen, hash_seed=1)
    assert {name: environment[name] for name in chosen} == chosen


def test_one_thread_is_the_default():
    assert block_environment({}, hash_seed=1)["OMP_NUM_THREADS"] == "1"


def test_a_block_sees_neither_a_display_nor_pytest():
    environment = block_environment({"DISPLAY": ":0", "PYTEST_CURRENT_TEST": "x"}, hash_seed=1)
    assert set(environment) == {
        "MPLBACKEND",
        "OMP_NUM_THREADS",
        "PYTHONHASHSEED",
        "PYTHONPATH",
        "PYTHONUTF8",
    }


def test_without_forks_each_block_gets_a_new_interpreter(tmp_path):
    code = "import os, torch\nprint(__name__, torch.get_default_dtype(), torch.initial_seed())\n"
    spoil = code + "torch.set_default_dtype(torch.float64)\n"
    with Sandbox(hash_seed=1, fork=False) as sandbox:
        for name, text in (("first", spoil), ("second", code)):
            folder = tmp_path / name
            folder.mkdir()
            outcome = sandbox.run(Job(text, 10, "docs/page.md", str(folder), seed=5))
            assert outcome.failure == ""
            assert outcome.printed == "__main__ torch.float32 5\n"
