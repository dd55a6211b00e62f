import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.workers import workers

PROGRAM = """
import sys, time
from training.workers import workers

def slow(number):
    time.sleep(0.2)
    return number

try:
    with workers(2) as pool:
        for number in pool.map(slow, range(10_000)):
            print(number, flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def test_work_is_done():
    with workers(2) as pool:
        assert list(pool.map(abs, [-1, 2, -3])) == [1, 2, 3]


def test_what_has_not_begun_is_dropped_where_something_goes_wrong():
    began, rest = time.monotonic(), []

    def go_wrong():
        with workers(1) as pool:
            rest.extend(pool.submit(time.sleep, 0.2) for _ in range(1_000))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        go_wrong()
    assert time.monotonic() - began < 60
    assert rest[-1].cancelled()


def test_ctrl_c_ends_all_processes_without_their_tracebacks(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    started = subprocess.Popen(
        [sys.executable, str(program)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "0\n"
    os.killpg(started.pid, signal.SIGINT)
    out, error = started.communicate(timeout=60)
    assert (out.splitlines()[-1], error) == ("stopped", "")
