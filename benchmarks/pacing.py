"""Streams in, and a clock; what became of each of their chunks out, when samples come as spoken.

Rules of this file:

1. Audio comes on an absolute clock. Stream s begins at its own offset within a chunk, and its
   sample i arrives at offset + i / 16000, in whole packets of 20 ms, whether anybody is ready for
   it or not.
2. One thread does everything: it takes what has arrived, asks the scheduler who goes next, and
   runs one step of those. There is no other clock than the one passed in.
3. The lateness of a chunk is the time at which its events are there, less the time at which the
   last sample of its chunk + right context was spoken. That the packet is not full yet, that the
   engine is busy with others and that a step takes time all count against it. With lateness L, the
   first sample of the chunk has its text after chunk + right + L seconds. A chunk is in time with
   a lateness of `ALLOWED_S` at most.
4. Chunks count from the moment that the stream's left context is full, and until the trial ends;
   one that should have been there by then and is not counts as late.
"""

from __future__ import annotations

import heapq
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Recognizer, Stream
from parakeet_streaming.live.scheduler import BatchLimits, Scheduler
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds
from speech import looped

ALLOWED_S: Final = 0.5
IN_TIME_SHARE: Final = 0.99
"""Of a stream's chunks that must be in time for it to count as carried."""
PACKET_SAMPLES: Final = SAMPLE_RATE_HZ // 50

_APART_S = 3.7
"""What one stream hears, another hears this much later in the book."""


class Clock(Protocol):
    """What tells the time in seconds, and waits: not at all for a moment that has passed."""

    def now(self) -> float: ...

    def wait_until(self, when_s: float) -> None: ...


class RealClock:
    """The machine's."""

    def now(self) -> float:
        return time.perf_counter()

    def wait_until(self, when_s: float) -> None:
        time.sleep(max(0.0, when_s - self.now()))


@dataclass
class Voice:
    """Somebody who reads from a book, in real time."""

    starts_s: float
    """When the first sample is spoken."""
    book_start: int
    """Sample of the book with which it begins."""
    pushed: int = field(default=0, kw_only=True)
    """Samples that were taken from it."""

    @property
    def next_packet_s(self) -> float:
        """When the next packet arrives."""
        return self.starts_s + samples_to_seconds(self.pushed + PACKET_SAMPLES)

    def arrived(self, now_s: float) -> int:
        """Samples that have arrived, in whole packets."""
        # A moment computed from a number of packets must give that number back.
        packets = math.floor((now_s - self.starts_s) * SAMPLE_RATE_HZ / PACKET_SAMPLES + 1e-6)
        return max(0, packets) * PACKET_SAMPLES

    def take(self, book: NDArray[np.float32], now_s: float) -> NDArray[np.float32]:
        """What has arrived of the book (n,) at 16 kHz since it was last asked, (m,)."""
        start, count = self.book_start + self.pushed, max(0, self.arrived(now_s) - self.pushed)
        self.pushed += count
        return looped(book, start, count)


@dataclass
class Speaker(Voice):
    """One stream, when it hears what, and how late its chunks were."""

    stream: Stream
    late_s: list[float] = field(default_factory=list)
    """Of the chunks that count, in order."""
    chunks: int = 0

    def spoken_s(self, chunk: int) -> float:
        """When the last sample of a chunk and its right context was spoken."""
        context = self.stream.context
        behind = (chunk + 1) * context.samples.chunk + context.samples.right
        return self.starts_s + samples_to_seconds(behind)

    def complete_s(self, chunk: int) -> float:
        """When the packet arrives with which the window of a chunk is complete.

        A window needs one sample beyond its right context.
        """
        context = self.stream.context
        needed = (chunk + 1) * context.samples.chunk + context.samples.right + 1
        packets = math.ceil(needed / PACKET_SAMPLES)
        return self.starts_s + samples_to_seconds(packets * PACKET_SAMPLES)

    def decoded(self, now_s: float) -> None:
        """The next chunk has its events, or is given up."""
        context = self.stream.context
        if self.chunks > context.frames.left / context.frames.chunk:
            self.late_s.append(now_s - self.spoken_s(self.chunks))
        self.chunks += 1

    def miss_until(self, now_s: float) -> None:
        """Gives up the chunks that should have been there by now."""
        while self.spoken_s(self.chunks) + ALLOWED_S <= now_s:
            self.decoded(now_s)

    @property
    def in_time(self) -> float:
        """Share of the chunks that were; 1 where none counts yet."""
        if not self.late_s:
            return 1.0
        return sum(late <= ALLOWED_S for late in self.late_s) / len(self.late_s)


