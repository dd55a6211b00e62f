"""Ctrl-C and SIGTERM in; a flag after the first of them, an exception after the second, out."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While it is entered, the first signal sets `asked`; the second raises KeyboardInterrupt.

    So audio that was received can be decoded and written before the end, and no write is cut off.
    Does nothing outside the main thread, where Python has no signals.
    """

    def __init__(self) -> None:
        self.asked = False
        """Whether the user has asked for the end."""
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._signalled) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
