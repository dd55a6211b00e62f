"""Streams and when their windows are known in; the tick at which each goes into its batch, out.

A device computes a batch of five hundred windows in little more time than one of fifty. So windows
of one kind are not taken as they come, but at ticks, and streams are spread over them.

Rules of this file:

1. Ticks have one length, which divides an encoder frame, and so every chunk. A stream with a chunk
   of K ticks has one of K *phases*: its windows go at every K-th tick.
2. A new stream gets the first phase after its window is complete that has few streams of its kind,
   or not much more than its share of them. So it waits for less than a chunk: for less than a tick
   where streams begin one by one. Where all begin at once they do not come at once, and no batch
   is much larger than the mean.
3. It keeps its phase: each of its windows waits about as long as the first. One that comes too late
   for it, so that it would have to wait anew, gets another. So does one that has waited for more
   than a tick too long, sixteen times in succession, if there is an earlier phase with room.
4. Phases do not decide what is decoded, only when. No clock: times are seconds that are passed in.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

FEW: Final = 32
"""A device takes no longer for so many windows than for one."""
_MORE: Final = 1.25
"""Times its share that a phase may have."""
_PATIENCE: Final = 16
"""Windows after which a stream that waits too long is placed anew."""
_DUST: Final = 1e-6
"""Part of a tick by which a time may miss it."""


@dataclass(slots=True)
class _Place:
    kind: Hashable
    phase: int
    """Its ticks leave this rest, divided by how many a chunk has."""
    wait: int
    """Ticks that its first window had to wait."""
    least: int
    """The least that any has waited since it was looked at."""
    windows: int = 0
    """Since then."""


class Phases(Generic[Key]):
    """At which ticks streams run. Not thread-safe."""

    def __init__(self, tick_s: float, few: int = FEW) -> None:
        """`tick_s`: seconds from one tick to the next; `few` streams may have any phase."""
        self._tick_s = tick_s
        self._few = few
        self._places: dict[Key, _Place] = {}
        self._counts: dict[Hashable, list[int]] = {}

    def __len__(self) -> int:
        """Streams that have a phase."""
        return len(self._places)

    def counts(self, kind: Hashable) -> tuple[int, ...]:
        """Streams of each phase of a kind."""
        return tuple(self._counts.get(kind, ()))

    def goes_at_s(self, stream: Key, kind: Hashable, chunk_s: float, known_s: float) -> float:
        """When a window goes into its batch.

        Args:
            stream: whose it is.
            kind: of its window: what goes into one batch.
            chunk_s: of its context; the same for all of that kind.
            known_s: when it was known to be complete.
        """
        first = math.ceil(known_s / self._tick_s - _DUST)
        place = self._places.get(stream)
        if place is None or place.kind != kind:
            self.leave(stream)
            place = self._place(stream, kind, max(1, round(chunk_s / self._tick_s)), first)
        counts = self._counts[kind]
        wait = (place.phase - first) % len(counts)
        if wait > place.wait + len(counts) // 2:
            wait = self._moved(stream, place, first)
        place.windows += 1
        place.least = min(place.least, wait)
        if place.windows >= _PATIENCE:
            wait = self._looked_at(stream, place, first, wait)
        return (first + wait) * self._tick_s

    def next_s(self, stream: Key, kind: Hashable, after_s: float) -> float | None:
        """The next tick of a stream's phase after that time; None where it has none of the kind."""
        place = self._places.get(stream)
        if place is None or place.kind != kind:
            return None
        first = math.floor(after_s / self._tick_s + _DUST) + 1
        wait = (place.phase - first) % len(self._counts[kind])
        return (first + wait) * self._tick_s

    def next_tick_s(self, at_s: float) -> float:
        """The first tick at that time, or after it."""
        return math.ceil(at_s / self._tick_s - _DUST) * self._tick_s

    def leave(self, stream: Key) -> None:
        """A stream is over; one that has no phase is no error."""
        place = self._places.pop(stream, None)
        if place is not None:
            counts = self._counts[place.kind]
            counts[place.phase] -= 1
            if not any(counts):
                del self._counts[place.kind]

    def _place(self, stream: Key, kind: Hashable, phases: int, first: int) -> _Place:
        """Gives a stream the first phase from that tick on that has room."""
        counts = self._counts.setdefault(kind, [0] * phases)
        share = math.ceil(_MORE * (sum(counts) + 1) / len(counts))
        most = max(self._few, share)
        wait = next(
            each for each in range(len(counts)) if counts[(first + each) % len(counts)] < most
        )
        phase = (first + wait) % len(counts)
        counts[phase] += 1
        place = self._places[stream] = _Place(kind, phase, wait, wait)
        return place

    def _moved(self, stream: Key, place: _Place, first: int) -> int:
        """Places it anew; how many ticks it waits there."""
        phases = len(self._counts[place.kind])
        self.leave(stream)
        moved = self._place(stream, place.kind, phases, first)
        place.phase, place.wait, place.least = moved.phase, moved.wait, moved.least
        self._places[stream] = place
        return place.wait

    def _looked_at(self, stream: Key, place: _Place, first: int, wait: int) -> int:
        """Rule 3: places one anew that always waits; how many ticks this window does."""
        least, place.windows, place.least = place.least, 0, wait
        return self._moved(stream, place, first) if least > 1 else wait