@dataclass(frozen=True)
class Trial:
    """What became of some streams."""

    speakers: tuple[Speaker, ...]
    took_s: float
    """From the first sample to the end of the trial."""
    busy_s: float
    """Of which the thread was in steps."""
    batches: tuple[int, ...]
    """Streams of each step."""

    @property
    def carried(self) -> int:
        """Streams of which enough chunks were in time."""
        return sum(speaker.in_time >= IN_TIME_SHARE for speaker in self.speakers)

    @property
    def late_s(self) -> list[float]:
        """Of all chunks that count, sorted."""
        return sorted(late for speaker in self.speakers for late in speaker.late_s)


@dataclass(frozen=True)
class Course:
    """What every trial has in common."""

    recognizer: Recognizer
    context: ContextConfig
    cached: bool
    book: NDArray[np.float32]
    """(n,) at 16 kHz, heard over and over."""
    limits: BatchLimits
    seed: int
    """Of the offsets."""

    @property
    def step_audio_s(self) -> float:
        """Seconds of audio that one step of one stream encodes."""
        known = self.context.samples.left if self.cached else 0
        return samples_to_seconds(self.context.samples.window - known)


def warm_up_s(context: ContextConfig) -> float:
    """From a stream's first sample to the first chunk that counts, at most."""
    chunks = math.ceil(context.frames.left / context.frames.chunk) + 3
    return samples_to_seconds(chunks * context.samples.chunk + context.samples.right)


def carry(course: Course, streams: int, trial_s: float, clock: Clock) -> Trial:
    """Lets `streams` people speak until `trial_s` behind the warm-up, and listens to them."""
    speakers = _speakers(course, streams, clock.now())
    engine = _Engine(course, speakers, clock)
    started_s = clock.now()
    ends_s = started_s + warm_up_s(course.context) + trial_s
    engine.run(ends_s, int(trial_s / course.context.effective[1]))
    for speaker in speakers:
        speaker.miss_until(clock.now())
    took_s = clock.now() - started_s
    return Trial(tuple(speakers), took_s, engine.busy_s, tuple(engine.batches))


def voices(streams: int, starts_s: float, chunk_s: float, seed: int) -> list[Voice]:
    """Some that begin at random moments, one in each part of a chunk, and read different things."""
    drawn = random.Random(seed)
    apart = round(_APART_S * SAMPLE_RATE_HZ)
    return [
        Voice(starts_s + (each + drawn.random()) / streams * chunk_s, each * apart)
        for each in range(streams)
    ]


def _speakers(course: Course, streams: int, starts_s: float) -> list[Speaker]:
    return [
        Speaker(
            voice.starts_s,
            voice.book_start,
            course.recognizer.stream(course.context, cached=course.cached),
        )
        for voice in voices(streams, starts_s, course.context.effective[1], course.seed)
    ]


class _Engine:
    """The one thread."""

    def __init__(self, course: Course, speakers: Sequence[Speaker], clock: Clock) -> None:
        self.busy_s = 0.0
        self.batches: list[int] = []
        self._course = course
        self._speakers = speakers
        self._clock = clock
        self._scheduler: Scheduler[int] = Scheduler(course.limits)
        # When the next window of a stream is complete, and whose.
        self._coming = [(each.complete_s(0), at) for at, each in enumerate(speakers)]
        heapq.heapify(self._coming)

    def run(self, ends_s: float, chunks: int) -> None:
        """Until the end, or until a stream has missed more than it may of `chunks`."""
        may_miss = math.floor((1 - IN_TIME_SHARE) * chunks)
        while self._clock.now() < ends_s:
            self._take()
            picked = self._scheduler.pick()
            if not picked:
                self._clock.wait_until(min(self._coming[0][0], ends_s))
            elif not self._step(picked, may_miss):
                return

    def _take(self) -> None:
        """Feeds every stream whose next window is complete, and tells the scheduler."""
        now_s = self._clock.now()
        while self._coming and self._coming[0][0] <= now_s:
            _, at = heapq.heappop(self._coming)
            speaker = self._speakers[at]
            speaker.stream.push(speaker.take(self._course.book, now_s))
            self._scheduler.ready(
                at,
                deadline_s=speaker.spoken_s(speaker.chunks) + ALLOWED_S,
                audio_s=self._course.step_audio_s,
            )

    def _step(self, picked: Sequence[int], may_miss: int) -> bool:
        """One step; False where a stream has now missed more chunks than it may."""
        started_s = self._clock.now()
        self._course.recognizer.step([self._speakers[at].stream for at in picked])
        done_s = self._clock.now()
        self.busy_s += done_s - started_s
        self.batches.append(len(picked))
        lost = False
        for at in picked:
            speaker = self._speakers[at]
            speaker.decoded(done_s)
            lost |= sum(late > ALLOWED_S for late in speaker.late_s) > may_miss
            heapq.heappush(self._coming, (speaker.complete_s(speaker.chunks), at))
        return not lost
