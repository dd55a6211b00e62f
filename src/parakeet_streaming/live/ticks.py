"""Streams and their ticks in; those whose tick has come, and the next tick, out.

Rules of this file:

1. Streams share ticks, and there are few ticks: setting and clearing costs the same however many
   streams there are. (`timers.py` is for times that no two share.)
2. A stream has one tick at most; setting it again moves it. Of one tick, which was set first comes
   first.
3. No clock: times are seconds that the caller passes in.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Ticks(Generic[Key]):
    """At which tick each stream is to be looked at. Not thread-safe."""

    def __init__(self) -> None:
        self._at_s: dict[Key, float] = {}
        self._streams: dict[float, dict[Key, None]] = {}
        self._times: list[float] = []
        """Of all ticks that have streams, as a heap; of some that have none any more, too."""

    def __len__(self) -> int:
        return len(self._at_s)

    def __contains__(self, stream: Key) -> bool:
        """Whether a stream has a tick."""
        return stream in self._at_s

    @property
    def next_s(self) -> float | None:
        """The first tick that has streams."""
        times, streams = self._times, self._streams
        while times and not streams[times[0]]:
            del streams[heapq.heappop(times)]
        return times[0] if times else None

    def set(self, stream: Key, at_s: float) -> None:
        """Sets the tick of a stream, or moves it."""
        if stream in self._at_s:
            self.clear(stream)
        self._at_s[stream] = at_s
        streams = self._streams.get(at_s)
        if streams is None:
            streams = self._streams[at_s] = {}
            heapq.heappush(self._times, at_s)
        streams[stream] = None

    def clear(self, stream: Key) -> None:
        """Forgets a stream; one that has no tick is no error."""
        at_s = self._at_s.pop(stream, None)
        if at_s is not None:
            del self._streams[at_s][stream]

    def due(self, now_s: float) -> list[Key]:
        """The streams whose tick has come, the earliest first; their ticks are then not set."""
        found: list[Key] = []
        times = self._times
        while times and times[0] <= now_s:
            found.extend(self._streams.pop(heapq.heappop(times)))
        for stream in found:
            del self._at_s[stream]
        return found
