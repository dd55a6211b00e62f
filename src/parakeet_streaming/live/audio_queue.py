"""16 kHz samples of one producer in; the same samples, gaps and times of arrival out to the worker.

Rules of this file:

1. One thread writes, one thread (the worker) takes. Neither waits for the other. Samples go through
   lock-free rings; rings, gaps and times go through a `deque`, whose `append` and `popleft` are
   atomic.
2. A ring that is full is followed by a larger one, up to a bound. Beyond it samples are refused,
   and the place and length of what is missing travel with the audio as a gap.
3. Positions count samples at 16 kHz, those that were refused included: they are the stream's time.
4. Only the writer stores what the writer counts, and only the reader what the reader counts.
   `wake_at` and `refusing` belong to the reader, though they lie in the writer.
5. The worker sets `wake_at` first and looks at what was written after that; the writer writes first
   and looks at `wake_at` after that. So one of the two sees the other, and no wake-up is lost.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.audio.ring import SampleReader, sample_ring
from parakeet_streaming.ports import Floats

_NEVER: Final = sys.maxsize
_MOST_STAMPS: Final = 4_096
_MOST_GAPS: Final = 64


@dataclass(frozen=True, slots=True)
class Missing:
    """Samples that were refused."""

    start: int
    count: int


class AudioQueueWriter:
    """The producer's end."""

    def __init__(
        self,
        capacity: int,
        most_samples: int,
        clock: Callable[[], float],
        wake: Callable[[], None],
        *,
        stamp_every: int = 1,
        start: int = 0,
    ) -> None:
        """Rings of `capacity` samples to begin with, and of `most_samples` at most.

        `wake` is called in the producer's thread when what the worker waits for has come. So many
        samples as `stamp_every` share one time of arrival. `start`: position of the first sample.
        """
        self.received = start
        """Position after the last sample that was written, refused ones included."""
        self.available = start
        """Position up to which the worker can take: without a gap that no samples follow yet."""
        self.refused = 0
        """Samples refused so far."""
        self.closed = False
        self.refusing = False
        """Whether the worker takes nothing more; the worker's own."""
        self.wake_at = start
        """Position at which the worker wants to be woken; the worker's own."""
        self.written_at_s = clock()
        """When the last samples came, or when the queue was made."""
        self.most_samples = max(capacity, most_samples)
        self.missing: Missing | None = None
        """The last gap, while no samples follow it."""
        self._clock, self._wake = clock, wake
        self._stamp_every, self._stamped = stamp_every, start
        self._woken_at = -1
        self._writer, ring = sample_ring(capacity)
        self._high_water = 0
        self._rings: deque[SampleReader] = deque()
        self._gaps: deque[Missing] = deque()
        self._stamps: deque[tuple[int, float]] = deque()
        self.reader = AudioQueueReader(self, ring, self._rings, self._gaps, self._stamps)

    @property
    def capacity(self) -> int:
        """Samples that the ring in use holds."""
        return self._writer.capacity

    @property
    def occupancy(self) -> int:
        """Samples in the ring in use."""
        return self._writer.occupancy

    @property
    def high_water(self) -> int:
        """The most samples that a ring of this queue has held."""
        return max(self._high_water, self._writer.high_water)

    @property
    def room(self) -> int:
        """Samples that a write would take in full now; the worker can only add to them."""
        if self.closed or self.refusing:
            return 0
        return max(0, self.most_samples - self.reader.waiting)

    def write(self, samples: Floats) -> int:
        """Takes float32 (n,) at 16 kHz; returns how many were taken. What is not is a gap."""
        count = samples.shape[0]
        if count == 0 or self.closed or self.refusing:
            return 0
        taken = self._fill(samples) if self._gap_is_handed_over() else 0
        if taken < count:
            self.refused += count - taken
            self._miss(self.received + taken, count - taken)
        self.written_at_s = self._clock()
        end = self.received + count
        if end - self._stamped >= self._stamp_every and len(self._stamps) < _MOST_STAMPS:
            self._stamps.append((end, self.written_at_s))
            self._stamped = end
        self.available = end if self.missing is None else self.missing.start
        self.received = end
        self._wake_if_asked()
        return taken

    def miss(self, count: int) -> None:
        """Counts samples that were lost before they came here: a gap, as refused ones are."""
        if count <= 0 or self.closed or self.refusing:
            return
        self._miss(self.received, count)
        self.written_at_s = self._clock()
        self.available = self.received if self.missing is None else self.missing.start
        self.received += count

    def hand_over(self) -> int:
        """Lets the worker take a gap that no samples follow yet; returns up to where it can take.

        That is all that was received, but for a gap that comes after too many others.
        """
        if self.missing is not None and len(self._gaps) < _MOST_GAPS:
            self._gaps.append(self.missing)
            self.missing = None
            self.available = self.received
            self._wake_if_asked()
        return self.available

    def close(self) -> None:
        """No more samples will come."""
        self.closed = True
        self._wake()

    def _wake_if_asked(self) -> None:
        wake_at = self.wake_at
        # Once for each position that was asked for.
        if self.available >= wake_at != self._woken_at:
            self._woken_at = wake_at
            self._wake()

    def _fill(self, samples: Floats) -> int:
        taken = self._writer.write(samples)
        rest = samples[taken:]
        if rest.shape[0] and self.capacity < self.most_samples:
            size = min(self.most_samples, max(2 * self.capacity, 2 * rest.shape[0]))
            writer, ring = sample_ring(size)
            self._rings.append(ring)
            self._writer.close()
            self._high_water = self.high_water
            self._writer = writer
            taken += writer.write(rest)
        return taken

    def _miss(self, start: int, count: int) -> None:
        before = self.missing
        known = count if before is None else before.count + count
        self.missing = Missing(start if before is None else before.start, known)

    def _gap_is_handed_over(self) -> bool:
        """Hands over the gap before the next samples; while that cannot be, none are taken.

        Nor are they where there was no room when it was looked, and the worker has made some since.
        """
        if self.missing is None:
            return True
        if not self._has_room or len(self._gaps) >= _MOST_GAPS:
            return False
        self._gaps.append(self.missing)
        self.missing = None
        return True

    @property
    def _has_room(self) -> bool:
        """Whether a sample could be taken: in the ring in use, or in a larger one after it."""
        return self._writer.occupancy < self.capacity or self.capacity < self.most_samples


