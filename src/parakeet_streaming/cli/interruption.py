"""Ctrl-C, SIGTERM and SIGHUP in; a flag after the first of them, the end after the second, out.

Rules of this file:

1. The first signal asks for the end: what was received is decoded and written.
2. The second one quits at once, also while a computation outside Python runs, which no exception
   could end. A second SIGHUP does not: a terminal that is closed may send several.
3. SIGHUP that is ignored, as under nohup, stays ignored.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final, Self

CODE: Final = 130
"""Exit code of what was interrupted."""
TERMINATED: Final = 143
"""Exit code of what SIGTERM interrupted: 128 and the signal's number, as in shells."""

_QUITTING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
_HANGUP: Final = getattr(signal, "SIGHUP", None)
_UNWINDING_S: Final = 0.3
"""How long the exception of the second signal may take to end the program."""
_SHOW_CURSOR: Final = b"\x1b[?25h"


class Interruption:
    """While it is entered, the first signal sets `asked`; the second raises KeyboardInterrupt.

    So audio that was received can be decoded and written before the end, and no write is cut off.
    Does nothing outside the main thread, where Python has no signals.
    """

    def __init__(self) -> None:
        self.asked = False
        """Whether the user has asked for the end."""
        self.hung_up = False
        """Whether the terminal is gone."""
        self._count = 0
        self._before: dict[signal.Signals, Any] = {}
        self._terminals: list[int] = []

    def __enter__(self) -> Self:
        self._terminals = [number for number in (1, 2) if os.isatty(number)]
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._signalled) for each in _QUITTING}
            if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
                self._before[_HANGUP] = signal.signal(_HANGUP, self._hang_up)
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            raise KeyboardInterrupt
        self.asked = True

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self.asked = self.hung_up = True
        for terminal in self._terminals:
            if not os.isatty(terminal):
                # Writing there would fail, and what is written elsewhere would be lost with it.
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, terminal)
                os.close(nothing)


class QuitAtOnce:
    """While it is entered, a second signal ends the process even where no exception could.

    The system's own handler of a signal writes its number into a socket, whatever Python does; a
    thread reads it. It is for the program as a whole, and its main thread.
    """

    def __init__(self) -> None:
        self._handlers: dict[signal.Signals, Any] = {}
        self._entered = False
        self.code = CODE
        """Exit code of an interrupted program, by its last signal; known after the end."""

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._entered = True
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            self._handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
        self._thread = threading.Thread(target=self._watch, name="signals", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._entered:
            return
        self._entered = False
        for each, handler in self._handlers.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(self._before)
        self._writer.close()
        self._thread.join(2 * _UNWINDING_S)
        self._reader.close()

    def _watch(self) -> None:
        count = 0
        while numbers := self._reader.recv(64):
            quitting = [number for number in numbers if number in _QUITTING]
            count += len(quitting)
            if quitting:
                self.code = TERMINATED if quitting[-1] == signal.SIGTERM else CODE
            if count >= 2:
                self._end()
                return

    def _end(self) -> None:
        end_s = time.monotonic() + _UNWINDING_S
        while self._entered:
            if time.monotonic() >= end_s:
                _show_cursor()
                os._exit(self.code)
            time.sleep(0.01)


def _show_cursor() -> None:
    """A display that cannot end its work has hidden it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            if os.isatty(stream.fileno()):
                os.write(stream.fileno(), _SHOW_CURSOR)
