"""Events of one stream from the worker in; the same events, in order, to its readers, out.

Rules of this file:

1. One thread writes and never waits for a reader. Any number of threads and event loops may read;
   each event goes to one of them.
2. Nothing that was recognised is dropped. Where no reader comes, partials that wait become one.
3. If an error ended the stream, it is raised after the last event.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from parakeet_streaming.live.waiters import Waiters
from parakeet_streaming.results import Event, Partial

MOST_WAITING: Final = 1_000
"""Events that wait before partials are joined."""


class EventQueue:
    """Where a stream's events wait for their readers."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._waiters = Waiters()
        self._closed = False
        self.error: BaseException | None = None
        """What ended the stream before its time."""
        self.told_samples = 0
        """Decoded, with all events of them put in."""

    def __len__(self) -> int:
        return len(self._events)

    @property
    def closed(self) -> bool:
        """Whether no more events will come; some may still wait."""
        return self._closed

    def put(self, event: Event) -> None:
        """Adds an event."""
        with self._waiters.lock:
            last = self._events[-1] if len(self._events) >= MOST_WAITING else None
            if isinstance(last, Partial) and isinstance(event, Partial):
                self._events[-1] = joined(last, event)
            else:
                self._events.append(event)
        # Who waits has said so before it looked, under the lock.
        if self._waiters.waiting:
            self._waiters.notify()

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more will come; closing again changes nothing."""
        with self._waiters:
            if not self._closed:
                self.error, self._closed = error, True
        self._waiters.notify()

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when there are no more.

        Raises:
            TimeoutError: none came in time.
            BaseException: what ended the stream, after its last event.
        """
        found = self._waiters.wait_for(self._next, timeout_s)
        if found is None:
            raise TimeoutError(f"no event within {timeout_s} s")
        return found[0]

    async def get_async(self) -> Event | None:
        """As `get`, for an event loop."""
        return (await self._waiters.wait_for_async(self._next))[0]

    def _next(self) -> tuple[Event | None] | None:
        """The next event, or the end, in a tuple; None while there is neither."""
        if self._events:
            return (self._events.popleft(),)
        if not self._closed:
            return None
        if self.error is not None:
            raise self.error
        return (None,)


def joined(first: Partial, second: Partial) -> Partial:
    """Two partials as one; times and tentative text are those of the later."""
    return replace(second, text=first.text + second.text, tokens=first.tokens + second.tokens)
