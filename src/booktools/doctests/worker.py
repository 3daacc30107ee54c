"""Run blocks, each in a process of its own.

This program imports the big libraries once and then forks a fresh child for every block, so that
nothing a block changes can reach the next one: no seed, default dtype, print option, figure, thread
count, warnings filter or environment variable, nor anything nobody thought of. A fork costs some
hundredths of a second; importing torch again would cost seconds. Where forks are not safe (macOS,
Windows), or another order of sets is wanted, a block gets a new interpreter and pays these seconds.

A block runs as the real `__main__` module, in an empty folder, and ends as a program does: threads,
exit functions and finalizers count. Every warning that Python shows by default is an error.
`sandbox` is the other end.
"""

import contextlib
import faulthandler
import gc
import json
import linecache
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from booktools.doctests.border import SOURCE, close_border
from booktools.doctests.imports import faults, preload

SCRIPT = "block.py"  # what tracebacks call it, wherever it lies
GRACE = 5  # seconds between the end that a block may see and the one that it cannot ignore
CAN_FORK = sys.platform == "linux"  # macOS has fork, but its own libraries do not survive one


@dataclass(frozen=True)
class Job:
    """A block to run.

    Attributes:
        code: The Python code.
        line: The line of the page on which its fence opens.
        page: The name of the page for tracebacks.
        folder: An empty folder for everything about this run.
        seed: The hidden seed that the generators start from.
        hash_seed: Asks for a new interpreter, in which it decides the order of sets.
        seconds: The time after which the block is given up.
    """

    code: str
    line: int
    page: str
    folder: str
    seed: int
    hash_seed: int | None = None
    seconds: int = 600


@dataclass
class Outcome:
    """What became of a job.

    Attributes:
        printed: Everything that arrived on standard output.
        errors: Everything that arrived on standard error.
        failure: The traceback of what ended the block, or an empty text.
        attempts: The attempts to reach the network or foreign files.
        num_figures: How many figures were open at the end; they lie in the job's folder.
        hidden: Whether the block drew random numbers without a visible seed.
    """

    printed: str = ""
    errors: str = ""
    failure: str = ""
    attempts: list[str] = field(default_factory=list)
    num_figures: int = 0
    hidden: bool = False


def serve(fork: bool) -> None:
    """Take jobs as lines of JSON, and answer each with the exit code of its process."""
    if fork:
        preload()
    _write_style()
    _raise_loopback()
    gc.collect()
    gc.freeze()  # a block looks for its own garbage only, not for that of torch
    print(sys.stdin.readline().strip() or "ready", flush=True)
    for line in sys.stdin:
        job = Job(**json.loads(line))
        start = _fork if fork and job.hash_seed is None else _start_interpreter
        print(start(job), flush=True)


def main(line: str) -> NoReturn:
    """Run a job given as JSON in this new interpreter."""
    os._exit(_run_and_report(Job(**json.loads(line))))


def _fork(job: Job) -> int:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os._exit(_run_and_report(job))  # a full shutdown of the interpreter takes a second
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(job.seconds + GRACE)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        signal.alarm(0)
        _kill_group(child)


def _start_interpreter(job: Job) -> int:
    program = "import sys; from booktools.doctests.worker import main; main(sys.argv[1])"
    command = [sys.executable, "-c", program, json.dumps(asdict(job))]
    seed = {} if job.hash_seed is None else {"PYTHONHASHSEED": str(job.hash_seed)}
    with subprocess.Popen(command, env={**os.environ, **seed}) as process:
        try:
            return process.wait(job.seconds + GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            _kill_group(process.pid)


def _kill_group(leader: int) -> None:
    """End what a block has started and left behind."""
    if hasattr(os, "killpg"):  # not on Windows
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)


def _write_style() -> None:
    """Set the style of the figures, for forks and for new interpreters."""
    import matplotlib.pyplot as plt

    from notes.figures.style import STYLE

    plt.style.use(STYLE)
    texts = {name: str(value).strip("()") for name, value in STYLE.items()}
    texts["axes.prop_cycle"] = str(STYLE["axes.prop_cycle"])
    file = Path.home() / "matplotlibrc"
    file.write_text("".join(f'{name}: "{text}"\n' for name, text in texts.items()), "utf-8")
    os.environ["MATPLOTLIBRC"] = str(file)


