"""Windows that are ready, or expected, in; the most urgent ones, and when the next comes, out.

Rules of this file:

1. The nearest deadline goes first; of equal ones that which came first. Adding and taking cost the
   logarithm of how many there are.
2. What was moved or has left stays in its heap until it comes up, and is dropped there. A heap that
   nobody asks is made anew before it is several times as large as what counts.
3. No clock: times are seconds that the caller passes in.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Hashable
from typing import Final, Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

EXPECTED_FOR_S: Final = 0.1
"""How long a live window is waited for after its time; streams that are quiet have none."""
NEVER: Final = math.inf
_MOST_OF_EACH: Final = 4
_MOST_OLD: Final = 64


class Ready(NamedTuple, Generic[Key]):
    """A window; in order of deadline, and of number, which no two have."""

    deadline_s: float
    number: int
    stream: Key
    audio_s: float
    since_s: float
    ends: bool


class Lane(Generic[Key]):
    """Windows that are ready, by deadline."""

    def __init__(self) -> None:
        self._heap: list[Ready[Key]] = []
        self._numbers: dict[Key, int] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, stream: Key) -> bool:
        return stream in self._numbers

    def add(
        self,
        stream: Key,
        deadline_s: float,
        audio_s: float,
        now_s: float,
        ends: bool = False,
        kind: Hashable = None,
    ) -> None:
        """A stream has one. Of whatever kind."""
        self._number = number = self._number + 1
        self._numbers[stream] = number
        ready = Ready(deadline_s, number, stream, audio_s, now_s, ends)
        heapq.heappush(self._heap, ready)

    def leave(self, stream: Key) -> None:
        """A stream is over; one that has none is no error."""
        self._numbers.pop(stream, None)

    def first(self) -> Ready[Key] | None:
        """The window of the nearest deadline."""
        heap, numbers = self._heap, self._numbers
        while heap and numbers.get(heap[0].stream) != heap[0].number:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def take(self, most_streams: int, fits: Callable[[float], bool]) -> list[Ready[Key]]:
        """The windows of one step, the most urgent first: one, and more while their audio fits."""
        taken: list[Ready[Key]] = []
        heap, numbers, audio_s = self._heap, self._numbers, 0.0
        while heap and len(taken) < most_streams:
            first = heap[0]
            if numbers.get(first.stream) != first.number:
                heapq.heappop(heap)
                continue
            if taken and not fits(audio_s + first.audio_s):
                break
            if taken and taken[0].ends and not first.ends:
                break
            heapq.heappop(heap)
            del numbers[first.stream]
            taken.append(first)
            audio_s += first.audio_s
        return taken


class LanesByKind(Generic[Key]):
    """The same, where a step takes windows of one kind only: a lane for each."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, Lane[Key]] = {}
        self._kinds: dict[Key, Hashable] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    def __contains__(self, stream: Key) -> bool:
        return stream in self._kinds

    def add(
        self,
        stream: Key,
        deadline_s: float,
        audio_s: float,
        now_s: float,
        ends: bool = False,
        kind: Hashable = None,
    ) -> None:
        """A stream has one."""
        lane = self._lanes.get(kind)
        if lane is None:
            lane = self._lanes[kind] = Lane()
        lane.add(stream, deadline_s, audio_s, now_s, ends)
        self._kinds[stream] = kind

    def leave(self, stream: Key) -> None:
        """A stream is over; one that has none is no error."""
        if stream in self._kinds:
            kind = self._kinds.pop(stream)
            lane = self._lanes[kind]
            lane.leave(stream)
            if not len(lane):
                del self._lanes[kind]

    def first(self) -> Ready[Key] | None:
        """The window of the nearest deadline."""
        firsts = [first for lane in self._lanes.values() if (first := lane.first()) is not None]
        return min(firsts, key=_deadline, default=None)

    def take(self, most_streams: int, fits: Callable[[float], bool]) -> list[Ready[Key]]:
        """The windows of one step, all of the kind of the most urgent one."""
        first = self.first()
        if first is None:
            return []
        kind = self._kinds[first.stream]
        lane = self._lanes[kind]
        taken = lane.take(most_streams, fits)
        for each in taken:
            del self._kinds[each.stream]
        if not len(lane):
            del self._lanes[kind]
        return taken


class Expected(Generic[Key]):
    """When streams will have their next windows."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._at_s: dict[Key, float] = {}
        self._number = 0

    def expect(self, stream: Key, at_s: float) -> None:
        """A stream will have one at that time."""
        self._number += 1
        self._at_s[stream] = at_s
        heapq.heappush(self._heap, (at_s, self._number, stream))
        if len(self._heap) > _MOST_OF_EACH * len(self._at_s) + _MOST_OLD:
            self._heap = [each for each in self._heap if self._at_s.get(each[2]) == each[0]]
            heapq.heapify(self._heap)

    def forget(self, stream: Key) -> None:
        """A stream will have none."""
        self._at_s.pop(stream, None)

    def next_s(self, now_s: float) -> float:
        """When the next one comes; those that have not come for long are not waited for."""
        while self._heap:
            at_s, _, stream = self._heap[0]
            is_known = self._at_s.get(stream) == at_s
            if is_known and now_s < at_s + EXPECTED_FOR_S:
                return at_s
            heapq.heappop(self._heap)
            if is_known:
                del self._at_s[stream]
        return NEVER


def _deadline(ready: Ready[Key]) -> float:
    return ready.deadline_s
