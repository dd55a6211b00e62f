"""A driver that hangs holds up nobody."""

import threading

import pytest

from parakeet_streaming.sources.driver_calls import DriverStuckError, in_time, opening


def test_answers_and_errors_come_back():
    assert in_time(lambda: 3, 60) == 3
    assert in_time(lambda: None, 60) is None
    with pytest.raises(KeyError):
        in_time({}.popitem, 60)


def test_what_does_not_come_back_is_left_behind():
    stuck = threading.Event()
    with pytest.raises(DriverStuckError):
        in_time(lambda: stuck.wait(60), 0.01)
    stuck.set()


def test_on_windows_a_device_is_opened_where_it_was_found():
    thread = threading.get_ident()
    assert opening(threading.get_ident, "win32") == thread
    assert opening(threading.get_ident, "linux") != thread
