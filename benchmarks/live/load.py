"""A live engine, sources and a clock in; how late everything was, phase by phase, out.

Rules of this file:

1. Audio comes as `arrivals.py` says: on an absolute clock, in packets of 20 ms, whether the engine
   is ready for it or not. One thread pushes for all.
2. What a caller notices is measured from outside: the lateness of a step's text is the time at
   which its event is there, less the time at which the last sample that the step looked at was
   spoken. Everything else is what the engine itself measured during the phase.
3. A stream is carried while 99 % of its texts are late by `ALLOWED_S` at most, its chunk never
   grew, and no more of its audio waits at the end than its context wants.
4. A stream that the engine refuses is counted, and is not opened in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.arrivals import (
    ALLOWED_S,
    IN_TIME_SHARE,
    RATE_HZ,
    Clock,
    Source,
    play,
    sources,
)
from benchmarks.live.phases import LATENCIES, Moment, Phase, quantiles, quantiles_of
from parakeet_streaming import (
    ContextChanged,
    ContextConfig,
    EngineStats,
    Event,
    Gap,
    LiveOptions,
    LiveStream,
    Partial,
)
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.metrics.histogram import Histogram

AHEAD_S: Final = 0.5
"""Audio that waits beyond the context, until it is known whether someone speaks."""
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
class PacedStream:
    """One source, its stream, and what happened to it since the phase began."""

    source: Source
    clock: Clock
    context: ContextConfig
    """In use now."""
    stream: LiveStream | None = None
    late_s: list[float] = field(default_factory=list)
    longer: int = 0
    """Times its chunk grew."""
    shorter: int = 0
    gaps: int = 0

    def take(self, event: Event) -> None:
        """Takes an event, in the engine's thread."""
        if isinstance(event, Partial) and (event.tokens or event.tentative):
            self.late_s.append(self.clock.now() - self.source.starts_s - event.lookahead_end_s)
        elif isinstance(event, ContextChanged):
            grew = event.context.chunk > self.context.chunk
            self.longer, self.shorter = self.longer + grew, self.shorter + (not grew)
            self.context = event.context
        elif isinstance(event, Gap):
            self.gaps += 1

    def begin_phase(self) -> None:
        """Counts anew."""
        self.late_s = []
        self.longer = self.shorter = self.gaps = 0

    @property
    def opened(self) -> LiveStream:
        """Its stream; the engine must have let it in."""
        assert self.stream is not None, "a stream that was refused plays nothing"
        return self.stream

    @property
    def carried(self) -> bool:
        """Whether rule 3 holds for it."""
        in_time = sum(late <= ALLOWED_S for late in self.late_s)
        waits_s = self.opened.stats().backlog_s
        return (
            bool(self.late_s)
            and in_time >= IN_TIME_SHARE * len(self.late_s)
            and not self.longer
            and waits_s <= self.context.latency_s + self.context.chunk + ALLOWED_S + AHEAD_S
        )


class Load:
    """Streams that play to one engine."""

    def __init__(
        self,
        engine: Engine,
        options: LiveOptions,
        book: NDArray[np.float32],
        clock: Clock,
        seed: int,
    ) -> None:
        """`book`: (n,) at 16 kHz, read over and over."""
        self.streams: list[PacedStream] = []
        self.refusal = ""
        """What the engine said to the last stream that it refused."""
        self._engine = engine
        self._options = options
        self._book = book
        self._clock = clock
        self._seed = seed
        self._refused = 0

    def open(self, count: int) -> int:
        """Opens more streams, which begin to play now; how many were let in."""
        context = self._options.delay.context
        before = len(self.streams)
        new = sources(count, self._clock.now(), context.chunk, self._seed + before)
        for source in new:
            paced = PacedStream(source, self._clock, context)
            try:
                paced.stream = self._engine.open(self._options, paced.take)
            except CapacityError as error:
                self._refused, self.refusal = self._refused + 1, str(error)
            else:
                self.streams.append(paced)
        return len(self.streams) - before

    def open_until_refused(self, most: int) -> int | None:
        """Streams that are open when one more is refused; None where so many more are let in.

        The new ones play nothing, and are cancelled at once.
        """
        let_in: list[LiveStream] = []
        try:
            while len(let_in) < most:
                let_in.append(self._engine.open(self._options))
        except CapacityError as error:
            self.refusal = str(error)
            return len(self.streams) + len(let_in)
        finally:
            for stream in let_in:
                stream.cancel()
        return None

    def run(self, seconds: float) -> Phase:
        """All streams play for so long."""
        _measure_anew(self._engine.metrics)
        for paced in self.streams:
            paced.begin_phase()
        refused, self._refused = self._refused, 0
        began_s = self._clock.now()
        audio_s = self._engine.metrics.audio_seconds_total.total
        moments: list[Moment] = []
        self._play(seconds, lambda at_s: moments.append(self._moment(at_s)))
        took_s = self._clock.now() - began_s
        audio_s = self._engine.metrics.audio_seconds_total.total - audio_s
        return self._phase(refused, took_s, audio_s, moments)

    def finish(self, remaining: int) -> float:
        """Finishes all but so many; the seconds of audio of theirs that were not decoded.

        A stream that has not ended after two minutes is not waited for any longer.
        """
        leaving, self.streams = self.streams[remaining:], self.streams[:remaining]
        for paced in leaving:
            paced.opened.finish()
        until_s = self._clock.now() + _PATIENCE_S
        while self._clock.now() < until_s and not all(_has_ended(each) for each in leaving):
            self._play(0.1)
        missing_s = 0.0
        for paced in leaving:
            decoded_s = paced.opened.transcript().audio_s
            missing_s += max(0.0, paced.source.taken / RATE_HZ - decoded_s)
        return missing_s

    def _play(self, seconds: float, each_second: Callable[[float], None] = lambda _: None) -> None:
        playing = [(each.source, each.opened.push) for each in self.streams]
        play(playing, self._book, self._clock, self._clock.now() + seconds, each_second)

    def _moment(self, at_s: float) -> Moment:
        stats = self._engine.stats()
        longest_s = max((each.context.chunk for each in self.streams), default=0.0)
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
        return Phase(
            streams=len(self.streams),
            refused=refused,
            took_s=took_s,
            carried=sum(paced.carried for paced in self.streams),
            late=quantiles_of([late for each in self.streams for late in each.late_s]),
            latencies={
                name: quantiles(getattr(metrics, metric)) for name, metric in LATENCIES.items()
            },
            batch_mean=batches.mean or 0.0,
            batch_most=round(batches.max or 0),
            real_time_factor=steps_s / audio_s if audio_s else 0.0,
            longer=sum(paced.longer for paced in self.streams),
            shorter=sum(paced.shorter for paced in self.streams),
            own_context=sum(paced.context == own for paced in self.streams),
            refused_samples=sum(each.opened.stats().refused_samples for each in self.streams),
            gaps=sum(paced.gaps for paced in self.streams),
            moments=tuple(moments),
        )


def _has_ended(paced: PacedStream) -> bool:
    return paced.opened.stats().outcome is not None


def _measure_anew(metrics: LiveMetrics) -> None:
    """Begins with empty histograms: percentiles of one phase do not follow from those of all."""
    for name, each in vars(LiveMetrics()).items():
        if isinstance(each, Histogram):
            setattr(metrics, name, each)
