"""A live engine, voices and a clock in; how late everything was, phase by phase, out.

Rules of this file:

1. Audio comes on an absolute clock: each voice at its own offset, in whole packets of 20 ms,
   whether anybody is ready for it or not (`pacing.Voice`). One thread pushes for all.
2. What a caller notices is measured from outside, as in `pacing.py`: the lateness of a step's text
   is the time at which its event is there, less the time at which the last sample that the step
   looked at was spoken. Everything else is what the engine itself measured during the phase.
3. A stream is carried while 99 % of its texts are late by `ALLOWED_S` at most, its context was
   never made longer, and no more of its audio waits at the end than its context wants.
4. A stream that is refused at the door is told of, and is not opened by another way.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.arrivals import ALLOWED_S, IN_TIME_SHARE, Clock, Voice, voices
from benchmarks.live.phases import LATENCIES, Moment, Phase, quantiles, quantiles_of
from parakeet_streaming import ContextChanged, Event, Gap, LiveOptions, LiveStream, Partial
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.stats import EngineStats
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.timeline import samples_to_seconds

AHEAD_S: Final = 0.5
"""Beyond its context, what a stream waits for until it knows whether someone speaks."""
_PATIENCE_S: Final = 120.0


class Engine(Protocol):
    """What is needed of a `LiveEngine`."""

    @property
    def metrics(self) -> LiveMetrics: ...

    def open(
        self, options: LiveOptions | None = None, on_event: Callable[[Event], None] | None = None
    ) -> LiveStream: ...

    def stats(self) -> EngineStats: ...

    def close(self, *, drain: bool = True) -> None: ...


@dataclass
class Talker:
    """One voice, its stream, and what came of it since the phase began."""

    voice: Voice
    clock: Clock
    stream: LiveStream | None = None
    late_s: list[float] = field(default_factory=list)
    longer: int = 0
    """Times its chunk grew."""
    shorter: int = 0
    gaps: int = 0
    _chunk_s: float = 0.0

    def hear(self, event: Event) -> None:
        """Takes an event, in the worker's thread."""
        if isinstance(event, Partial) and (event.tokens or event.tentative):
            self.late_s.append(self.clock.now() - self.voice.starts_s - event.lookahead_end_s)
        elif isinstance(event, ContextChanged):
            grew = event.context.chunk > self._chunk_s
            self.longer, self.shorter = self.longer + grew, self.shorter + (not grew)
            self._chunk_s = event.context.chunk
        elif isinstance(event, Gap):
            self.gaps += 1

    def begin(self, chunk_s: float) -> None:
        """A new phase."""
        self.late_s = []
        self.longer = self.shorter = self.gaps = 0
        self._chunk_s = chunk_s

    @property
    def opened(self) -> LiveStream:
        """Its stream; it must have been let in."""
        assert self.stream is not None, "only who was let in talks"
        return self.stream

    @property
    def carried(self) -> bool:
        """Whether rule 3 holds for it."""
        in_time = sum(late <= ALLOWED_S for late in self.late_s)
        latency_s = self.opened.context.latency_s
        waits_s = self.opened.stats().backlog_s
        return (
            bool(self.late_s)
            and in_time >= IN_TIME_SHARE * len(self.late_s)
            and not self.longer
            and waits_s <= latency_s + self.opened.context.chunk + ALLOWED_S + AHEAD_S
        )


