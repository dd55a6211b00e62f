"""Streams and when their windows were complete in; the streams that share the next step out.

Rules of this file:

1. The stream whose deadline is nearest goes first. Deadlines are absolute and never move, so one
   that waits comes to stand first: no stream starves, whatever the others do.
2. A batch is bounded, in streams and in audio: a step that is too long makes all its streams late.
   Windows that end an utterance are due at once, and share no step with others.
3. A stream is in at most one batch at a time, and no batch waits for a stream that is not ready. A
   batch may be held open for `hold_s` while not all streams that could join it are ready, but never
   past its first deadline.
4. There are two lanes. A window of a recording runs while no live window is ready, and only if it
   is done, by the cost model, before the next live window is expected: a chunk after the last one.
   Where it never is, recordings get a share of the time, in which a live window may have to wait,
   but not so long that it is late. A recording that has waited for long runs anyway. While a live
   stream is open, recordings go one by one; without, so many that a newcomer need not wait long.
5. No clock, no thread, no tensor: times are seconds that the caller passes in.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from parakeet_streaming.limits import (
    LEAST_SECONDS,
    MOST_STEP_AUDIO_S,
    MOST_STREAMS,
    check_number,
    check_whole,
)

Key = TypeVar("Key", bound=Hashable)

RECORDING_PATIENCE_S: Final = 2.0
"""How long a window of a recording gives way to live windows, at least."""
RECORDING_REST: Final = 3.0
"""How long recordings rest after a step that live windows may have to wait for: so many times as
long as a step of theirs takes, so that they have a quarter of the time."""
RECORDING_STEP_S: Final = 0.5
"""What steps of several recordings take at most."""
_EXPECTED_FOR_S: Final = 0.1
"""How long a live window is waited for after its time; streams that are quiet have none."""
_NEVER: Final = math.inf


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one step may hold.

    Raises:
        OptionError: a limit that would let nothing through.
    """

    max_streams: int = 32
    max_audio_s: float = 240.0
    """Seconds of audio to encode in one step, over all its streams; one stream may always go."""
    hold_s: float = 0.0
    """How long a batch waits for more streams; 0 runs what is ready at once."""

    def __post_init__(self) -> None:
        least_s = LEAST_SECONDS
        check_whole("max_streams", self.max_streams, 1, MOST_STREAMS)
        check_number("max_audio_s", self.max_audio_s, least_s, MOST_STEP_AUDIO_S, "seconds")
        check_number("hold_s", self.hold_s, 0, 1, "second")


class _Ready(NamedTuple, Generic[Key]):
    """A window; in order of deadline, and of number, which no two have."""

    deadline_s: float
    number: int
    stream: Key
    audio_s: float
    since_s: float
    ends: bool


class _Lane(Generic[Key]):
    """Windows that are ready, by deadline."""

    def __init__(self) -> None:
        self._heap: list[_Ready[Key]] = []
        self._numbers: dict[Key, int] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, stream: Key) -> bool:
        return stream in self._numbers

    def add(
        self, stream: Key, deadline_s: float, audio_s: float, now_s: float, *, ends: bool = False
    ) -> None:
        self._number += 1
        self._numbers[stream] = self._number
        heapq.heappush(self._heap, _Ready(deadline_s, self._number, stream, audio_s, now_s, ends))

    def leave(self, stream: Key) -> None:
        self._numbers.pop(stream, None)

    def first(self) -> _Ready[Key] | None:
        """The window of the nearest deadline."""
        heap, numbers = self._heap, self._numbers
        while heap and numbers.get(heap[0].stream) != heap[0].number:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def take(self, most_streams: int, fits: Callable[[float], bool]) -> list[_Ready[Key]]:
        """The windows of one step, the most urgent first: one, and more while their audio fits."""
        taken: list[_Ready[Key]] = []
        audio_s = 0.0
        while len(taken) < most_streams and (first := self.first()) is not None:
            if taken and not fits(audio_s + first.audio_s):
                break
            if taken and taken[0].ends and not first.ends:
                break
            heapq.heappop(self._heap)
            del self._numbers[first.stream]
            taken.append(first)
            audio_s += first.audio_s
        return taken


class _Expected(Generic[Key]):
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

    def forget(self, stream: Key) -> None:
        """A stream will have none."""
        self._at_s.pop(stream, None)

    def next_s(self, now_s: float) -> float:
        """When the next one comes; those that have not come for long are not waited for."""
        while self._heap:
            at_s, _, stream = self._heap[0]
            is_known = self._at_s.get(stream) == at_s
            if is_known and now_s < at_s + _EXPECTED_FOR_S:
                return at_s
            heapq.heappop(self._heap)
            if is_known:
                del self._at_s[stream]
        return _NEVER


