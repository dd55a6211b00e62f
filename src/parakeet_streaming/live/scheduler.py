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


class House(Generic[Key]):
    """Who is in, and whether one more can be carried."""

    def __init__(self, most_streams: int | None = None, most_load: float = MOST_LOAD) -> None:
        """`most_streams` is a fixed bound; `most_load` one by what steps were seen to cost."""
        self.most_streams = most_streams
        self.most_load = most_load
        self._audio_rates: dict[Key, float] = {}
        self._cost_s: float | None = None

    def __len__(self) -> int:
        return len(self._audio_rates)

    @property
    def load(self) -> float:
        """Part of the time that the steps of all streams take; 0 until a step was measured."""
        return (self._cost_s or 0.0) * sum(self._audio_rates.values())

    def admit(self, stream: Key, audio_rate: float) -> None:
        """Lets a stream in.

        Args:
            stream: anything hashable that stands for it.
            audio_rate: seconds of audio it has encoded per second of its own.

        Raises:
            CapacityError: the house is full; nothing has changed.
        """
        if self.most_streams is not None and len(self) >= self.most_streams:
            raise CapacityError(
                f"{len(self)} of {self.most_streams} streams are open; try again later, or allow "
                "more streams"
            )
        after = self.load + (self._cost_s or 0.0) * audio_rate
        if self._audio_rates and after > self.most_load:
            raise CapacityError(
                f"{len(self)} streams take {self.load:.0%} of the time, one more would take "
                f"{after:.0%} of it; try again later, or use a context of larger chunks"
            )
        self._audio_rates[stream] = audio_rate

    def uses(self, stream: Key, audio_rate: float) -> None:
        """A stream that is in has changed what it has encoded per second of its own."""
        if stream in self._audio_rates:
            self._audio_rates[stream] = audio_rate

    def load_with(self, stream: Key, audio_rate: float) -> float:
        """The load, were this stream to use that much."""
        return self.load + (self._cost_s or 0.0) * (audio_rate - self._audio_rates.get(stream, 0.0))

    def leave(self, stream: Key) -> None:
        """A stream has gone; one that is not in is no error."""
        self._audio_rates.pop(stream, None)

    def measured(self, audio_s: float, took_s: float) -> None:
        """Takes note that a step that encoded `audio_s` took `took_s`."""
        if audio_s <= 0:
            return
        cost_s = took_s / audio_s
        if self._cost_s is not None:
            cost_s = _FORGETTING * self._cost_s + (1 - _FORGETTING) * cost_s
        self._cost_s = cost_s
