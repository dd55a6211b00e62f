"""One that is told to begin, and is left alone; the rest is in `test_supervising.py`."""

import os
import socket
import subprocess
import sys

import pytest

from parakeet_streaming.errors import UnavailableError
from parakeet_streaming.processes.io_process import ENGINE_GONE, IoProcess

LONG_S = 120.0


def test_without_an_engine_it_ends():
    ours, theirs = socket.socketpair()
    memory = os.open("/dev/null", os.O_RDWR)
    program = [sys.executable, "-m", "parakeet_streaming.processes.io_process"]
    descriptors = [theirs.fileno(), memory]
    with subprocess.Popen([*program, *map(str, descriptors)], pass_fds=descriptors) as process:
        theirs.close()
        os.close(memory)
        ours.close()
        assert process.wait(LONG_S) == ENGINE_GONE


def test_it_is_asked_nothing_before_it_accepts():
    with pytest.raises(UnavailableError, match="does not accept yet"):
        IoProcess().answer("metrics", None, b"")
