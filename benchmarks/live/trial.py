"""A number of streams in; whether a live engine carries them in real time, with figures, out.

python -m benchmarks.live.trial --streams 8 --context 5-0.5-0.5 --seconds 30 [MODEL]

One trial of `capacity`, printed as JSON.

Rules of this file:

1. The lateness of a chunk is the time at which its events are there, less the time at which the
   last sample of its chunk + right context was spoken. A packet that is not full yet, an engine
   that is busy with other streams and the time of the step all count. With lateness L, the first
   sample of a chunk has its text after chunk + right + L seconds. A chunk is in time with a
   lateness of `ALLOWED_S` at most.
2. Chunks count from the moment that the stream's left context is full, until the trial ends. A
   chunk whose text is due by then and is not there counts as late.
3. A stream is carried if `IN_TIME_SHARE` of its chunks are in time, and no audio was refused.
4. It uses the package's public names only, and few of them: `speed/before_after.py` runs it under
   other versions of the package.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np

from benchmarks.live.arrivals import (
    ALLOWED_S,
    IN_TIME_SHARE,
    RATE_HZ,
    Clock,
    RealClock,
    Source,
    play,
    sources,
)
from benchmarks.speech.book import BOOK_S, speech_of
from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    Event,
    LiveEngine,
    LiveOptions,
    LiveStream,
    Partial,
    VadOptions,
    load,
    load_vad,
)

_FRAME_SAMPLES: Final = 1_280


@dataclass(frozen=True)
class Cut:
    """A context in samples at 16 kHz, floored to encoder frames as the engine does it."""

    left: int
    chunk: int
    right: int

    @classmethod
    def of(cls, context: ContextConfig) -> Cut:
        seconds = (context.left, context.chunk, context.right)
        return cls(*(_FRAME_SAMPLES * math.floor(each / 0.08 + 1e-6) for each in seconds))

    @property
    def warm_up_s(self) -> float:
        """From the first sample of a stream to the first chunk that counts, at most."""
        chunks = math.ceil(self.left / self.chunk) + 3
        return (chunks * self.chunk + self.right) / RATE_HZ


@dataclass
class Listener:
    """One stream, and how late its chunks were. `take` runs in the engine's thread."""

    source: Source
    cut: Cut
    clock: Clock
    late_s: list[float] = field(default_factory=list)
    """Of the chunks that count, in order."""
    chunks: int = 0

    def spoken_s(self, chunk: int) -> float:
        """When the last sample of a chunk and its right context was spoken."""
        end = (chunk + 1) * self.cut.chunk + self.cut.right
        return self.source.starts_s + end / RATE_HZ

    def take(self, event: Event) -> None:
        """Takes an event; each step of a stream gives one `Partial`."""
        if isinstance(event, Partial):
            self._note(self.clock.now())

    def give_up_until(self, now_s: float) -> None:
        """Counts the chunks that are due and not there."""
        while self.spoken_s(self.chunks) + ALLOWED_S <= now_s:
            self._note(now_s)

    @property
    def missed(self) -> int:
        """Chunks that were not in time."""
        return sum(late > ALLOWED_S for late in self.late_s)

    def _note(self, now_s: float) -> None:
        if self.chunks > self.cut.left / self.cut.chunk:
            self.late_s.append(now_s - self.spoken_s(self.chunks))
        self.chunks += 1

    @property
    def carried(self) -> bool:
        return bool(self.late_s) and self.missed <= (1 - IN_TIME_SHARE) * len(self.late_s)


@dataclass(frozen=True)
class Held:
    """What one trial showed."""

    streams: int
    carried: int
    took_s: float
    """From the first sample to the end."""
    chunks: int
    late_s: tuple[float, ...]
    """Lateness: median, 95 %, 99 % and the worst."""
    streams_a_step: float
    busy_share: float
    """Share of the time that the engine was in a step."""
    decoding_share: float
    """Share of the time in steps that was not the encoder's."""
    cores_used: float
    """Processor time of the whole process by time."""
    refused_samples: int

    @property
    def all_carried(self) -> bool:
        return self.carried == self.streams


