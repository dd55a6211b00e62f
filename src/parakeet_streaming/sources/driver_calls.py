"""A call of a driver in; its answer, or that it does not come back, out.

A driver may never return from a call: a USB device that hangs, a sound server that is stuck. Such a
call is made in a thread of its own, which the program can leave behind.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

OPENING_S: Final = 20.0
"""A device may take this long to wake up, as Bluetooth does."""
CLOSING_S: Final = 2.0


class DriverStuckError(Exception):
    """The driver does not come back."""


def in_time(call: Callable[[], T], limit_s: float) -> T:
    """What the call gives, or raises.

    Raises:
        DriverStuckError: it has not come back in time; it goes on in its own thread.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="driver", daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not answers:
        raise DriverStuckError
    return answers[0]


def opening(call: Callable[[], T], platform: str = sys.platform) -> T:
    """The same for opening and starting; on Windows in this thread, where its drivers want it."""
    return call() if platform == "win32" else in_time(call, OPENING_S)
