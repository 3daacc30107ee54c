"""Run blocks, each in a process of its own.

This program imports the big libraries once and then forks a fresh child for every block, so that
nothing a block changes can reach the next one: no seed, default dtype, print option, figure, thread
count, warnings filter or environment variable, nor anything nobody thought of. A fork costs some
hundredths of a second; importing torch again would cost seconds. Where forks are not safe (macOS,
Windows) each block gets a new interpreter and pays these seconds.

A block runs as the real `__main__` module, from a file whose line numbers are those of the page, in
an empty folder. Deprecation and future warnings are errors. `isolation` is the other end.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
PRELOADED = (
    "booktools.doctests.figures",
    "booktools.doctests.randomness",
    "matplotlib.pyplot",
    "sklearn.datasets",
    "torch",
    "torch._dynamo",  # the first step of an optimizer would import it
    "torch.utils.data",
    "torchvision",
)


@dataclass(frozen=True)
class Job:
    """A block to run.

    Attributes:
        code: The Python code.
        line: The line of the page on which its fence opens.
        page: The name of the page for tracebacks.
        folder: An empty folder for everything about this run.
        seed: The hidden seed that the generators start from.
        seconds: The time after which the block is given up.
    """

    code: str
    line: int
    page: str
    folder: str
    seed: int
    seconds: int = 600


@dataclass
class Outcome:
    """What became of a job.

    Attributes:
        printed: Everything that arrived on standard output.
        errors: Everything that arrived on standard error.
        failure: The traceback of what ended the block, or an empty text.
        attempts: The attempts to reach the network.
        num_figures: How many figures were open at the end; they lie in the job's folder.
        hidden: Whether the block drew random numbers without a visible seed.
    """

    printed: str = ""
    errors: str = ""
    failure: str = ""
    attempts: list[str] = field(default_factory=list)
    num_figures: int = 0
    hidden: bool = False


# macOS has fork, but its own libraries do not survive one; Windows has none.
CAN_FORK = sys.platform == "linux"


def serve(fork: bool) -> None:
    """Take jobs as lines of JSON, and answer each with the exit code of its process."""
    for name in PRELOADED if fork else ():
        __import__(name)
    print(sys.stdin.readline().strip() or "ready", flush=True)
    for line in sys.stdin:
        print(_in_fork(line) if fork else _in_new_interpreter(line), flush=True)


def _in_fork(line: str) -> int:
    child = os.fork()
    if child == 0:
        os._exit(run_and_report(line))  # a full shutdown of the interpreter takes a second
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_new_interpreter(line: str) -> int:
    program = "import sys, booktools.doctests.worker as s; sys.exit(s.run_and_report(sys.argv[1]))"
    return subprocess.run([sys.executable, "-c", program, line]).returncode


def run_and_report(line: str) -> int:
    """Run a job given as JSON, and return the exit code: 0 if its outcome could be written."""
    try:
        run(Job(**json.loads(line)))
        atexit._run_exitfuncs()  # ends worker processes and what the block registered
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def run(job: Job) -> None:
    """Run a block in this process, which is of no use afterwards."""
    from booktools.doctests.network import refuse_network
    from booktools.doctests.randomness import Watch

    folder = Path(job.folder)
    script = folder / "script" / "block.py"
    script.parent.mkdir()
    script.write_text("\n" * job.line + job.code, encoding="utf-8")
    _prepare(folder, script)
    if hasattr(signal, "SIGALRM"):  # Windows has no alarm
        signal.signal(signal.SIGALRM, _give_up)
        signal.alarm(job.seconds)
    refuse_network(folder / "network", str(script))
    watch = Watch(job.seed)
    outcome = Outcome()
    try:
        _execute(script)
        outcome.hidden = watch.finish()
        from booktools.doctests.figures import save_figures

        outcome.num_figures = save_figures(folder)
    except SystemExit as error:
        if error.code:
            outcome.failure = f"SystemExit: {error.code}\n"
    except BaseException as error:
        outcome.failure = describe(error, str(script), job.page)
    (folder / "outcome.json").write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def describe(error: BaseException, script: str, page: str) -> str:
    """The traceback with the lines of the page and of the package, and no others."""
    report = traceback.TracebackException.from_exception(error)
    _keep_own_frames(report, script)
    return "".join(report.format()).replace(script, page)


def _keep_own_frames(report: traceback.TracebackException, script: str) -> None:
    package = str(SOURCE / "notes") + os.sep
    own = [frame for frame in report.stack if frame.filename.startswith((script, package))]
    report.stack[:] = own
    for other in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if other is not None:
            _keep_own_frames(other, script)


def _prepare(folder: Path, script: Path) -> None:
    """Give the process its streams, folder, arguments, warnings and style."""
    import matplotlib.pyplot as plt

    from notes.figures.style import STYLE

    work, home = folder / "work", folder / "home"
    for path in (work, home):
        path.mkdir()
    for target, path, mode in (
        (0, Path(os.devnull), os.O_RDONLY),
        (1, folder / "printed", os.O_WRONLY | os.O_CREAT),
        (2, folder / "errors", os.O_WRONLY | os.O_CREAT),
    ):
        file = os.open(path, mode)
        os.dup2(file, target)
        os.close(file)
    os.chdir(work)
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(home)  # no cache of earlier downloads
    sys.argv[:] = [str(script)]
    sys.path[0] = str(script.parent)
    for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.simplefilter("error", category)
    plt.style.use(STYLE)
    plt.show = lambda *args, **kwargs: None  # a reader sees a window here


def _execute(script: Path) -> None:
    main = type(sys)("__main__")
    main.__file__ = str(script)
    sys.modules["__main__"] = main
    exec(compile(script.read_bytes(), str(script), "exec"), main.__dict__)
    sys.stdout.flush()


def _give_up(_signal: int, _frame: FrameType | None) -> Any:
    raise TimeoutError("the block must end in time, got no end")