class Scheduler(Generic[Key]):
    """Which streams run next. One instance belongs to one worker; not thread-safe."""

    def __init__(
        self,
        limits: BatchLimits | None = None,
        predict_s: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        """`predict_s`: seconds that a step of so much audio takes, for recordings."""
        self.limits = limits or BatchLimits()
        self._predict_s = predict_s
        self._live: _Lane[Key] = _Lane()
        self._recordings: _Lane[Key] = _Lane()
        self._expected: _Expected[Key] = _Expected()
        self._chunks: Counter[float] = Counter()
        self._held_since_s: float | None = None
        self._live_audio_s = 0.0
        self._recorded_to_s = -_NEVER
        """When the last step of recordings ends."""

    def __len__(self) -> int:
        """Streams that wait for a step."""
        return len(self._live) + len(self._recordings)

    def __contains__(self, stream: Key) -> bool:
        """Whether a stream waits for a step."""
        return stream in self._live or stream in self._recordings

    def opened(self, chunk_s: float) -> None:
        """A live stream of such chunks has come, or has got such chunks."""
        self._chunks[chunk_s] += 1

    def closed(self, chunk_s: float) -> None:
        """A live stream of such chunks has gone, or has got other chunks."""
        self._chunks[chunk_s] -= 1
        if self._chunks[chunk_s] <= 0:
            del self._chunks[chunk_s]

    def ready(
        self,
        stream: Key,
        *,
        deadline_s: float,
        audio_s: float,
        next_s: float | None = None,
        ends: bool = False,
        now_s: float = 0.0,
        recording: bool = False,
    ) -> None:
        """Takes note that a stream has a window to decode; one that waits keeps its place.

        Args:
            stream: anything hashable that stands for it.
            deadline_s: when its events are due, on the caller's clock.
            audio_s: how much audio its step encodes.
            next_s: when its next window will be there; the deadline where that is not given.
            ends: whether somebody waits for the end of an utterance, which it brings.
            now_s: the time now.
            recording: whether its lane is that of recordings.
        """
        if stream in self:
            return
        if recording:
            # Recordings have no deadlines; they go in the order in which they became ready.
            self._recordings.add(stream, now_s, audio_s, now_s)
            return
        if not len(self._live):
            self._held_since_s = now_s
        self._live.add(stream, deadline_s, audio_s, now_s, ends=ends)
        self._expected.expect(stream, deadline_s if next_s is None else next_s)

    def leave(self, stream: Key) -> None:
        """Forgets a stream that has ended; one that does not wait is no error."""
        self._live.leave(stream)
        self._recordings.leave(stream)
        self._expected.forget(stream)

    def pick(self, now_s: float = 0.0) -> list[Key]:
        """The streams of the next step, the most urgent first; empty while none is to run."""
        if self._recording_at_s(now_s) <= now_s:
            return self._take_recordings(now_s)
        if self._live_at_s() > now_s:
            return []
        limits = self.limits
        taken = self._live.take(limits.max_streams, lambda audio_s: audio_s <= limits.max_audio_s)
        self._live_audio_s = sum(each.audio_s for each in taken)
        self._held_since_s = now_s if len(self._live) else None
        return [each.stream for each in taken]

    def next_time(self, now_s: float) -> float | None:
        """When `pick` gives a batch if nothing else happens; None while no stream waits."""
        at_s = min(self._live_at_s(), self._recording_at_s(now_s))
        return None if at_s == _NEVER else max(now_s, at_s)

    def _live_at_s(self) -> float:
        """When the live batch may run."""
        first = self._live.first()
        if first is None or self._held_since_s is None:
            return _NEVER
        could_join = min(self.limits.max_streams, sum(self._chunks.values()))
        if len(self._live) >= could_join:
            return self._held_since_s
        return min(self._held_since_s + self.limits.hold_s, first.deadline_s)

    def _take_recordings(self, now_s: float) -> list[Key]:
        """Those of one step."""
        limits = self.limits
        most = 1 if self._chunks or len(self._live) else limits.max_streams

        def fits(audio_s: float) -> bool:
            return audio_s <= limits.max_audio_s and self._predict_s(audio_s) <= RECORDING_STEP_S

        taken = self._recordings.take(most, fits)
        self._recorded_to_s = now_s + self._predict_s(sum(each.audio_s for each in taken))
        return [each.stream for each in taken]

    def _recording_at_s(self, now_s: float) -> float:
        """When a recording may run, if nothing else happens."""
        first = self._recordings.first()
        if first is None:
            return _NEVER
        takes_s = self._predict_s(first.audio_s)
        rests_s = RECORDING_REST * takes_s
        patient_to_s = first.since_s + max(RECORDING_PATIENCE_S, rests_s)
        if len(self._live) and self._live_at_s() <= now_s:
            return patient_to_s
        if not self._chunks and not len(self._live):
            return first.since_s
        if takes_s + self._predict_s(self._live_audio_s) > self._slack_s(now_s):
            return patient_to_s
        next_live_s = self._expected.next_s(now_s)
        if now_s + takes_s <= next_live_s:
            return first.since_s
        rested_s = max(first.since_s, self._recorded_to_s + rests_s)
        return min(rested_s, patient_to_s, next_live_s + _EXPECTED_FOR_S)

    def _slack_s(self, now_s: float) -> float:
        """Seconds that pass until a live window is late."""
        # A window that is not ready yet is due a chunk after it is complete, so a chunk from now.
        slack_s = min(self._chunks, default=_NEVER)
        live = self._live.first()
        return slack_s if live is None else min(slack_s, live.deadline_s - now_s)