class Stage:
    """Voices that speak to one engine."""

    def __init__(
        self,
        engine: Engine,
        options: LiveOptions,
        book: NDArray[np.float32],
        clock: Clock,
        seed: int,
    ) -> None:
        """`book`: (n,) at 16 kHz, heard over and over."""
        self.talkers: list[Talker] = []
        self.told = ""
        """What the last one who was refused was told."""
        self._engine = engine
        self._options = options
        self._book = book
        self._clock = clock
        self._seed = seed
        self._refused = 0

    def invite(self, streams: int) -> int:
        """Lets more begin to speak now; how many were let in."""
        chunk_s = self._options.delay.context.chunk
        invited = voices(streams, self._clock.now(), chunk_s, self._seed + len(self.talkers))
        before = len(self.talkers)
        for voice in invited:
            talker = Talker(voice, self._clock)
            talker.begin(chunk_s)
            try:
                talker.stream = self._engine.open(self._options, talker.hear)
            except CapacityError as error:
                self._refused, self.told = self._refused + 1, str(error)
            else:
                self.talkers.append(talker)
        return len(self.talkers) - before

    def knock(self, most: int) -> int | None:
        """Streams that are open when one more is refused; None where so many more are let in.

        Those who knock say nothing, and leave at once.
        """
        let_in: list[LiveStream] = []
        try:
            while len(let_in) < most:
                let_in.append(self._engine.open(self._options))
        except CapacityError as error:
            self.told = str(error)
            return len(self.talkers) + len(let_in)
        finally:
            for stream in let_in:
                stream.cancel()
        return None

    def hold(self, seconds: float) -> Phase:
        """Everyone speaks for so long."""
        _measure_anew(self._engine.metrics)
        for talker in self.talkers:
            talker.begin(talker.opened.context.chunk)
        refused, self._refused = self._refused, 0
        began_s = self._clock.now()
        audio_s = self._engine.metrics.audio_seconds_total.total
        moments = self._talk(began_s, began_s + seconds)
        took_s = self._clock.now() - began_s
        audio_s = self._engine.metrics.audio_seconds_total.total - audio_s
        return self._phase(refused, took_s, audio_s, moments)

    def dismiss(self, remaining: int) -> float:
        """All but so many have said everything; the seconds of audio of theirs that are missing.

        Who has not ended after two minutes is not waited for any longer.
        """
        leaving, self.talkers = self.talkers[remaining:], self.talkers[:remaining]
        for talker in leaving:
            talker.opened.finish()
        missing_s = 0.0
        until_s = self._clock.now() + _PATIENCE_S
        while any(talker.opened.outcome is None for talker in leaving):
            now_s = self._clock.now()
            if now_s > until_s:
                break
            self._talk(now_s, now_s + 0.1)
        for talker in leaving:
            heard_s = talker.opened.transcript().audio_s
            missing_s += max(0.0, samples_to_seconds(talker.voice.pushed) - heard_s)
        return missing_s

    def _talk(self, began_s: float, ends_s: float) -> list[Moment]:
        coming = [(each.voice.next_packet_s, at) for at, each in enumerate(self.talkers)]
        heapq.heapify(coming)
        moments: list[Moment] = []
        look_s = began_s + 1
        while (now_s := self._clock.now()) < ends_s:
            if now_s >= look_s:
                moments.append(self._moment(now_s - began_s))
                look_s += 1
            while coming and coming[0][0] <= now_s:
                talker = self.talkers[coming[0][1]]
                talker.opened.push(talker.voice.take(self._book, now_s))
                heapq.heapreplace(coming, (talker.voice.next_packet_s, coming[0][1]))
            next_s = min(look_s, ends_s, coming[0][0] if coming else ends_s)
            if next_s > self._clock.now():
                self._clock.wait_until(next_s)
        return moments

    def _moment(self, at_s: float) -> Moment:
        stats = self._engine.stats()
        longest_s = max((each.opened.context.chunk for each in self.talkers), default=0.0)
        return Moment(at_s, stats.backlog_s, stats.lag_s, stats.load, longest_s)

    def _phase(
        self, refused: int, took_s: float, audio_s: float, moments: Sequence[Moment]
    ) -> Phase:
        metrics = self._engine.metrics
        batches = metrics.batch_size.snapshot()
        steps_s = sum(
            getattr(metrics, LATENCIES[name]).snapshot().sum
            for name in ("encoder step", "decoder step", "voice step")
        )
        own = self._options.delay.context
        opened = [each.opened for each in self.talkers]
        return Phase(
            streams=len(self.talkers),
            refused=refused,
            took_s=took_s,
            carried=sum(talker.carried for talker in self.talkers),
            late=quantiles_of([late for each in self.talkers for late in each.late_s]),
            latencies={
                name: quantiles(getattr(metrics, metric)) for name, metric in LATENCIES.items()
            },
            batch_mean=batches.mean or 0.0,
            batch_most=round(batches.max or 0),
            real_time_factor=steps_s / audio_s if audio_s else 0.0,
            longer=sum(talker.longer for talker in self.talkers),
            shorter=sum(talker.shorter for talker in self.talkers),
            own_context=sum(stream.context == own for stream in opened),
            refused_samples=sum(stream.stats().refused_samples for stream in opened),
            gaps=sum(talker.gaps for talker in self.talkers),
            moments=tuple(moments),
        )


def _measure_anew(metrics: LiveMetrics) -> None:
    """Percentiles of one phase cannot be told from those of all phases: begin with none."""
    for name, each in vars(LiveMetrics()).items():
        if isinstance(each, Histogram):
            setattr(metrics, name, each)
