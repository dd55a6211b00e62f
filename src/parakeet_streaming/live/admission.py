"""What measured steps took and what streams need in; which streams are let in, and the load, out.

Rules of this file:

1. What a step costs is learnt from measured steps (`step_costs.py`), and how much of its full cost
   a stream uses from what it was seen to use (`demand.py`).
2. N streams share steps as well as they can: k = min(N, the most streams of a step) in each. So
   the load, the part of the time that steps take, is

   ```
   (fixed / k + per stream) × Σ(steps per second)
       + per audio × Σ(seconds of audio encoded per second) + VAD × N
   ```

3. Load means one thing: that of all streams, each with its longest chunk. An engine is full when it
   would be more than `MOST_LOAD`, or, where a number of streams is given, with that number: it
   decides alone then. A full engine refuses at once: a stream that could not be carried would make
   all others late.
4. Recordings run in what time is left, so they are no part of the load. They have a bound of their
   own.
5. Each call costs the same, however many streams are in: sums are kept, and made anew from time to
   time so that rounding cannot add up.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.demand import FULL, Newcomers, Part, StreamCost, Use
from parakeet_streaming.live.step_costs import CostModel

Key = TypeVar("Key", bound=Hashable)

Lane = Literal["live", "recording"]

MOST_LOAD: Final = 0.9
"""Part of the time that steps may take before new streams are refused; the rest is for bursts."""
MOST_RECORDINGS: Final = 4
_FORGETTING: Final = 0.95
_CHANGES_TO_REFRESH: Final = 1_000
"""And as many of each stream as `_OF_EACH`."""
_OF_EACH: Final = 8


@dataclass(slots=True)
class _Sums:
    steps: float = 0.0
    audio_s: float = 0.0

    def add(self, cost: StreamCost, sign: int = 1) -> None:
        self.steps += sign * cost.steps
        self.audio_s += sign * cost.audio_s

    def change(self, cost: StreamCost, before: Part, after: Part) -> None:
        """One that was counted as a part of that cost is counted as another part."""
        self.steps += cost.steps * (after.steps - before.steps)
        self.audio_s += cost.audio_s * (after.audio - before.audio)


@dataclass(slots=True)
class _Demand:
    """Of all streams: what those use that are known, and the full cost of those that are new."""

    known: _Sums = field(default_factory=_Sums)
    new: _Sums = field(default_factory=_Sums)

    def of(self, expected: Part) -> StreamCost:
        """In all, where each new stream uses that part."""
        new = StreamCost(self.new.steps, self.new.audio_s).part(expected)
        return StreamCost(self.known.steps + new.steps, self.known.audio_s + new.audio_s)


@dataclass(slots=True)
class _Stream:
    cost: StreamCost
    least: StreamCost
    use: Use

    @property
    def is_new(self) -> bool:
        return self.use.new_s > 0

    @property
    def part(self) -> Part:
        """What of its cost it is counted as, before what is expected of new ones."""
        return FULL if self.is_new else self.use.part


class Admission(Generic[Key]):
    """Which streams are in, and whether one more can be carried. Not thread-safe."""

    def __init__(
        self,
        most_streams: int | None = None,
        *,
        most_recordings: int = MOST_RECORDINGS,
        most_load: float = MOST_LOAD,
        batch_streams: int = 32,
    ) -> None:
        """`most_streams` is a fixed bound; `most_load` one by what steps were seen to cost."""
        self.most_streams = most_streams
        self.most_recordings = most_recordings
        self.most_load = most_load
        self._costs = CostModel()
        self._batch_streams = batch_streams
        self._vad_time_s = self._vad_audio_s = 0.0
        self._streams: dict[Key, _Stream] = {}
        self._recordings: set[Key] = set()
        self._newcomers = Newcomers()
        self._new = 0
        self._now = _Demand()
        self._least = _Demand()
        self._changes = 0

    def __len__(self) -> int:
        """Live streams that are in."""
        return len(self._streams)

    def __contains__(self, stream: Key) -> bool:
        """Whether a stream, live or a recording, is in."""
        return stream in self._streams or stream in self._recordings

    @property
    def load(self) -> float:
        """Part of the time that all streams take, each with its longest chunk, as measured."""
        newcomers = self._newcomers
        return self._load(self._least.of(newcomers.counted(self._new)), len(self))

    def bound_met(self, lane: Lane) -> Literal["streams", "recordings", "load"]:
        """Which bound a refusal just now was for."""
        if lane == "recording":
            return "recordings"
        full = self.most_streams is not None and len(self) >= self.most_streams
        return "streams" if full else "load"

    def admit(
        self,
        stream: Key,
        cost: StreamCost,
        least: StreamCost | None = None,
        new_s: float = 0.0,
        instead_of: Key | None = None,
    ) -> None:
        """Lets a live stream in.

        Args:
            stream: anything hashable that stands for it.
            cost: what it asks for.
            least: the same with the longest chunk it may be given; None for one that keeps its
                chunk.
            new_s: seconds of audio until its windows are full.
            instead_of: a live stream, if it is still in, that gives its place to this one.

        Raises:
            CapacityError: the engine is full; nothing has changed.
        """
        if instead_of is None or instead_of not in self._streams:
            self._admit(stream, cost, least, new_s)
            return
        place = self._take_out(instead_of)
        try:
            self._admit(stream, cost, least, new_s)
        except CapacityError:
            self._enter(instead_of, place)
            raise

    def _admit(self, stream: Key, cost: StreamCost, least: StreamCost | None, new_s: float) -> None:
        if self.most_streams is not None and len(self) >= self.most_streams:
            raise CapacityError(
                f"{len(self)} of {self.most_streams} streams are open; try again later, or allow "
                "more streams"
            )
        before, streams = self.load, len(self)
        self._enter(stream, _Stream(cost, cost if least is None else least, Use(new_s)))
        after = self.load
        if self.most_streams is None and streams and after > self.most_load:
            self._take_out(stream)
            raise CapacityError(
                f"{streams} streams take {before:.1%} of the time, one more would make "
                f"it {after:.1%}, above {self.most_load:.0%}; try again later, or use a context of "
                "larger chunks"
            )

    def admit_recording(self, stream: Key) -> None:
        """Lets a recording in.

        Raises:
            CapacityError: there are as many recordings as are allowed; nothing has changed.
        """
        if len(self._recordings) >= self.most_recordings:
            raise CapacityError(
                f"{len(self._recordings)} of {self.most_recordings} recordings are being "
                "transcribed; try again later, or allow more recordings"
            )
        self._recordings.add(stream)

    def uses(self, stream: Key, cost: StreamCost) -> None:
        """A live stream that is in has changed what it asks for."""
        if stream in self._streams:
            each = self._take_out(stream)
            each.cost = cost
            self._enter(stream, each)

    def used(self, stream: Key, passed_s: float, encoded_s: float = 0.0, steps: int = 1) -> None:
        """A live stream has decoded, or passed over as quiet, `passed_s` more.

        Args:
            stream: the one that has.
            passed_s: seconds of its audio.
            encoded_s: what its steps encoded; 0 where there was none.
            steps: how many those were.
        """
        each = self._streams.get(stream)
        if each is None:
            return
        use = each.use
        was_new, before = use.is_new, each.part
        if encoded_s > 0:
            use.stepped(each.cost, encoded_s, steps)
        if use.passed(passed_s):
            self._newcomers.stayed()
        if not was_new:
            self._now.known.change(each.cost, before, part := use.part)
            self._least.known.change(each.least, before, part)
            self._changed()
        elif not use.is_new:
            self._count(each, FULL, -1, is_new=True)
            self._count(each, use.part, 1, is_new=False)
            self._changed()

    def load_with(self, stream: Key, cost: StreamCost) -> float:
        """The same with the chunks that they have now, were this stream to ask for that."""
        if stream not in self._streams:
            return self._load(self._now.of(FULL), len(self))
        each = self._streams[stream]
        before, after = each.cost.part(each.part), cost.part(each.part)
        now = self._now.of(FULL)
        asked = StreamCost(
            now.steps + after.steps - before.steps, now.audio_s + after.audio_s - before.audio_s
        )
        return self._load(asked, len(self))

    def leave(self, stream: Key) -> None:
        """A stream has gone; one that is not in is no error."""
        self._recordings.discard(stream)
        if stream in self._streams:
            new = self._new
            each = self._take_out(stream)
            use = each.use
            if use.is_new and use.passed_s > 0:
                self._newcomers.ended(use.part_alone, new)

    def measured(self, audio_s: float, took_s: float, streams: int = 1) -> None:
        """Takes note that a step of `streams` that encoded `audio_s` took `took_s`."""
        self._costs.measured(audio_s, took_s, streams)

    def step_s(self, audio_s: float) -> float:
        """Seconds that a step of so much audio will take; 0 until one was measured."""
        return self._costs.step_s(audio_s)

    def listened(self, audio_s: float, took_s: float) -> None:
        """Takes note that looking for voice in `audio_s`, of all streams, took `took_s`."""
        self._vad_time_s = _FORGETTING * self._vad_time_s + took_s
        self._vad_audio_s = _FORGETTING * self._vad_audio_s + audio_s

    def _enter(self, key: Key, stream: _Stream) -> None:
        self._streams[key] = stream
        self._count(stream, stream.part, 1, is_new=stream.is_new)
        self._changed()

    def _take_out(self, key: Key) -> _Stream:
        stream = self._streams.pop(key)
        self._count(stream, stream.part, -1, is_new=stream.is_new)
        if not self._streams:
            self._changes, self._new, self._now, self._least = 0, 0, _Demand(), _Demand()
        return stream

    def _changed(self) -> None:
        """Rule 5: makes the sums anew from time to time."""
        self._changes += 1
        if self._changes >= _CHANGES_TO_REFRESH + _OF_EACH * len(self._streams):
            self._changes, self._new, self._now, self._least = 0, 0, _Demand(), _Demand()
            for each in self._streams.values():
                self._count(each, each.part, 1, is_new=each.is_new)

    def _count(self, stream: _Stream, part: Part, sign: int, *, is_new: bool) -> None:
        self._new += sign * is_new
        for demand, cost in ((self._now, stream.cost), (self._least, stream.least)):
            sums = demand.new if is_new else demand.known
            sums.add(cost.part(part), sign)

    def _load(self, asked: StreamCost, streams: int) -> float:
        shared = max(1, min(streams, self._batch_streams))
        fixed_s, per_stream_s, per_audio_s = self._costs.parts
        computing = (fixed_s / shared + per_stream_s) * asked.steps + per_audio_s * asked.audio_s
        vad_s = self._vad_time_s / self._vad_audio_s if self._vad_audio_s else 0.0
        return computing + vad_s * streams
