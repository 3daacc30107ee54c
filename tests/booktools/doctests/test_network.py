import pytest

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
