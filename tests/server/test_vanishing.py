"""Clients that vanish amid their talk are gone soon, over every protocol."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.server.processes import LONG_S, ROOT, Served
from tests.server.vanishing_program import ASKED_BY_SYSTEMS, ASKED_BY_US, BEGINS

PROGRAM = [sys.executable, str(ROOT / "tests" / "server" / "vanishing_program.py")]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
NEVER_S = 3_600
OWN_NETWORK = ["unshare", "--map-root-user", "--net"]


def has_own_network():
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    tried = [*OWN_NETWORK, "ip", "link", "set", "lo", "up"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@contextmanager
def amid(*settings):
    """A server, and a process of clients that talk to it over every protocol."""
    with Served("--wyoming-port", "0", *settings) as server:
        _, http, wyoming = server.line("ready ").split()
        clients = subprocess.Popen([*PROGRAM, "clients", http, wyoming], env=ENVIRONMENT)
        try:
            for begin in BEGINS:
                server.line_with(begin)
            yield server, clients
        finally:
            clients.kill()
            clients.wait()


@pytest.mark.skipif(not has_own_network(), reason="no network of one's own; Linux: unshare and ip")
def test_whose_machine_is_cut_off():
    done = subprocess.run(
        [*OWN_NETWORK, *PROGRAM, "cut"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=2 * LONG_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_that_are_killed():
    with amid("--ping-s", 1, "--ping-timeout-s", 3, "--idle-s", NEVER_S) as (server, clients):
        clients.kill()
        for end in ASKED_BY_US + ASKED_BY_SYSTEMS:
            server.line_with(end)


@pytest.mark.parametrize(
    ("settings", "ends"),
    [
        (("--ping-s", 1, "--ping-timeout-s", 3, "--idle-s", NEVER_S), ASKED_BY_US),
        (("--ping-s", NEVER_S, "--ping-timeout-s", NEVER_S, "--idle-s", 3), ASKED_BY_SYSTEMS),
    ],
)
def test_that_are_stopped_while_their_system_still_answers(settings, ends):
    with amid(*settings) as (server, clients):
        clients.send_signal(signal.SIGSTOP)
        for end in ends:
            server.line_with(end)
        assert clients.poll() is None
