"""The two ends of a live stream that users hold: where samples go in, and where events come out.

Rules of this file:

1. What waits in a thread has a twin that waits in an event loop. The loop is never held up.
2. An event is taken from the queue in the moment in which it is handed over, with no `await`
   between the two. So a wait that is cancelled, by a timeout or by a task's end, loses no event,
   and the next wait goes on.
3. Iterators are objects, not generators: what is raised in one step, such as a timeout or Ctrl-C,
   does not end them.
"""

from __future__ import annotations

import threading
from typing import Self

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.limits import MOST_GAP_S, check_whole
from parakeet_streaming.live.callers import Callers
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.hints import StreamHints
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.results import Event


class AudioEnd:
    """Takes samples. Threads that push at once take turns; one alone knows the order."""

    _callers: Callers
    _hints: StreamHints
    _ingest: AudioIngest
    _pushing: threading.RLock
    """Held while samples are put into the ring, which never waits."""

    @property
    def room(self) -> int:
        """Samples that a push would take in full now; 0 once it takes no more."""
        return self._ingest.room

    def push(self, samples: ArrayLike) -> int:
        """Takes samples, (n,) or (n, channels), at the rate of its options. Never waits.

        Returns:
            How many were taken: all of them, but for a ring that is full, and a stream that has
            ended. What a full ring refuses is missing for good, and reported as a `Gap`; do not
            push it again. A source that can wait uses `push_waiting`, or `push_async`.

        Raises:
            AudioInputError: wrong shape or type, or NaN or infinity; nothing was taken. Samples
                whose values cannot be used are missing like refused ones, so later times stay true;
                do not push them again.
            EngineFailedError: called in a process that was forked after the engine was made.
        """
        self._callers.check_process()
        with self._pushing:
            try:
                return self._ingest.push(self._hints.look_at(samples))
            except AudioInputError as error:
                self._ingest.miss(error.unusable_samples)
                raise

    def push_gap(self, samples: int) -> None:
        """Says that so many samples were lost before they could be pushed.

        A `Gap` tells where, and later times stay true.

        Raises:
            OptionError: no number of samples, or more than of a day.
        """
        most = MOST_GAP_S * self._ingest.rate_hz
        count = check_whole("samples", samples, -most, most)
        with self._pushing:
            self._ingest.miss(count)

    def push_waiting(self, samples: ArrayLike, timeout_s: float | None = None) -> int:
        """As `push`, but waits for room where the ring is full, so that nothing is refused.

        Returns:
            How many were taken: all of them, unless the stream has ended.

        Raises:
            AudioInputError: as `push`.
            TimeoutError: there was no room for so long; the message says how many were taken.
        """
        mono, taken = as_mono(samples), 0
        while taken < len(mono):
            try:
                room = self.wait_for_room(self._next_piece(len(mono) - taken), timeout_s)
            except TimeoutError as error:
                raise TimeoutError(f"{error}; {taken} of {len(mono)} samples were taken") from None
            if room == 0:
                break
            taken += self.push(mono[taken : taken + room])
        return taken

    async def push_async(self, samples: ArrayLike) -> int:
        """As `push_waiting`, for an event loop.

        Where it is cancelled, nothing of up to a second of audio was taken, and of more than that
        what there was room for.
        """
        mono, taken = as_mono(samples), 0
        while taken < len(mono):
            room = await self.wait_for_room_async(self._next_piece(len(mono) - taken))
            if room == 0:
                break
            taken += self.push(mono[taken : taken + room])
        return taken

    def wait_for_room(self, samples: int = 1, timeout_s: float | None = None) -> int:
        """Waits until a push of so many samples, or of as many as can ever be, is taken in full.

        Returns:
            The room, in samples; 0 if the stream takes no more.

        Raises:
            TimeoutError: there was no such room in time.
            UsageError: there is no such room, and it was called in an `on_event`.
        """
        self._callers.check_process()
        if not self._callers.in_worker:
            return self._ingest.wait_for_room(samples, timeout_s)
        try:
            return self._ingest.wait_for_room(samples, 0.0)
        except TimeoutError:
            self._callers.check_may_wait("wait_for_room()")
            raise

    async def wait_for_room_async(self, samples: int = 1) -> int:
        """As `wait_for_room`, for an event loop."""
        self._callers.check_process()
        return await self._ingest.wait_for_room_async(samples)

    def _next_piece(self, left: int) -> int:
        """Samples to wait for, so that a ring is filled while it is emptied."""
        return min(left, self._ingest.rate_hz)


class EventEnd:
    """Gives events to any thread or event loop; each event goes to one of them."""

    _callers: Callers
    _events: EventQueue

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when there are no more.

        Raises:
            TimeoutError: none came in time.
            UsageError: there is none, and it was called in an `on_event`.
            BaseException: what ended the stream, after its last event.
        """
        self._callers.check_process()
        if timeout_s == 0 or not self._callers.in_worker:
            return self._events.get(timeout_s)
        try:
            return self._events.get(0)
        except TimeoutError:
            self._callers.check_may_wait("get()")
            raise

    async def get_async(self) -> Event | None:
        """As `get`, for an event loop. A wait that is cancelled or timed out loses no event."""
        self._callers.check_process()
        return await self._events.get_async()

    def __iter__(self) -> EventIterator:
        """Waits for events; ends with the stream, by an error if that ended it."""
        return EventIterator(self)

    def __aiter__(self) -> AsyncEventIterator:
        """The same for an event loop."""
        return AsyncEventIterator(self)


class EventIterator:
    """Events of a stream, in a thread."""

    def __init__(self, source: EventEnd) -> None:
        """`source` lives as long as the iterator."""
        self._source = source

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        event = self._source.get()
        if event is None:
            raise StopIteration
        return event


class AsyncEventIterator:
    """Events of a stream, in an event loop."""

    def __init__(self, source: EventEnd) -> None:
        """`source` lives as long as the iterator."""
        self._source = source

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._source.get_async()
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """Nothing to let go of; the stream goes on."""
