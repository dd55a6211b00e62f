"""A table in; a thread that turns it, and sleeps while nothing has come.

The thread waits for a bell, which producers ring when they have brought what was asked for. It
asks before it waits, and looks once more after it has asked, so nothing that comes is missed. The
bell is a queue because that, unlike an event, may be rung by a finaliser within a call of its own.
"""

from __future__ import annotations

import queue
import threading

from parakeet_streaming.live.loop import StreamLoop


class Worker:
    """The one thread of an engine; it ends when the table is closed and everyone has gone."""

    def __init__(self, table: StreamLoop) -> None:
        self._table = table
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        # Not waited for when Python ends: `join` is called then, by whoever made it.
        self._thread = threading.Thread(target=self._run, name="parakeet-live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to do. Any thread."""
        if self._bell.empty():
            self._bell.put(None)

    def join(self, timeout_s: float | None = None) -> bool:
        """Waits for the thread's end; whether it has ended. The thread itself does not wait."""
        if threading.current_thread() is self._thread:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._table.over:
                if self._table.turn():
                    continue
                while not self._bell.empty():
                    self._bell.get()
                if self._table.may_wait() and not self._table.over:
                    self._bell.get()
        except BaseException as error:
            self._table.abandon(error)
            raise
