"""Samples at any rate from one producer in; 16 kHz mono samples into the audio queue, out.

Rules of this file:

1. This is the edge. Samples are validated and resampled here, once, in the producer's thread;
   behind it every position is at 16 kHz.
2. One thread pushes. `finish` may come from any other thread, a finaliser included, at any moment.
3. The resampler and the queue's writer have one user at a time: the thread that holds `_busy`. No
   thread waits for it. `finish` sets `_closing` first and then tries to take `_busy`. If it can,
   no push is inside, and `finish` closes the queue. If not, a push is inside. That push reads
   `_closing` after it has released `_busy`, so after `_closing` was set, and closes the queue then.
   So the queue is closed once, after the last sample that was taken; a later push takes nothing.
4. A commit takes all that was pushed: what the resampler holds back is handed on, and a new one
   begins. It uses `_busy` as `finish` does, so no sample of a later push can come before it.
5. A gap ends the resampler, too: what comes after it is no continuation of what came before. Where
   each one began is kept for a while: a stream that goes on elsewhere begins them there, too.
6. What `push` returns adds up: all that was pushed, less what was refused at 16 kHz scaled to the
   pushed rate. A resampler gives out samples of earlier pushes, so a refusal that is larger than
   the push that met it is carried over to the next one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.resample import Resampler, fed_again, sample_at
from parakeet_streaming.live.ends import SampleSink
from parakeet_streaming.live.waiters import Waiters
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import FilterStart
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_MOST_FILTERS: Final = 64
"""Whose beginnings are kept. Each is a commit or a gap."""


class AudioIngest:
    """Where a producer's samples come in."""

    def __init__(
        self,
        queue: SampleSink,
        rate_hz: int,
        filters: Sequence[FilterStart] = (),
    ) -> None:
        """Takes samples of that rate.

        Args:
            queue: where they go.
            rate_hz: of the samples that will be pushed.
            filters: of a stream that goes on: where its resamplers began, the one that is to be fed
                again first.
        """
        self.rate_hz = rate_hz
        self._queue = queue
        start = sample_at(queue.received, rate_hz)
        first = FilterStart(start, queue.received)
        again = fed_again(filters[0], queue.received, rate_hz) if filters else None
        self._came = start if again is None else again.sample
        """Samples of the producer's, those that never came included."""
        self.filters: tuple[FilterStart, ...] = tuple(filters[:1]) or (first,)
        """Where the last resamplers began. Any thread."""
        self._known = deque(filters[1:])
        """Beginnings that come again."""
        dropped = 0 if again is None else again.dropped
        self._resampler = None if rate_hz == SAMPLE_RATE_HZ else Resampler(rate_hz, dropped=dropped)
        self._busy = threading.Lock()
        self._closing = False
        self._commits: deque[Callable[[int], None]] = deque()
        self._waiters = Waiters()
        self._resampled = 0
        """Samples given to the resampler, and samples that it gave out."""
        self._given_out = dropped
        self._reported_refused = 0

    @property
    def finished(self) -> bool:
        """Whether no more samples are taken."""
        return self._closing

    @property
    def room(self) -> int:
        """Samples at the pushed rate that a push would take in full now; 0 after the end."""
        return 0 if self._closing else self._pushed(self._queue.room)

    def push(self, samples: ArrayLike) -> int:
        """Takes samples, (n,) or (n, channels); returns how many were taken. Never waits.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
        """
        mono = as_mono(samples)
        if not self._busy.acquire(blocking=False):
            return 0
        try:
            taken = 0 if self._closing else self._put(mono)
        finally:
            self._busy.release()
        if self._commits:
            self._commit()
        if self._closing:
            self._close()
        return taken

    def miss(self, samples: int) -> None:
        """Takes note of samples, at the pushed rate, that were lost before they could be pushed."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            if not self._closing and samples > 0:
                # Of its own, so that a stream can go on within the gap.
                self._renew_filter()
                self._came += samples
                end = self._came * SAMPLE_RATE_HZ // self.rate_hz
                self._queue.miss(end - self._queue.received)
                self._renew_filter()
        finally:
            self._busy.release()
        if self._closing:
            self._close()

    def commit(self, at: Callable[[int], None]) -> None:
        """Hands on all that was pushed; `at` is told where it ends, at 16 kHz. Any thread."""
        self._commits.append(at)
        self._commit()

    def finish(self) -> None:
        """No more samples will come; what the resampler holds back is handed on. Any thread."""
        self._closing = True
        self._close()
        self.woken()

    def woken(self) -> None:
        """There is more room, or there will be none: wakes all that wait for it."""
        if self._waiters.waiting:
            self._waiters.notify()

    def wait_for_room(self, samples: int = 1, timeout_s: float | None = None) -> int:
        """Waits until `samples`, or as many as can ever be, would be taken in full.

        Returns:
            The room, at the pushed rate; 0 if the stream takes nothing more.

        Raises:
            TimeoutError: there was no such room in time.
        """
        room = self._waiters.wait_for(lambda: self._enough(samples), timeout_s)
        if room is None:
            raise TimeoutError(f"no room for {samples} samples within {timeout_s} s")
        return room

    async def wait_for_room_async(self, samples: int = 1) -> int:
        """As `wait_for_room`, for an event loop."""
        # Mostly there is room; only who has to wait joins those that do.
        room = self._enough(samples)
        if room is not None:
            return room
        return await self._waiters.wait_for_async(lambda: self._enough(samples))

    def _enough(self, samples: int) -> int | None:
        """The room if it is enough, 0 after the end, None while one has to wait."""
        if self._closing or self._queue.refusing:
            return 0
        room = self.room
        most = self._pushed(self._queue.most_samples)
        return room if room >= max(1, min(samples, most)) else None

    def _pushed(self, samples: int) -> int:
        """Samples at the pushed rate that become `samples` at 16 kHz at most."""
        if self._resampler is None:
            return samples
        # What the resampler holds back comes out with the next samples; one for rounding.
        held_back = self._resampled * SAMPLE_RATE_HZ // self.rate_hz - self._given_out
        held_back = max(0, held_back)
        return max(0, (samples - held_back - 1) * self.rate_hz // SAMPLE_RATE_HZ)

    def _put(self, mono: Floats) -> int:
        queue = self._queue
        if queue.closed or queue.refusing:
            return 0
        count = int(mono.shape[0])
        while self._known and self._known[0].sample <= self._came + mono.shape[0]:
            # Here a resampler began, the first time.
            before = max(0, self._known.popleft().sample - self._came)
            self._convert(mono[:before])
            self._renew_filter()
            mono = mono[before:]
        self._convert(mono)
        refused = queue.refused * self.rate_hz // SAMPLE_RATE_HZ - self._reported_refused
        refused = min(count, refused)
        self._reported_refused += refused
        return count - refused

    def _commit(self) -> None:
        if not self._busy.acquire(blocking=False):
            return
        try:
            while self._commits:
                self._renew_filter()
                self._commits.popleft()(self._queue.hand_over())
        finally:
            self._busy.release()

    def _convert(self, mono: Floats) -> None:
        self._came += int(mono.shape[0])
        if self._resampler is not None:
            self._resampled += int(mono.shape[0])
            mono = self._resampler.feed(mono)
            self._given_out += int(mono.shape[0])
        self._queue.write(mono)

    def _renew_filter(self) -> None:
        """Hands on what the resampler holds back; another one is for what comes next.

        One into which nothing went stays: it may have output to drop.
        """
        if self._resampler is None or self._queue.closed or self._came == self.filters[-1].sample:
            return
        held_back = self._resampler.finish()
        self._given_out += int(held_back.shape[0])
        self._queue.write(held_back)
        self._resampler = Resampler(self.rate_hz)
        start = FilterStart(self._came, self._queue.received)
        self.filters = (*self.filters[1 - _MOST_FILTERS :], start)

    def _close(self) -> None:
        if not self._busy.acquire(blocking=False):
            return
        try:
            if not self._queue.closed:
                if self._resampler is not None:
                    self._queue.write(self._resampler.finish())
                self._queue.close()
        finally:
            self._busy.release()