def _raise_loopback() -> None:
    """Bring 127.0.0.1 up where `sandbox` has taken the network away."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        with socket.socket(type=socket.SOCK_DGRAM) as some:
            fcntl.ioctl(some, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def _run_and_report(job: Job) -> int:
    """Run a job, and return the exit code: 0 if its outcome could be written."""
    try:
        _prepare(job)
        report = json.dumps(asdict(_run(job)))
        sys.stdout.flush()
        (Path(job.folder) / "outcome.json").write_text(report, "utf-8")
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _prepare(job: Job) -> None:
    """Give the process its streams, folders, arguments and warnings."""
    folder, temporary = Path(job.folder), Path.home() / str(os.getpid())
    script, work, home = folder / "script" / SCRIPT, folder / "work", folder / "home"
    close_border((folder, temporary), folder / "attempts", SCRIPT, job.line)
    for path in (script.parent, work, home, temporary):
        path.mkdir()
    script.write_text(job.code, "utf-8")
    linecache.cache[SCRIPT] = (len(job.code), None, job.code.splitlines(keepends=True), SCRIPT)
    for target, path, mode in (
        (0, Path(os.devnull), os.O_RDONLY),
        (1, folder / "printed", os.O_WRONLY | os.O_CREAT),
        (2, folder / "errors", os.O_WRONLY | os.O_CREAT),
    ):
        file = os.open(path, mode)
        os.dup2(file, target)
        os.close(file)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # as in a terminal
    faulthandler.dump_traceback_later(job.seconds, exit=True)
    if hasattr(os, "setsid"):
        os.setsid()  # so that the block can be ended with its children
    os.chdir(work)
    os.environ |= dict.fromkeys(("HOME", "USERPROFILE"), str(home))
    os.environ |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    tempfile.tempdir = None
    sys.argv[:] = [str(script)]
    sys.path[0] = str(script.parent)
    warnings.resetwarnings()
    warnings.simplefilter("error")
    for hidden in (ImportWarning, ResourceWarning, DeprecationWarning, PendingDeprecationWarning):
        warnings.simplefilter("ignore", hidden)  # as Python does, unless the block is to blame
        if issubclass(hidden, DeprecationWarning | PendingDeprecationWarning):
            warnings.filterwarnings("error", "", hidden, r"__main__$|notes\.")
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")  # plt.show()


def _run(job: Job) -> Outcome:
    """Run a block in this process, which is of no use afterwards."""
    from booktools.doctests.aftermath import Aftermath

    watch, aftermath, outcome = None, Aftermath(job.code, SCRIPT), Outcome()
    if "torch" in sys.modules:
        from booktools.doctests.randomness import Watch

        watch = Watch(job.seed)
    try:
        _execute(job)
        outcome.hidden = bool(watch and watch.finish())
        if "matplotlib.pyplot" in sys.modules:
            from booktools.doctests.figures import save_figures

            outcome.num_figures = save_figures(Path(job.folder))
        outcome.failure = "".join(f"{line}\n" for line in aftermath.finish())
    except SystemExit as error:
        outcome.failure = f"SystemExit: {error.code}\n"
    except BaseException as error:
        outcome.failure = _describe(error, job)
    return outcome


def _execute(job: Job) -> None:
    main = type(sys)("__main__")
    main.__file__ = sys.argv[0]
    program = compile(job.code, SCRIPT, "exec", dont_inherit=True)
    if found := [f"{job.page}:{job.line + line}: {text}" for line, text in faults(job.code)]:
        raise SystemExit("\n".join(found))
    sys.modules["__main__"] = main
    try:
        exec(program, main.__dict__)
    except SystemExit as error:
        if error.code:
            raise


def _describe(error: BaseException, job: Job) -> str:
    """The traceback with the lines of the page and of the package, and no others."""
    report = traceback.TracebackException.from_exception(error)
    _keep_own_frames(report)
    return name_lines("".join(report.format()), job)


def name_lines(text: str, job: Job) -> str:
    """A text with tracebacks that name the page and its lines instead of the block's."""

    def name(match: re.Match[str]) -> str:
        return f'File "{job.page}", line {int(match[1]) + job.line}'

    return re.sub(rf'File "{re.escape(SCRIPT)}", line (\d+)', name, text)


def _keep_own_frames(report: traceback.TracebackException) -> None:
    package = str(SOURCE / "notes") + os.sep
    own = [frame for frame in report.stack if frame.filename.startswith((SCRIPT, package))]
    report.stack[:] = own
    for other in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if other is not None:
            _keep_own_frames(other)
