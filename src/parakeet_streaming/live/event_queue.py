"""Events of one stream from the worker in; the same events, in order, to whoever reads, out.

Rules of this file:

1. One thread writes and never waits for a reader. Any number of threads and event loops may read;
   each event goes to one of them.
2. Nothing that was recognised is dropped. Where nobody reads, steps that wait are told as one.
3. What ended the stream, if it was an error, is raised behind the last event.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import Final

from parakeet_streaming.results import Event, Partial

MOST_WAITING: Final = 1_000
"""Events that wait before partials are joined."""


class EventQueue:
    """Where a stream's events wait for their readers."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._closed = False
        self.error: BaseException | None = None
        """What ended the stream before its time."""

    def __len__(self) -> int:
        return len(self._events)

    @property
    def closed(self) -> bool:
        """Whether no more events will come; some may still wait."""
        return self._closed

    def put(self, event: Event) -> None:
        """Adds an event."""
        with self._changed:
            last = self._events[-1] if len(self._events) >= MOST_WAITING else None
            if isinstance(last, Partial) and isinstance(event, Partial):
                self._events[-1] = joined(last, event)
            else:
                self._events.append(event)
            self._wake()

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more will come; closing again changes nothing."""
        with self._changed:
            if not self._closed:
                self.error, self._closed = error, True
                self._wake()

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when there are no more.

        Raises:
            TimeoutError: none came in time.
            BaseException: what ended the stream, behind its last event.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._events or self._closed, timeout_s):
                raise TimeoutError(f"no event within {timeout_s} s")
            return self._next()

    async def get_async(self) -> Event | None:
        """As `get`, for an event loop."""
        while True:
            with self._changed:
                if self._events or self._closed:
                    return self._next()
                woken = asyncio.Event()
                sleeper = (asyncio.get_running_loop(), woken)
                self._sleepers.append(sleeper)
            try:
                await woken.wait()
            finally:
                with self._changed:
                    if sleeper in self._sleepers:
                        self._sleepers.remove(sleeper)

    def _next(self) -> Event | None:
        if self._events:
            return self._events.popleft()
        if self.error is not None:
            raise self.error
        return None

    def _wake(self) -> None:
        self._changed.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, woken in sleepers:
            # A loop that is closed has nobody left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)


def joined(first: Partial, second: Partial) -> Partial:
    """Two steps told as one."""
    return Partial(
        text=first.text + second.text,
        tokens=first.tokens + second.tokens,
        tentative_text=second.tentative_text,
        tentative=second.tentative,
        committed_s=second.committed_s,
        lookahead_end_s=second.lookahead_end_s,
    )
