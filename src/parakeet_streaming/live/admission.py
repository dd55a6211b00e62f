"""What measured steps took and what streams need in; which streams are let in, and the load, out.

Rules of this file:

1. A step costs a fixed time and a time for each second of audio that it encodes. Both are learnt
   from measured steps; older steps count less and less.
2. N streams share steps as well as they can: k = min(N, the most streams of a step) in each. So
   the load, the part of the time that steps take, is

   ```
   fixed × Σ(steps per second) / k + per audio × Σ(seconds of audio encoded per second) + VAD × N
   ```

3. An engine is full when all its streams, each with its longest chunk, would take more than
   `MOST_LOAD` of the time. A full engine refuses at once: a stream that could not be carried would
   make all others late.
4. Recordings run in what time is left, so they are no part of the load. They have a bound of their
   own.
5. Each call costs the same, however many streams are in: sums are kept, and made anew from time to
   time so that rounding cannot add up.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from parakeet_streaming.errors import CapacityError

Key = TypeVar("Key", bound=Hashable)

Lane = Literal["live", "recording"]

MOST_LOAD: Final = 0.9
"""Part of the time that steps may take before new streams are refused; the rest is for bursts."""
MOST_RECORDINGS: Final = 4
_FORGETTING: Final = 0.95
_WARM_UP_WEIGHT: Final = 0.02
"""What the first step counts after the second: it may have compiled, or read pages."""
_LEAST_SPREAD: Final = 0.02
"""Relative spread of the steps' audio below which the two parts of a cost cannot be separated."""
_CHANGES_TO_REFRESH: Final = 1_000


@dataclass(frozen=True, slots=True)
class StreamCost:
    """What one stream asks for, per second of its own."""

    steps: float
    audio_s: float
    """Seconds of audio that its steps encode."""

    @property
    def chunk_s(self) -> float:
        """Seconds of its own from one step to the next."""
        return 1 / self.steps


class CostModel:
    """Seconds that a step takes: `fixed_s + per_audio_s × audio`. Not thread-safe.

    Least squares over the measured steps, each of which weighs less with every step after it.
    Neither part is ever below 0. Where all steps are alike, time is taken as proportional to audio.
    """

    def __init__(self) -> None:
        self.fixed_s = 0.0
        self.per_audio_s = 0.0
        self._steps = 0
        self._weight = self._audio = self._time = 0.0
        self._audio_squared = self._audio_time = 0.0

    def measured(self, audio_s: float, took_s: float) -> None:
        """Takes note that a step that encoded `audio_s` took `took_s`."""
        if audio_s <= 0:
            return
        self._steps += 1
        kept = _WARM_UP_WEIGHT if self._steps == 2 else _FORGETTING
        self._weight = kept * self._weight + 1
        self._audio = kept * self._audio + audio_s
        self._time = kept * self._time + took_s
        self._audio_squared = kept * self._audio_squared + audio_s * audio_s
        self._audio_time = kept * self._audio_time + audio_s * took_s
        self._solve()

    def step_s(self, audio_s: float) -> float:
        """Seconds that a step of so much audio will take; 0 until one was measured."""
        return self.fixed_s + self.per_audio_s * audio_s

    def _solve(self) -> None:
        spread = self._weight * self._audio_squared - self._audio * self._audio
        proportional = self._audio_time / self._audio_squared
        self.fixed_s, self.per_audio_s = 0.0, proportional
        if spread <= (_LEAST_SPREAD * self._audio) ** 2:
            return
        slope = (self._weight * self._audio_time - self._audio * self._time) / spread
        fixed_s = (self._time - slope * self._audio) / self._weight
        if slope < 0:
            self.fixed_s, self.per_audio_s = self._time / self._weight, 0.0
        elif fixed_s > 0:
            self.fixed_s, self.per_audio_s = fixed_s, slope


