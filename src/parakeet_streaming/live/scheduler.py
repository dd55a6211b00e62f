"""Streams and when their windows were complete in; the streams that share the next step out.

Rules of this file:

1. The stream whose deadline is nearest goes first. Deadlines are absolute and never move, so one
   that waits comes to stand first: no stream starves, whatever the others do.
2. A batch is bounded, in streams and in audio: a step that is too long makes all its streams late.
   Windows that end an utterance are due at once, and share no step with others, but for rule 5.
3. A stream is in at most one batch at a time, and no batch waits for a stream that is not ready. A
   batch may be held open for `hold_s` while not all streams that could join it are ready, but never
   past its first deadline.
4. There are two lanes. A window of a recording runs while no live window is ready, and only if it
   is done, by the cost model, before the next live window is expected: a chunk after the last one.
   Where it never is, recordings get a share of the time, in which a live window may have to wait,
   but not so long that it is late. A recording that has waited for long runs anyway. While a live
   stream is open, recordings go one by one; without, so many that a newcomer need not wait long.
5. Where there are ticks, for a device: a window goes at a tick, in the phase of its stream
   (`phases.py`), and with those of its kind only. One that ends an utterance goes at the next tick,
   and shares its step with them: what is small costs a device as much as what is large.
6. No clock, no thread, no tensor: times are seconds that the caller passes in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Generic, NamedTuple

from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.lanes import (
    EXPECTED_FOR_S,
    NEVER,
    Expected,
    Key,
    Lane,
    LanesByKind,
    Ready,
)
from parakeet_streaming.live.phases import Phases
from parakeet_streaming.live.ticks import Ticks

RECORDING_PATIENCE_S: Final = 2.0
"""How long a window of a recording gives way to live windows, at least."""
RECORDING_REST: Final = 3.0
"""How long recordings rest after a step that live windows may have to wait for: so many times as
long as a step of theirs takes, so that they have a quarter of the time."""
RECORDING_STEP_S: Final = 0.5
"""What steps of several recordings take at most."""


class _Later(NamedTuple):
    """A window that waits for its tick."""

    deadline_s: float
    audio_s: float
    kind: Hashable


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
        tick_s = self.limits.tick_s
        self.has_ticks = tick_s > 0
        """Whether windows go at ticks."""
        self._phases: Phases[Key] | None = Phases(tick_s) if tick_s else None
        self._live: Lane[Key] | LanesByKind[Key] = LanesByKind() if tick_s else Lane()
        self._ticks: Ticks[Key] = Ticks()
        self._later: dict[Key, _Later] = {}
        """Windows that wait for their tick."""
        self._resting: Ticks[Key] = Ticks()
        self._waiting: set[Key] = set()
        self._recordings: Lane[Key] = Lane()
        self._expected: Expected[Key] = Expected()
        self._chunks: Counter[float] = Counter()
        self._held_since_s: float | None = None
        self._live_audio_s = 0.0
        self._recorded_to_s = -NEVER
        """When the last step of recordings ends."""

    def __len__(self) -> int:
        """Streams that wait for a step."""
        return len(self._waiting)

    def __contains__(self, stream: Key) -> bool:
        """Whether a stream waits for a step."""
        return stream in self._waiting

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
        known_s: float = 0.0,
        chunk_s: float = 0.0,
        kind: Hashable = None,
        will_rest: bool = False,
    ) -> float:
        """Takes note that a stream has a window to decode; one that waits keeps its place.

        Args:
            stream: anything hashable that stands for it.
            deadline_s: when its events are due, on the caller's clock.
            audio_s: how much audio its step encodes.
            next_s: when its next window will be there; the deadline where that is not given.
            ends: whether somebody waits for the end of an utterance, which it brings.
            now_s: the time now.
            recording: whether its lane is that of recordings.
            known_s: when it was known to be complete.
            chunk_s: of its context.
            kind: of its window; those of one kind have one shape.
            will_rest: whether it will `rest` after it, so that its next window is at a tick.

        Returns:
            Its tick; 0 where there are none, and it may go at once.
        """
        if stream in self._waiting:
            return 0.0
        self._waiting.add(stream)
        if recording:
            # Recordings have no deadlines; they go in the order in which they became ready.
            self._recordings.add(stream, now_s, audio_s, now_s)
            return 0.0
        phases = self._phases
        if not will_rest:
            self._expected.expect(stream, deadline_s if next_s is None else next_s)
        if phases is None:
            if not len(self._live):
                self._held_since_s = now_s
            self._live.add(stream, deadline_s, audio_s, now_s, ends)
            return 0.0
        if ends:
            at_s = phases.next_tick_s(known_s)
        else:
            at_s = phases.goes_at_s(stream, kind, chunk_s, known_s)
        if at_s <= now_s:
            self._let_in(stream, deadline_s, audio_s, now_s, kind)
        else:
            self._ticks.set(stream, at_s)
            self._later[stream] = _Later(deadline_s, audio_s, kind)
        return at_s

    def rest(self, stream: Key, kind: Hashable, now_s: float) -> bool:
        """Lets a stream rest until its next tick, if it has one for windows of that kind.

        It is for one with which nothing can happen before, as its next window goes at that tick.
        """
        phases = self._phases
        at_s = None if phases is None else phases.next_s(stream, kind, now_s)
        if at_s is None:
            return False
        self._resting.set(stream, at_s)
        return True

    def rested(self, now_s: float) -> list[Key]:
        """The streams that have rested, as their tick has come."""
        return self._resting.due(now_s)

    def leave(self, stream: Key) -> None:
        """Forgets a stream that has ended; one that does not wait is no error."""
        self._waiting.discard(stream)
        self._live.leave(stream)
        self._recordings.leave(stream)
        self._expected.forget(stream)
        if self._phases is not None:
            self._phases.leave(stream)
            self._ticks.clear(stream)
            self._later.pop(stream, None)
            self._resting.clear(stream)

    def pick(self, now_s: float = 0.0) -> list[Key]:
        """The streams of the next step, the most urgent first; empty while none is to run."""
        self._let_go(now_s)
        if self._recording_at_s(now_s) <= now_s:
            return self._take_recordings(now_s)
        if self._live_at_s() > now_s:
            return []
        limits = self.limits
        taken = self._live.take(limits.max_streams, lambda audio_s: audio_s <= limits.max_audio_s)
        self._live_audio_s = sum([each.audio_s for each in taken])
        self._held_since_s = now_s if len(self._live) else None
        return self._taken(taken)

    def next_time(self, now_s: float) -> float | None:
        """When `pick` gives a batch if nothing else happens; None while no stream waits."""
        self._let_go(now_s)
        at_s = min(self._live_at_s(), self._recording_at_s(now_s), self._next_tick_s())
        return None if at_s == NEVER else max(now_s, at_s)

    def _let_go(self, now_s: float) -> None:
        """Windows whose tick has come are ready."""
        for stream in self._ticks.due(now_s):
            each = self._later.pop(stream)
            self._let_in(stream, each.deadline_s, each.audio_s, now_s, each.kind)

    def _let_in(
        self, stream: Key, deadline_s: float, audio_s: float, now_s: float, kind: Hashable
    ) -> None:
        if not len(self._live):
            self._held_since_s = now_s
        self._live.add(stream, deadline_s, audio_s, now_s, False, kind)

    def _next_tick_s(self) -> float:
        """When the next window's tick comes, or that of a stream that rests."""
        times = (self._ticks.next_s, self._resting.next_s)
        return min((each for each in times if each is not None), default=NEVER)

    def _live_at_s(self) -> float:
        """When the live batch may run."""
        first = self._live.first()
        if first is None or self._held_since_s is None:
            return NEVER
        if self._phases is not None:
            return self._held_since_s
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
        return self._taken(taken)

    def _taken(self, taken: Sequence[Ready[Key]]) -> list[Key]:
        streams = [each.stream for each in taken]
        self._waiting.difference_update(streams)
        return streams

    def _recording_at_s(self, now_s: float) -> float:
        """When a recording may run, if nothing else happens."""
        first = self._recordings.first()
        if first is None:
            return NEVER
        takes_s = self._predict_s(first.audio_s)
        rests_s = RECORDING_REST * takes_s
        patient_to_s = first.since_s + max(RECORDING_PATIENCE_S, rests_s)
        if len(self._live) and self._live_at_s() <= now_s:
            return patient_to_s
        if not self._chunks and not len(self._live):
            return first.since_s
        if takes_s + self._predict_s(self._live_audio_s) > self._slack_s(now_s):
            return patient_to_s
        next_live_s = min(self._expected.next_s(now_s), self._next_tick_s())
        if now_s + takes_s <= next_live_s:
            return first.since_s
        rested_s = max(first.since_s, self._recorded_to_s + rests_s)
        return min(rested_s, patient_to_s, next_live_s + EXPECTED_FOR_S)

    def _slack_s(self, now_s: float) -> float:
        """Seconds that pass until a live window is late."""
        # A window that is not ready yet is due a chunk after it is complete, so a chunk from now.
        slack_s = min(self._chunks, default=NEVER)
        live = self._live.first()
        return slack_s if live is None else min(slack_s, live.deadline_s - now_s)
