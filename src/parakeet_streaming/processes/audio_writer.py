"""16 kHz samples of one producer in; the same samples, in shared memory, for the engine process.

Rules of this file:

1. It is `AudioQueueWriter` for a worker in another process, with its rules and its contract: one
   thread writes, nobody waits for the other side, full means "not taken" and becomes a gap.
2. Samples are stored first, then a fence, then the counter that says that they are there.
3. The worker stores `WAKE_AT`, makes a fence and looks at what was written; this side stores what
   was written, makes a fence and looks at `WAKE_AT`. So one of the two sees the other. It is the
   same, turned round, with `ASKED_FOR_ROOM` and the room.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.ports import Floats
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.audio_memory import BLOCK, AudioMemory, Blocks
from parakeet_streaming.processes.shared_memory import fence

_NS: Final = 1_000_000_000
_STAMP_SAMPLES: Final = 80


class SharedAudioWriter:
    """The producer's end of one stream."""

    def __init__(
        self,
        memory: AudioMemory,
        slot: int,
        blocks: Blocks,
        clock: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        """`wake` is called in the producer's thread when what the worker waits for has come.

        Call `begin` before anything is written: the engine says where the stream begins.
        """
        self._blocks, self._clock, self._wake = blocks, clock, wake
        found = memory.clear(slot)
        self._counters, self._numbers = found.counters, found.numbers
        self._gap_ring, self._stamp_ring = found.gaps, found.stamps
        self._samples = memory.blocks
        self._counters[at.WRITTEN_AT_NS] = round(clock() * _NS)
        self._oldest = self._newest = 0
        """Of its blocks: the first that it has, and the one after the last."""
        self._giving_back = threading.Lock()
        self.missing: Missing | None = None
        """The last gap, while no samples follow it."""
        self.received = self.available = self._stamped = 0
        self.refused = 0
        self.most_samples = 0
        self._put = 0
        self._gaps_put = self._stamps_put = 0
        self._woken_at = -1
        self.closed = False

    def begin(self, start: int, most_samples: int) -> None:
        """The engine has let the stream in, which begins at that position."""
        self.received = self.available = self._stamped = start
        self.most_samples = most_samples

    @property
    def refusing(self) -> bool:
        """Whether the worker takes nothing more."""
        return bool(self._counters[at.REFUSING])

    @property
    def room(self) -> int:
        """Samples that a write would take in full now."""
        if self.closed or self.refusing:
            return 0
        waiting = self.received - self._counters[at.POSITION]
        room = max(0, self.most_samples - waiting)
        if room > self._blocks.samples:
            self.reclaim()
            self._blocks.short = self._blocks.short or room > self._blocks.samples
            room = min(room, self._blocks.samples)
        return room

    def ask_for_room(self) -> None:
        """Wants to be told when the worker has taken something."""
        self._counters[at.ASKED_FOR_ROOM] += 1
        fence()

    def write(self, samples: Floats) -> int:
        """Takes float32 (n,) at 16 kHz; returns how many were taken. What is not is a gap."""
        count = int(samples.shape[0])
        if count == 0 or self.closed or self.refusing:
            return 0
        taken = self._fill(samples) if self._gap_is_handed_over() else 0
        if taken < count:
            self.refused += count - taken
            self._counters[at.REFUSED] = self.refused
            self._miss(self.received + taken, count - taken)
        end = self.received + count
        self._came(end)
        self.available = end if self.missing is None else self.missing.start
        self.received = end
        self._publish()
        self._wake_if_asked()
        return taken

    def miss(self, count: int) -> None:
        """Counts samples that were lost before they came here: a gap, as refused ones are."""
        if count <= 0 or self.closed or self.refusing:
            return
        self._miss(self.received, count)
        self._counters[at.WRITTEN_AT_NS] = round(self._clock() * _NS)
        self.available = self.received if self.missing is None else self.missing.start
        self.received += count
        self._publish()

    def hand_over(self) -> int:
        """Lets the worker take a gap that no samples follow yet; gives up to where it can take."""
        if self.missing is not None and self._put_gap():
            self.available = self.received
            self._publish()
            self._wake_if_asked()
        return self.available

    def close(self) -> None:
        """No more samples will come."""
        self.closed = True
        if self.missing is not None:
            self._counters[at.MISSING_START] = self.missing.start
            self._counters[at.MISSING_COUNT] = self.missing.count
        fence()
        self._counters[at.CLOSED] = 1
        self._wake()

    def free(self) -> None:
        """The stream is over, on both sides: its blocks are others'."""
        self._give_back(self._newest)

    def reclaim(self) -> None:
        """Gives back the blocks that the worker has passed. Any thread."""
        self._give_back(min(self._counters[at.SAMPLES_TAKEN] // BLOCK, self._newest))

    def _publish(self) -> None:
        fence()
        counters = self._counters
        counters[at.SAMPLES_PUT] = self._put
        counters[at.AVAILABLE], counters[at.RECEIVED] = self.available, self.received

    def _wake_if_asked(self) -> None:
        fence()
        wake_at = self._counters[at.WAKE_AT]
        if self.available >= wake_at != self._woken_at:
            self._woken_at = wake_at
            self._wake()

    def _came(self, end: int) -> None:
        """Keeps the time, where the last was kept some milliseconds of audio ago."""
        counters = self._counters
        now_ns = round(self._clock() * _NS)
        counters[at.WRITTEN_AT_NS] = now_ns
        if end - self._stamped < _STAMP_SAMPLES:
            return
        if self._stamps_put - counters[at.STAMPS_TAKEN] >= at.STAMPS:
            return
        index = 2 * (self._stamps_put % at.STAMPS)
        self._stamp_ring[index], self._stamp_ring[index + 1] = end, now_ns
        self._stamps_put += 1
        fence()
        counters[at.STAMPS_PUT] = self._stamps_put
        self._stamped = end

    def _fill(self, samples: Floats) -> int:
        free = self.most_samples - (self._put - self._counters[at.SAMPLES_TAKEN])
        wanted = max(0, min(int(samples.shape[0]), free))
        taken = 0
        while taken < wanted:
            number, offset = divmod(self._put, BLOCK)
            if number == self._newest and not self._next_block():
                break
            part = min(wanted - taken, BLOCK - offset)
            block = self._numbers[number % at.NUMBERS]
            self._samples[block, offset : offset + part] = samples[taken : taken + part]
            taken += part
            self._put += part
        held = self._put - self._counters[at.SAMPLES_TAKEN]
        self._counters[at.HIGH_WATER] = max(self._counters[at.HIGH_WATER], held)
        return taken

    def _next_block(self) -> bool:
        self.reclaim()
        block = self._blocks.take()
        if block is None:
            return False
        self._numbers[self._newest % at.NUMBERS] = block
        self._newest += 1
        return True

    def _give_back(self, end: int) -> None:
        """Its blocks before that one; one thread at a time, and no other waits for it."""
        if not self._giving_back.acquire(blocking=False):
            return
        try:
            while self._oldest < end:
                self._blocks.give_back(self._numbers[self._oldest % at.NUMBERS])
                self._oldest += 1
        finally:
            self._giving_back.release()

    def _miss(self, start: int, count: int) -> None:
        before = self.missing
        known = count if before is None else before.count + count
        self.missing = Missing(start if before is None else before.start, known)

    def _gap_is_handed_over(self) -> bool:
        """Hands over the gap before the next samples; while that cannot be, none are taken."""
        if self.missing is None:
            return True
        has_room = self._put - self._counters[at.SAMPLES_TAKEN] < self.most_samples
        return has_room and self._has_block() and self._put_gap()

    def _has_block(self) -> bool:
        """Whether the next sample has a place in memory."""
        if self._put < self._newest * BLOCK:
            return True
        self.reclaim()
        return self._blocks.samples > 0

    def _put_gap(self) -> bool:
        missing = self.missing
        if missing is None or self._gaps_put - self._counters[at.GAPS_TAKEN] >= at.GAPS:
            return False
        index = 2 * (self._gaps_put % at.GAPS)
        self._gap_ring[index], self._gap_ring[index + 1] = missing.start, missing.count
        self._gaps_put += 1
        self.missing = None
        fence()
        self._counters[at.GAPS_PUT] = self._gaps_put
        return True
