import os
import re
import time
from pathlib import Path

import pytest

WITNESS = """\
import locale, os, random, sys, warnings
import matplotlib, matplotlib.pyplot as plt, numpy as np, torch
print(torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled())
print(torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
print(torch.tensor(1 / 3), np.array([1 / 3]), torch.get_float32_matmul_precision())
print(plt.get_fignums(), matplotlib.rcParams["lines.linewidth"], matplotlib.get_backend())
print(len(warnings.filters), os.listdir(), sorted(os.environ), sys.path[1:], len(sys.argv))
print(sys.modules.get("colorsys"), hasattr(torch, "own"), os.path.basename(os.getcwd()))
print(torch.rand(1), np.random.rand(), random.random())
"""
LEAK = """\
import colorsys, os, sys, warnings
import matplotlib.pyplot as plt, numpy as np, torch
torch.manual_seed(0); np.random.seed(0)
torch.set_default_dtype(torch.float64); torch.set_default_device("meta"); torch.own = 1
torch.set_grad_enabled(False); torch.set_num_threads(2); torch.use_deterministic_algorithms(True)
torch.set_printoptions(precision=1); np.set_printoptions(precision=1)
torch.set_float32_matmul_precision("medium")
plt.figure(); plt.rcParams["lines.linewidth"] = 9
warnings.simplefilter("ignore"); os.environ["LEAK"] = "1"
sys.path.append("leak"); sys.argv.append("leak"); open("leak", "w").close(); os.chdir("/")
"""


def test_nothing_a_block_changes_reaches_the_next_one(run_code):
    before = run_code(WITNESS, seed=1)
    assert not before.failure
    assert not run_code(LEAK, seed=1).failure
    assert run_code(WITNESS, seed=1) == before


def test_a_block_starts_in_an_empty_folder_with_agg_and_one_thread(run_code):
    outcome = run_code(
        "import os, matplotlib, torch\n"
        "print(os.listdir(), matplotlib.get_backend().lower(), torch.get_num_threads())"
    )
    assert outcome.printed == f"[] agg {os.environ['OMP_NUM_THREADS']}\n"


def test_a_block_starts_as_a_script_does_in_an_empty_home(run_code):
    outcome = run_code(
        "import os, sys\n"
        "print(sys.argv == [__file__], sys.path[0] == os.path.dirname(__file__))\n"
        "print(os.listdir(os.path.expanduser('~')))"
    )
    assert outcome.printed == "True True\n[]\n"


def test_a_block_draws_in_the_style_of_the_book(run_code):
    code = """
        import matplotlib
        from notes.figures.style import STYLE
        before = dict(matplotlib.rcParams)
        matplotlib.style.use(STYLE)
        print(matplotlib.rcParams == before)
    """
    assert run_code(code).printed == "True\n"


def test_a_block_cannot_wait_for_a_reader(run_code):
    assert "EOFError" in run_code("input()", seconds=5).failure


def test_what_a_block_does_at_its_exit_counts(run_code):
    assert run_code("import atexit\natexit.register(print, 'bye')").printed == "bye\n"


def test_bytes_that_are_no_text_are_shown_all_the_same(run_code):
    assert run_code("import os\nos.write(1, b'\\xff')").printed == "\N{REPLACEMENT CHARACTER}"


def test_a_block_is_the_main_module(run_code):
    code = """
        import inspect, sys
        class Net: pass
        if __name__ == "__main__":
            print(Net.__module__, sys.modules["__main__"].Net is Net, inspect.getsource(Net))
    """
    assert run_code(code).printed == "__main__ True class Net: pass\n\n"


def test_a_class_of_the_block_can_be_saved_and_loaded(run_code):
    code = """
        import torch
        class Net(torch.nn.Linear): pass
        torch.manual_seed(0)
        torch.save(Net(2, 3), "net.pt")
        print(torch.load("net.pt", weights_only=False))
    """
    outcome = run_code(code)
    assert outcome.printed == "Net(in_features=2, out_features=3, bias=True)\n", outcome.failure


def test_loader_workers_see_a_data_set_of_the_block(run_code):
    code = """
        import torch
        from torch.utils.data import DataLoader, Dataset
        class Squares(Dataset):
            def __len__(self): return 4
            def __getitem__(self, index): return index ** 2
        if __name__ == "__main__":
            for method in ("fork", "spawn"):
                loader = DataLoader(Squares(), 2, num_workers=1, multiprocessing_context=method)
                print(torch.cat(list(loader)).tolist())
    """
    outcome = run_code(code)
    assert outcome.printed == "[0, 1, 4, 9]\n" * 2, outcome.failure + outcome.errors
    assert not outcome.attempts


