"""Streams and when their windows were complete in; the streams that share the next step out.

Rules of this file:

1. The stream whose deadline is nearest goes first. Deadlines are absolute and never move, so one
   that waits comes to stand first: no stream starves, whatever the others do.
2. A batch is bounded, in streams and in audio: a step that is too long makes everyone late.
3. A stream is in at most one batch at a time, and nobody waits for a stream that is not ready.
4. A full house refuses at once: a stream that could not be carried would make all others late.
5. No clock, no thread, no tensor: times are seconds that the caller passes in.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from parakeet_streaming.errors import CapacityError, OptionError

Key = TypeVar("Key", bound=Hashable)

MOST_LOAD = 0.9
"""Part of the time that steps may take before new streams are refused; the rest is for bursts."""
_FORGETTING = 0.9


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one step may hold.

    Raises:
        OptionError: a limit that would let nothing through.
    """

    max_streams: int = 32
    max_audio_s: float = 240.0
    """Seconds of audio to encode in one step, over all its streams; one stream may always go."""

    def __post_init__(self) -> None:
        if self.max_streams < 1:
            raise OptionError(f"max_streams {self.max_streams}; a step needs at least 1 stream")
        if not self.max_audio_s > 0:
            raise OptionError(f"max_audio_s {self.max_audio_s}; use seconds above 0")


@dataclass(order=True, slots=True)
class _Waiting(Generic[Key]):
    deadline_s: float
    number: int
    stream: Key = field(compare=False)
    audio_s: float = field(compare=False)


class Scheduler(Generic[Key]):
    """Who runs next. One instance belongs to one worker; not thread-safe."""

    def __init__(self, limits: BatchLimits | None = None) -> None:
        self.limits = limits or BatchLimits()
        self._queue: list[_Waiting[Key]] = []
        self._waiting: dict[Key, int] = {}
        self._number = 0

    def __len__(self) -> int:
        """Streams that wait for a step."""
        return len(self._waiting)

    def ready(self, stream: Key, *, deadline_s: float, audio_s: float) -> None:
        """Takes note that a stream has a window to decode.

        Told again while it waits, it keeps its place.

        Args:
            stream: anything hashable that stands for it.
            deadline_s: when its events are due, on the caller's clock.
            audio_s: how much audio its step encodes.
        """
        if stream in self._waiting:
            return
        self._number += 1
        self._waiting[stream] = self._number
        heapq.heappush(self._queue, _Waiting(deadline_s, self._number, stream, audio_s))

    def leave(self, stream: Key) -> None:
        """Forgets a stream that has ended or vanished; one that does not wait is no error."""
        self._waiting.pop(stream, None)

    def pick(self) -> list[Key]:
        """The streams of the next step, the most urgent first; empty while none is ready."""
        picked: list[Key] = []
        audio_s = 0.0
        while self._queue and len(picked) < self.limits.max_streams:
            first = self._queue[0]
            if self._waiting.get(first.stream) == first.number:
                if picked and audio_s + first.audio_s > self.limits.max_audio_s:
                    break
                picked.append(first.stream)
                audio_s += first.audio_s
                del self._waiting[first.stream]
            heapq.heappop(self._queue)
        return picked


@dataclass(slots=True)
class _Rates:
    """Seconds of audio a stream has encoded per second of its own."""

    now: float
    least: float
    """With the largest chunk it may be given."""


class Admission(Generic[Key]):
    """Who is in, and whether one more can be carried. Not thread-safe."""

    def __init__(self, most_streams: int | None = None, most_load: float = MOST_LOAD) -> None:
        """`most_streams` is a fixed bound; `most_load` one by what steps were seen to cost."""
        self.most_streams = most_streams
        self.most_load = most_load
        self._rates: dict[Key, _Rates] = {}
        self._cost_s: float | None = None
        self._listening_s: float | None = None

    def __len__(self) -> int:
        return len(self._rates)

    @property
    def load(self) -> float:
        """Part of the time that all streams take as they are; 0 until something was measured."""
        return self._load(sum(rates.now for rates in self._rates.values()), len(self))

    @property
    def least_load(self) -> float:
        """The same, were every stream given its largest chunk."""
        return self._load(sum(rates.least for rates in self._rates.values()), len(self))

    def admit(self, stream: Key, audio_rate: float, least_rate: float | None = None) -> None:
        """Lets a stream in.

        Args:
            stream: anything hashable that stands for it.
            audio_rate: seconds of audio it has encoded per second of its own.
            least_rate: the same with the largest chunk it may be given; None for one that keeps
                its chunk.

        Raises:
            CapacityError: the house is full; nothing has changed. Full is a house whose streams
                could not all be carried even with their largest chunks.
        """
        if self.most_streams is not None and len(self) >= self.most_streams:
            raise CapacityError(
                f"{len(self)} of {self.most_streams} streams are open; try again later, or allow "
                "more streams"
            )
        least = audio_rate if least_rate is None else least_rate
        after = self.least_load + self._load(least, 1)
        if self._rates and after > self.most_load:
            raise CapacityError(
                f"{len(self)} streams take {self.least_load:.1%} of the time, one more would make "
                f"it {after:.1%}, above {self.most_load:.0%}; try again later, or use a context of "
                "larger chunks"
            )
        self._rates[stream] = _Rates(audio_rate, least)

    def uses(self, stream: Key, audio_rate: float) -> None:
        """A stream that is in has changed what it has encoded per second of its own."""
        if stream in self._rates:
            self._rates[stream].now = audio_rate

    def load_with(self, stream: Key, audio_rate: float) -> float:
        """The load, were this stream, which is in, to use that much."""
        return self.load + self._load(audio_rate - self._rates[stream].now, 0)

    def leave(self, stream: Key) -> None:
        """A stream has gone; one that is not in is no error."""
        self._rates.pop(stream, None)

    def measured(self, audio_s: float, took_s: float) -> None:
        """Takes note that a step that encoded `audio_s` took `took_s`."""
        if audio_s > 0:
            self._cost_s = _smoothed(self._cost_s, took_s / audio_s)

    def listened(self, audio_s: float, took_s: float) -> None:
        """Takes note that looking for voice in `audio_s`, of all streams, took `took_s`."""
        if audio_s > 0:
            self._listening_s = _smoothed(self._listening_s, took_s / audio_s)

    def _load(self, audio_rate: float, streams: int) -> float:
        return (self._cost_s or 0.0) * audio_rate + (self._listening_s or 0.0) * streams


def _smoothed(before: float | None, now: float) -> float:
    return now if before is None else _FORGETTING * before + (1 - _FORGETTING) * now