@dataclass(slots=True)
class _Sums:
    steps: float = 0.0
    audio_s: float = 0.0

    def add(self, cost: StreamCost, sign: int = 1) -> None:
        self.steps += sign * cost.steps
        self.audio_s += sign * cost.audio_s


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
        self._streams: dict[Key, tuple[StreamCost, StreamCost]] = {}
        self._recordings: set[Key] = set()
        self._now = _Sums()
        self._least = _Sums()
        self._changes = 0

    def __len__(self) -> int:
        """Live streams that are in."""
        return len(self._streams)

    @property
    def load(self) -> float:
        """Part of the time that all streams take as they are; 0 until something was measured."""
        return self._load(self._now, len(self))

    @property
    def least_load(self) -> float:
        """The same, were every stream given its longest chunk."""
        return self._load(self._least, len(self))

    def __contains__(self, stream: Key) -> bool:
        """Whether a stream, live or a recording, is in."""
        return stream in self._streams or stream in self._recordings

    def bound_met(self, lane: Lane) -> Literal["streams", "recordings", "load"]:
        """Which bound a refusal just now was for."""
        if lane == "recording":
            return "recordings"
        full = self.most_streams is not None and len(self) >= self.most_streams
        return "streams" if full else "load"

    def admit(self, stream: Key, cost: StreamCost, least: StreamCost | None = None) -> None:
        """Lets a live stream in.

        Args:
            stream: anything hashable that stands for it.
            cost: what it asks for.
            least: the same with the longest chunk it may be given; None for one that keeps its
                chunk.

        Raises:
            CapacityError: the engine is full; nothing has changed.
        """
        if self.most_streams is not None and len(self) >= self.most_streams:
            raise CapacityError(
                f"{len(self)} of {self.most_streams} streams are open; try again later, or allow "
                "more streams"
            )
        least = cost if least is None else least
        with_it = _Sums(self._least.steps + least.steps, self._least.audio_s + least.audio_s)
        after = self._load(with_it, len(self) + 1)
        if self._streams and after > self.most_load:
            raise CapacityError(
                f"{len(self)} streams take {self.least_load:.1%} of the time, one more would make "
                f"it {after:.1%}, above {self.most_load:.0%}; try again later, or use a context of "
                "larger chunks"
            )
        self._streams[stream] = (cost, least)
        self._change(cost, least)

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
            before, least = self._streams[stream]
            self._streams[stream] = (cost, least)
            self._now.add(before, -1)
            self._now.add(cost)

    def load_with(self, stream: Key, cost: StreamCost) -> float:
        """The load, were this stream, which is in, to ask for that."""
        if stream not in self._streams:
            return self.load
        before, _ = self._streams[stream]
        return self._load(
            _Sums(
                self._now.steps + cost.steps - before.steps,
                self._now.audio_s + cost.audio_s - before.audio_s,
            ),
            len(self),
        )

    def leave(self, stream: Key) -> None:
        """A stream has gone; one that is not in is no error."""
        self._recordings.discard(stream)
        if stream in self._streams:
            cost, least = self._streams.pop(stream)
            self._change(cost, least, -1)

    def measured(self, audio_s: float, took_s: float) -> None:
        """Takes note that a step that encoded `audio_s` took `took_s`."""
        self._costs.measured(audio_s, took_s)

    def step_s(self, audio_s: float) -> float:
        """Seconds that a step of so much audio will take; 0 until one was measured."""
        return self._costs.step_s(audio_s)

    def listened(self, audio_s: float, took_s: float) -> None:
        """Takes note that looking for voice in `audio_s`, of all streams, took `took_s`."""
        self._vad_time_s = _FORGETTING * self._vad_time_s + took_s
        self._vad_audio_s = _FORGETTING * self._vad_audio_s + audio_s

    def _change(self, cost: StreamCost, least: StreamCost, sign: int = 1) -> None:
        self._now.add(cost, sign)
        self._least.add(least, sign)
        self._changes += 1
        if self._changes >= _CHANGES_TO_REFRESH or not self._streams:
            self._changes, self._now, self._least = 0, _Sums(), _Sums()
            for now, longest in self._streams.values():
                self._now.add(now)
                self._least.add(longest)

    def _load(self, sums: _Sums, streams: int) -> float:
        shared = max(1, min(streams, self._batch_streams))
        computing = (
            self._costs.fixed_s * sums.steps / shared + self._costs.per_audio_s * sums.audio_s
        )
        vad_s = self._vad_time_s / self._vad_audio_s if self._vad_audio_s else 0.0
        return computing + vad_s * streams