WARNINGS = {
    "deprecation": "import warnings\nwarnings.warn('old', DeprecationWarning)",
    "pending deprecation": "import warnings\nwarnings.warn('old', PendingDeprecationWarning)",
    "future": "import warnings\nwarnings.warn('old', FutureWarning)",
    "user": "import warnings\nwarnings.warn('odd')",
    "range": "import torch\ntorch.range(0, 3)",
    "transpose": "import torch\ntorch.ones(1, 2, 3).T",
    "meshgrid": "import torch\ntorch.meshgrid(torch.ones(2), torch.ones(2))",
    "pretrained": "from torchvision.models import resnet18\nresnet18(pretrained=False)",
    "size_average": "import torch\ntorch.nn.MSELoss(size_average=True)",
    "mask": "import torch\ntorch.ones(2)[torch.ones(2, dtype=torch.uint8)]",
    "softmax": "import torch\ntorch.nn.functional.softmax(torch.ones(2))",
    "copy": "import torch\ntorch.tensor(torch.ones(2))",
    "read-only": "import numpy as np, torch\ntorch.from_numpy(np.broadcast_to(np.ones(1), 3))",
    "scheduler": "import torch\noptimizer = torch.optim.SGD([torch.ones(1)], 0.1)\n"
    "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)\nscheduler.step()",
    "loss": "import torch\ntorch.nn.functional.mse_loss(torch.ones(3, 1), torch.ones(3))",
    "division": "import numpy as np\nnp.ones(1) / np.zeros(1)",
    "escape": "print('\\d')",
    "drawing": "import matplotlib.pyplot as plt\nplt.title('\N{CJK UNIFIED IDEOGRAPH-4E2D}')",
}


@pytest.mark.parametrize("code", WARNINGS.values(), ids=WARNINGS)
def test_a_warning_is_an_error(run_code, code):
    assert re.search(r"Warning: |SyntaxError: invalid escape", run_code(code).failure)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(
            "import os\nos.write(2, b'[W1126 12:00:00.1 x.cpp:1] Warning: old (function f)\\n')",
            id="from C++",
        ),
        pytest.param(
            "import subprocess, sys\ncode = 'import warnings; warnings.warn(str(1))'\n"
            "subprocess.run([sys.executable, '-c', code])",
            id="from a child",
        ),
        pytest.param(
            "import traceback\ntry: 1 / 0\nexcept ZeroDivisionError: traceback.print_exc()"
        ),
    ],
)
def test_a_report_on_standard_error_fails_the_block(run_code, report):
    assert "standard error must hold no warning and no traceback" in run_code(report).failure


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "import torch, matplotlib.pyplot as plt\nplt.imshow(torch.ones(2, 2))", id="a library's"
        ),
        pytest.param("open(__file__)", id="an open file"),
        pytest.param(
            "import warnings\nwarnings.filterwarnings('ignore', 'odd')\nwarnings.warn('odd')",
            id="one that the page ignores",
        ),
    ],
)
def test_a_warning_that_no_reader_sees_is_none(run_code, code):
    outcome = run_code(code)
    assert (outcome.failure, outcome.errors) == ("", "")


def test_a_traceback_that_a_block_prints_names_no_folder_of_ours(run_code):
    code = """\
        import sys, traceback
        def fail():
            raise ValueError("no")
        try:
            fail()
        except ValueError:
            traceback.print_exc(file=sys.stdout)
    """
    assert run_code(code).printed == (
        "Traceback (most recent call last):\n"
        '  File "block.py", line 5, in <module>\n    fail()\n'
        '  File "block.py", line 3, in fail\n    raise ValueError("no")\n'
        "ValueError: no\n"
    )


def test_output_comes_in_the_order_of_a_terminal(run_code):
    code = """
        import subprocess
        print("first")
        subprocess.run(["echo", "second"])
        print("third")
    """
    assert run_code(code).printed == "first\nsecond\nthird\n"


def test_a_block_that_ends_itself_may_still_show_luck_and_figures(run_code):
    outcome = run_code(
        "import sys, torch, matplotlib.pyplot as plt\nplt.plot(torch.rand(2))\nsys.exit()"
    )
    assert (outcome.failure, outcome.hidden, outcome.num_figures) == ("", True, 1)


def test_a_block_may_show_a_deprecation_that_it_expects(run_code):
    code = """
        import warnings
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning)
        print(seen[0].message)
    """
    assert run_code(code).printed == "old\n"


