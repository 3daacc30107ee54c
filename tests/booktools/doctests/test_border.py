import os
import tempfile

import pytest

from booktools.doctests.sandbox import no_network

CONNECT = "import socket\nsocket.create_connection(('example.org', 80))\n"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(CONNECT, id="connection"),
        pytest.param(
            "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
            id="datagram",
        ),
        pytest.param(
            "\nfrom urllib.request import urlopen\nurlopen('http://example.org')", id="urllib"
        ),
        pytest.param("import socket\nsocket.gethostbyname('example.org')", id="name"),
        pytest.param("import socket\nsocket.getnameinfo(('192.0.2.1', 80), 0)", id="name info"),
        pytest.param("import socket\nsocket.gethostbyaddr('192.0.2.1')", id="name of an address"),
        pytest.param("import socket\nsocket.socket().connect(('192.0.2.1', 80))", id="address"),
        pytest.param(
            "import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\n"
            "s.sendmsg([b''], [], 0, ('192.0.2.1', 53))",
            id="message",
        ),
    ],
)
def test_an_attempt_to_reach_the_network_fails_with_page_line_and_host(run_code, code):
    outcome = run_code(code)
    line = 10 + len(code.strip("\n").split("\n")) + code.startswith("\n")
    message = "a page must run without network, but this block tried to reach "
    message += "192.0.2.1" if "192.0.2.1" in code else "example.org"
    assert outcome.attempts == [f"line {line}: {message}"]
    assert message in outcome.failure


def test_a_block_may_catch_the_error_but_not_hide_the_attempt(run_code):
    outcome = run_code(
        "import socket\n"
        "for _ in range(2):\n"
        "    try:\n        socket.create_connection(('example.org', 80))\n"
        "    except ConnectionError:\n        print('offline')\n"
    )
    assert outcome.printed == "offline\noffline\n"
    assert not outcome.failure
    assert len(outcome.attempts) == 2


def test_an_attempt_of_a_forked_process_is_remembered(run_code):
    outcome = run_code(
        "import os, socket\n"
        "if os.fork() == 0:\n"
        "    try:\n        socket.create_connection(('example.org', 80))\n"
        "    finally:\n        os._exit(0)\n"
        "os.wait()\n"
    )
    assert len(outcome.attempts) == 1


def test_sockets_between_processes_of_one_machine_are_allowed(run_code):
    outcome = run_code(
        "import socket\n"
        "server = socket.socket(socket.AF_UNIX)\nserver.bind('here')\nserver.listen()\n"
        "socket.socket(socket.AF_UNIX).connect('here')\nprint('connected')\n"
    )
    assert (outcome.printed, outcome.attempts) == ("connected\n", [])


def test_a_server_on_this_machine_is_no_network(run_code):
    code = """
        import threading
        from http.server import HTTPServer, SimpleHTTPRequestHandler
        from urllib.request import urlopen

        server = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(urlopen(f"http://127.0.0.1:{server.server_port}").status)
        server.shutdown()
        server.server_close()
    """
    outcome = run_code(code)
    assert (outcome.printed, outcome.failure, outcome.attempts) == ("200\n", "", [])


@pytest.mark.skipif(not no_network(), reason="this system cannot take the network away")
@pytest.mark.parametrize(
    "connect",
    [
        pytest.param(
            f"subprocess.run([sys.executable, '-c', {CONNECT!r}], check=True)", id="child"
        ),
        pytest.param(
            "libc = ctypes.CDLL(None, use_errno=True)\nhandle = libc.socket(2, 1, 0)\n"
            "libc.connect(handle, bytes([2, 0, 0, 80, 192, 0, 2, 1]) + bytes(8), 16)\n"
            "raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))",
            id="library",
        ),
    ],
)
def test_programs_and_libraries_have_no_network_either(run_code, connect):
    outcome = run_code(f"import ctypes, os, subprocess, sys\n{connect}")
    assert "CalledProcessError" in outcome.failure or "unreachable" in outcome.failure


TEMPORARY = tempfile.gettempdir()
FILES = {
    "temporary folder": f"open('{TEMPORARY}/left', 'w')",
    "a path": f"from pathlib import Path\nPath('{TEMPORARY}/left').mkdir()",
    "read there": f"open('{TEMPORARY}/left')",
    "listed there": f"from pathlib import Path\nlist(Path('{TEMPORARY}').iterdir())",
    "database": f"import sqlite3\nsqlite3.connect('{TEMPORARY}/left')",
    "loaded": f"import torch\ntorch.load('{TEMPORARY}/left.pt')",
    "package": "import notes\nopen(notes.__path__[0] + '/left.py', 'w')",
    "repository": "import notes\nopen(notes.__path__[0] + '/../../pyproject.toml')",
    "moved": f"import os\nopen('here', 'w').close()\nos.rename('here', '{TEMPORARY}/left')",
    "link": f"import os\nos.symlink('{TEMPORARY}', 'there')",
    "folder": "import os\nos.makedirs('/var/left')",
    "array": f"import numpy\nnumpy.save('{TEMPORARY}/left.npy', numpy.zeros(1))",
    "temporary folder of another block": "import os, tempfile\n"
    "os.listdir(os.path.dirname(tempfile.gettempdir()))",
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other paths")
@pytest.mark.parametrize("code", FILES.values(), ids=FILES)
def test_a_block_that_leaves_its_own_folders_fails(run_code, code):
    outcome = run_code(code)
    assert "a page must keep to its own files, but this block tried /" in outcome.failure
    assert len(outcome.attempts) == 1


def test_own_files_and_those_of_libraries_are_open(run_code):
    code = """
        import os, pathlib, tempfile
        import torch
        from sklearn.datasets import load_digits
        pathlib.Path("data").mkdir()
        torch.save(torch.ones(1), "data/ones.pt")
        print(torch.load("data/ones.pt"), len(load_digits().data), open(__file__).readline())
        with tempfile.NamedTemporaryFile() as file:
            print(os.listdir(tempfile.gettempdir()) == [os.path.basename(file.name)])
        open(os.devnull, "w").close()
    """
    outcome = run_code(code)
    assert outcome.failure == ""
    assert outcome.printed == "tensor([1.]) 1797 \n\nTrue\n"