class AudioQueueReader:
    """The worker's end."""

    def __init__(
        self,
        writer: AudioQueueWriter,
        ring: SampleReader,
        rings: deque[SampleReader],
        gaps: deque[Missing],
        stamps: deque[tuple[int, float]],
    ) -> None:
        self._writer = writer
        self._ring = ring
        self._rings = rings
        self._gaps = gaps
        self._gap: Missing | None = None
        self._stamps = stamps
        self._last_s = 0.0
        self.position = writer.received
        """Position after the last sample that was taken, gaps included."""

    @property
    def ended(self) -> bool:
        """Whether the producer is done and everything was taken."""
        writer = self._writer
        return writer.closed and self.position >= writer.received

    @property
    def waiting(self) -> int:
        """Samples, gaps included, that were received and not taken yet."""
        return self._writer.received - self.position

    @property
    def written_at_s(self) -> float:
        """When the last samples came, taken or not."""
        return self._writer.written_at_s

    @property
    def wake_is_due(self) -> bool:
        """Whether what the worker waits for is there."""
        writer = self._writer
        if writer.closed:
            return writer.wake_at != _NEVER and not self.ended
        return writer.available >= writer.wake_at

    def take(self, most_samples: int, to: Callable[[Floats], None]) -> int | Missing:
        """What comes next: a gap, or how many samples it gave to `to`, float32 (n,); 0 for none.

        Those that it gives, `most_samples` at most, are overwritten afterwards: `to` must copy
        them. They lie in rings, so there may be more after them.
        """
        if most_samples <= 0:
            return 0
        while True:
            # Loaded before the gaps: a gap is handed over before the samples after it.
            here = min(self._ring.occupancy, most_samples)
            gap = self._next_gap() if self._gap or self._gaps or self._writer.closed else None
            if gap is not None and gap.start <= self.position:
                self.position += gap.count
                self._gap = None
                return gap
            if gap is not None:
                here = min(here, gap.start - self.position)
            if here:
                self._ring.read_to(to, here)
                self.position += here
                return here
            if not self._moved_on():
                return 0

    def wake_after(self, samples: int | None) -> None:
        """Asks to be woken when so many samples more are available; None: not before the end."""
        at = _NEVER if samples is None else self.position + (samples if samples > 1 else 1)
        self._writer.wake_at = at

    def refuse(self) -> None:
        """Takes nothing more, whatever is written."""
        self._writer.refusing = True

    def arrived_s(self, position: int) -> float:
        """When the sample before `position` came, on the producer's clock.

        Positions must not fall from call to call; what lies before one is forgotten.
        """
        stamps = self._stamps
        while stamps and stamps[0][0] < position:
            _, self._last_s = stamps.popleft()
        return stamps[0][1] if stamps else self._last_s

    def _next_gap(self) -> Missing | None:
        if self._gap is None and self._gaps:
            self._gap = self._gaps.popleft()
        if self._gap is None and self._writer.closed and self.position < self._writer.received:
            last = self._writer.missing
            if last is not None and last.start == self.position:
                return last
        return self._gap

    def _moved_on(self) -> bool:
        """Whether a larger ring follows the one that is drained."""
        if not self._ring.ended or not self._rings:
            return False
        self._ring = self._rings.popleft()
        return True