def test_a_traceback_shows_the_lines_of_the_page_and_of_the_package_only(run_code):
    code = """\
        import torch
        from notes.checks import check_shape

        def check(tensor):
            check_shape("boxes", tensor, "N", 4)

        next(map(check, [torch.zeros(3)]))
    """
    failure = run_code(code).failure
    assert 'File "docs/page.md", line 17, in <module>\n    next(map(check' in failure
    assert 'File "docs/page.md", line 15, in check\n    check_shape("boxes"' in failure
    assert "notes/checks.py" in failure
    assert failure.count("File ") == 3
    assert failure.endswith("ValueError: boxes must have shape (N, 4), got (3,)\n")


def test_frames_of_libraries_are_left_out(run_code):
    failure = run_code("import torch\ntorch.nn.Linear(2, 2)(torch.zeros(3))").failure
    assert failure.count("File ") == 1
    assert 'File "docs/page.md", line 12' in failure


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("    raise ValueError from error", id="cause"),
        pytest.param("    raise ValueError", id="context"),
        pytest.param("    caught = error\nraise ExceptionGroup('', [caught])", id="group"),
    ],
)
def test_frames_of_libraries_are_left_out_of_earlier_errors(run_code, code):
    start = "import torch\ntry:\n    torch.nn.Linear(2, 2)(torch.zeros(3))\n"
    failure = run_code(f"{start}except RuntimeError as error:\n{code}").failure
    assert failure.count("File ") == failure.count('File "docs/page.md"') == 2


def test_an_interrupted_block_shows_its_line(run_code):
    assert 'File "docs/page.md", line 11' in run_code("raise KeyboardInterrupt").failure


def test_a_syntax_error_names_the_line_of_the_page(run_code):
    assert 'File "docs/page.md", line 12\n    1 +' in run_code("x = 1\n1 +\n").failure


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys\nsys.exit('stop')", "SystemExit: stop"),
        ("import os\nos._exit(3)", "the block must end normally, got exit code 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "got exit code -9"),
        ("import atexit, os\natexit.register(os._exit, 3)", "got exit code 3"),
        ("import atexit, sys\natexit.register(sys.stdout.close)", "got exit code 1"),
    ],
)
def test_a_block_that_stops_its_process_fails(run_code, code, message):
    assert message in run_code(code).failure


def test_a_block_that_exits_as_a_program_does_is_fine(run_code):
    outcome = run_code("print('done')\nraise SystemExit(0)")
    assert (outcome.printed, outcome.failure) == ("done\n", "")


def test_a_block_without_an_end_is_given_up(run_code):
    outcome = run_code("import time\nwhile True: time.sleep(0.1)", seconds=1)
    assert outcome.failure == "the block must end normally, got exit code 1\n"
    assert outcome.errors.startswith("Timeout (0:00:01)!")
    assert 'File "docs/page.md", line 12' in outcome.errors


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        pytest.param(
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            1,
            id="swallows errors",
        ),
        pytest.param(
            "import faulthandler, signal\nfaulthandler.cancel_dump_traceback_later()\n"
            "signal.alarm(0)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
            -9,
            id="takes the limit away",
        ),
    ],
)
def test_a_block_cannot_escape_its_end(run_code, code, exit_code):
    failure = f"the block must end normally, got exit code {exit_code}\n"
    assert run_code(code, seconds=1).failure == failure


def test_what_a_block_leaves_running_ends_with_it(run_code):
    code = "import subprocess\nprint(subprocess.Popen(['sleep', '60']).pid)"
    process = Path("/proc", run_code(code).printed.strip())
    for _ in range(100):
        if process.exists():
            time.sleep(0.05)
    assert not process.exists()


def test_output_of_child_processes_counts_and_standard_error_does_not(run_code):
    code = """
        import subprocess, sys
        print("block", flush=True)
        subprocess.run(["echo", "child"])
        print("progress", file=sys.stderr)
    """
    outcome = run_code(code)
    assert (outcome.printed, outcome.errors) == ("block\nchild\n", "progress\n")


def test_showing_a_figure_neither_warns_nor_closes_it(run_code):
    code = """
        import os
        import matplotlib.pyplot as plt
        os.environ["DISPLAY"] = ":0"  # without one, Agg does not warn on Linux
        plt.plot([1, 2])
        plt.show()
    """
    outcome = run_code(code)
    assert (outcome.failure, outcome.errors, outcome.num_figures) == ("", "", 1)
