"""Run blocks, each in a process of its own.

This program imports the big libraries once and then forks a fresh child for every block, so that
nothing a block changes can reach the next one. A fork costs some hundredths of a second; importing
torch again would cost seconds. Where forks are not safe (macOS, Windows), or another order of sets
is wanted, a block gets a new interpreter and pays these seconds.

A block runs as the real `__main__` module, in an empty folder, and ends as a program does. Every
warning that Python shows by default is an error. `sandbox` is the other end.
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
GRACE = 3  # seconds between the end that a block may see and the one that it cannot ignore
CAN_FORK = sys.platform == "linux"  # macOS has fork, but its own libraries do not survive one


@dataclass(frozen=True)
class Job:
    """A block to run, and where and how."""

    code: str
    line: int  # of the page, on which its fence opens
    page: str  # as tracebacks name it
    folder: str  # an empty one for everything about this run
    seed: int  # hidden, for the generators to start from
    hash_seed: int | None = None  # asks for a new interpreter with this order of sets
    seconds: int = 600  # after which the block is given up


@dataclass
class Outcome:
    """What became of a job."""

    printed: str = ""
    errors: str = ""  # what arrived on standard error
    failure: str = ""  # the traceback of what ended the block, or another reason to refuse it
    attempts: list[str] = field(default_factory=list)  # to reach the network or foreign files
    num_figures: int = 0  # that were open at the end; they lie in the job's folder
    hidden: bool = False  # whether it drew random numbers without a visible seed


def serve(fork: bool) -> None:
    """Take jobs as lines of JSON, and answer each with the exit code of its process."""
    if fork:
        preload()
    _write_style()
    _raise_loopback()
    gc.collect()
    gc.freeze()  # a block looks for its own garbage only, not for that of torch
    for line in sys.stdin:
        job = Job(**json.loads(line))
        start = _fork if fork and job.hash_seed is None else _start_interpreter
        print(start(line, job), flush=True)


def main(line: str) -> NoReturn:
    """Run a job given as JSON, and end this process; a full shutdown would take a second."""
    job = Job(**json.loads(line))
    code = 1
    try:
        _prepare(job)
        report = json.dumps(asdict(_run(job)))
        sys.stdout.flush()
        (Path(job.folder) / "outcome.json").write_text(report, "utf-8")
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)


def _fork(line: str, job: Job) -> int:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        main(line)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(job.seconds + GRACE)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        signal.alarm(0)
        _kill_group(child)


def _start_interpreter(line: str, job: Job) -> int:
    program = "import sys; from booktools.doctests.worker import main; main(sys.argv[1])"
    seed = {} if job.hash_seed is None else {"PYTHONHASHSEED": str(job.hash_seed)}
    command = [sys.executable, "-c", program, line]
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


def _prepare(job: Job) -> None:
    """Give the process its streams, folders, arguments and warnings."""
    folder, temporary = Path(job.folder), Path.home() / str(os.getpid())
    script, work, home = folder / "script" / SCRIPT, folder / "work", folder / "home"
    close_border((folder, temporary), folder / "attempts", SCRIPT, job.line)
    for path in (script.parent, work, home, temporary):
        path.mkdir()
    script.write_text(job.code, "utf-8")
    linecache.cache[SCRIPT] = (len(job.code), None, job.code.splitlines(keepends=True), SCRIPT)
    for stream, path in enumerate((Path(os.devnull), folder / "printed", folder / "errors")):
        file = os.open(path, os.O_WRONLY | os.O_CREAT if stream else os.O_RDONLY)
        os.dup2(file, stream)
        os.close(file)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # as in a terminal
    faulthandler.dump_traceback_later(job.seconds, exit=True)
    if hasattr(os, "setsid"):
        os.setsid()  # so that the block can be ended with its children
    os.chdir(work)
    os.environ |= dict.fromkeys(("HOME", "USERPROFILE"), str(home))
    os.environ |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)  # chosen before the fork
    tempfile.tempdir = None
    sys.argv[:] = [str(script)]
    sys.path[0] = str(script.parent)
    quiet: list[type[Warning]] = [ImportWarning, ResourceWarning]  # Python shows none of these,
    quiet += [DeprecationWarning, PendingDeprecationWarning]  # and these to authors alone
    warnings.resetwarnings()
    warnings.simplefilter("error")
    for category in quiet:
        warnings.simplefilter("ignore", category)
    for category in quiet[2:]:
        warnings.filterwarnings("error", "", category, r"__main__$|block$|notes\.")
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")  # plt.show()


def _run(job: Job) -> Outcome:
    """Run a block in this process, which is of no use afterwards."""
    from booktools.doctests.aftermath import follow  # not before `preload`

    watch, finish, outcome = None, follow(job.code, SCRIPT), Outcome()
    if "torch" in sys.modules:
        from booktools.doctests.randomness import Watch

        watch = Watch(job.seed)
    try:
        _execute(job)
        outcome.hidden = bool(watch and watch.finish())
        if "matplotlib.pyplot" in sys.modules:
            from booktools.doctests.figures import save_figures

            outcome.num_figures = save_figures(Path(job.folder))
        outcome.failure = "".join(finish())
    except SystemExit as error:
        outcome.failure = f"SystemExit: {error.code}\n"
    except BaseException as error:
        report = traceback.TracebackException.from_exception(error)
        _keep_own_frames(report)
        outcome.failure = name_lines("".join(report.format()), job)
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


def name_lines(text: str, job: Job) -> str:
    """A text with tracebacks that name the page and its lines instead of the block's."""
    places = re.split(rf'File "{SCRIPT}", line (\d+)', text)
    places[1::2] = [f'File "{job.page}", line {int(line) + job.line}' for line in places[1::2]]
    return "".join(places)


def _keep_own_frames(report: traceback.TracebackException) -> None:
    package = str(SOURCE / "notes") + os.sep
    own = [frame for frame in report.stack if frame.filename.startswith((SCRIPT, package))]
    report.stack[:] = own
    for other in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if other is not None:
            _keep_own_frames(other)
