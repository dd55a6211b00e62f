"""Ctrl-C and SIGTERM in; the wish to end out, first to look at, then as an exception."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While it is entered, the first signal sets `asked`; the second raises KeyboardInterrupt.

    So what is heard can be decoded and told before the end, and nothing is cut off in the middle of
    a write. Does nothing outside the main thread, where Python has no signals.
    """

    def __init__(self) -> None:
        self.asked = False
        """Whether the user wants it to end."""
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