@dataclass(frozen=True)
class Setting:
    """What all trials have in common."""

    context: ContextConfig
    cached: bool = False
    vad: bool = False
    seed: int = 0
    """Of the offsets of the streams."""

    @property
    def options(self) -> LiveOptions:
        """A stream whose context never changes, and that is one utterance."""
        return LiveOptions(
            DelayRange.fixed(self.context),
            VadOptions() if self.vad else None,
            None,
            cached=self.cached,
        )


def hold(engine: LiveEngine, setting: Setting, streams: int, seconds: float, clock: Clock) -> Held:
    """Plays `streams` sources for the warm-up and `seconds` more into an engine of their own.

    It ends early once a stream has missed more chunks than it may.
    """
    cut, book = Cut.of(setting.context), speech_of(BOOK_S)
    listeners = [
        Listener(source, cut, clock)
        for source in sources(streams, clock.now(), cut.chunk / RATE_HZ, setting.seed)
    ]
    opened = [engine.open(setting.options, each.take) for each in listeners]
    may_miss = (1 - IN_TIME_SHARE) * seconds * RATE_HZ / cut.chunk
    began_s, began_cpu_s = clock.now(), time.process_time()
    play(
        [(each.source, stream.push) for each, stream in zip(listeners, opened, strict=True)],
        book,
        clock,
        began_s + cut.warm_up_s + seconds,
        lambda _: any(each.missed > may_miss for each in listeners),
    )
    took_s, used_s = clock.now() - began_s, time.process_time() - began_cpu_s
    for each in listeners:
        each.give_up_until(clock.now())
    return _figures(engine, listeners, opened, took_s, used_s)


def _figures(
    engine: LiveEngine,
    listeners: Sequence[Listener],
    opened: Sequence[LiveStream],
    took_s: float,
    used_s: float,
) -> Held:
    late_s = [late for each in listeners for late in each.late_s]
    quantiles = np.quantile(late_s or [math.inf], [0.5, 0.95, 0.99, 1.0])
    encoder_s, decoder_s = (
        metric.snapshot().sum
        for metric in (engine.metrics.encoder_step_seconds, engine.metrics.decoder_step_seconds)
    )
    return Held(
        streams=len(listeners),
        carried=sum(each.carried for each in listeners),
        took_s=took_s,
        chunks=len(late_s),
        late_s=tuple(float(each) for each in quantiles),
        streams_a_step=engine.metrics.batch_size.snapshot().mean or 0.0,
        busy_share=(encoder_s + decoder_s) / took_s,
        decoding_share=decoder_s / (encoder_s + decoder_s) if encoder_s else 0.0,
        cores_used=used_s / took_s,
        refused_samples=sum(stream.stats().refused_samples for stream in opened),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one trial."""
    asked = _parser().parse_args(arguments)
    setting = Setting(ContextConfig.parse(asked.context), asked.cached, asked.vad, asked.seed)
    recognizer = load(asked.model, runtime=asked.runtime, threads=asked.threads)
    engine = LiveEngine(recognizer, load_vad() if asked.vad else None, most_streams=asked.streams)
    held = hold(engine, setting, asked.streams, asked.seconds, RealClock())
    engine.close(drain=False)
    print(json.dumps(asdict(held) | {"all_carried": held.all_carried}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="5-0.5-0.5", help="preset or left-chunk-right (default: %(default)s)")
    add("--cached", action="store_true", help="cached streams; the model must have such an encoder")
    add("--vad", action="store_true", help="with voice activity")
    add("--streams", type=int, default=8, help="default: %(default)s")
    add("--seconds", type=float, default=30.0, help="that count (default: %(default)g)")
    add("--runtime", default="auto", help="as in `load` (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--seed", type=int, default=0, help="of the offsets of the streams")
    return parser


if __name__ == "__main__":
    main()
