"""What happens goes in as numbers; how it went, as counts, levels and percentiles, comes out.

Rules of this file:

1. No clock and no thread: seconds are handed in by those who measured them.
2. One thread writes each metric, usually the worker all of them; any thread may read. A count or a
   level is one reference, which is stored whole; of histograms, see `histogram.py`. A snapshot is
   not one moment of all metrics: while it is taken, the worker goes on.
3. Names are Prometheus's way, in base units: `_seconds`, and `_total` for what only grows. No
   metric is kept per stream; labels have few values, which are fixed here.
4. They are cheap enough never to be switched off: about a microsecond per number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.histogram import COUNTS, Distribution, Histogram

PREFIX: Final = "parakeet_"
"""Stands before every name where metrics of other programs are beside them."""

_BATCHES_TOLD: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Gauge:
    """A level that goes up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def set(self, value: float) -> None:
        self.value = value


class Counter:
    """A number that only grows."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total: float = 0

    def add(self, amount: float = 1) -> None:
        """Adds `amount`.

        Raises:
            OptionError: below 0.
        """
        if amount < 0:
            raise OptionError(f"a counter only grows; {amount} cannot be added to it")
        self.total += amount


class CounterBy:
    """One counter for each value of a label."""

    __slots__ = ("_counters", "label")

    def __init__(self, label: str, *values: str) -> None:
        self.label = label
        self._counters = {value: Counter() for value in values}

    def __getitem__(self, value: str) -> Counter:
        """The counter of one value.

        Raises:
            OptionError: not a value of this label.
        """
        counter = self._counters.get(value)
        if counter is None:
            raise OptionError(
                f"{value!r} is no {self.label} that is counted; use {', '.join(self._counters)}"
            )
        return counter

    def totals(self) -> dict[str, float]:
        """Every value and its total."""
        return {value: counter.total for value, counter in self._counters.items()}


Metric = Gauge | Counter | CounterBy | Histogram


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """All metrics by name, without the prefix."""

    gauges: Mapping[str, float]
    counters: Mapping[str, float]
    counters_by: Mapping[str, Mapping[str, float]]
    """Name, value of the label, total."""
    histograms: Mapping[str, Distribution]

    def as_json(self) -> dict[str, dict[str, object]]:
        """For `json.dumps`; of histograms everything but the buckets."""
        histograms: dict[str, object] = {}
        for name, distribution in self.histograms.items():
            histograms[name] = {
                key: value for key, value in asdict(distribution).items() if key != "buckets"
            }
        counters: dict[str, object] = {**self.counters}
        counters |= {name: dict(totals) for name, totals in self.counters_by.items()}
        return {"gauges": {**self.gauges}, "counters": counters, "histograms": histograms}


class Metrics:
    """Everything that is measured while streams run; `HELP` says what each of them is."""

    def __init__(self) -> None:
        self.active_streams = Gauge()
        self.ready_streams = Gauge()
        self.backlog_audio_seconds = Gauge()
        self.rtf_recent = Gauge()

        self.streams_total = CounterBy("outcome", "finished", "cancelled", "failed")
        self.audio_seconds_total = Counter()
        self.speech_seconds_total = Counter()
        self.samples_dropped_total = CounterBy("reason", "ring_full", "device_overflow", "closed")
        self.tokens_total = Counter()
        self.utterances_total = CounterBy("reason", "vad", "commit", "max_len", "eos")
        self.rejected_total = CounterBy("reason", "streams", "load")
        self.context_changes_total = CounterBy("direction", "longer", "shorter")

        self.batch_size = Histogram(COUNTS, _BATCHES_TOLD)
        self.first_partial_latency_seconds = Histogram()
        self.emission_delay_seconds = Histogram()
        self.finalization_latency_seconds = Histogram()
        self.chunk_queue_wait_seconds = Histogram()
        self.encoder_step_seconds = Histogram()
        self.decoder_step_seconds = Histogram()
        self.vad_step_seconds = Histogram()
        self.end_to_end_lag_seconds = Histogram()
        self.utterance_duration_seconds = Histogram()

    def snapshot(self) -> MetricsSnapshot:
        """All metrics as they are now. Any thread may ask."""
        metrics: dict[str, Metric] = vars(self)
        return MetricsSnapshot(
            gauges={name: each.value for name, each in metrics.items() if isinstance(each, Gauge)},
            counters={
                name: each.total for name, each in metrics.items() if isinstance(each, Counter)
            },
            counters_by={
                name: each.totals() for name, each in metrics.items() if isinstance(each, CounterBy)
            },
            histograms={
                name: each.snapshot()
                for name, each in metrics.items()
                if isinstance(each, Histogram)
            },
        )

    def label_of(self, name: str) -> str:
        """The label of a counter that has one."""
        counter: CounterBy = getattr(self, name)
        return counter.label


HELP: Final[dict[str, str]] = {
    "active_streams": "Streams that are open",
    "ready_streams": "Streams whose next window is complete and waits for a step",
    "backlog_audio_seconds": "Audio received and not decoded, of the stream furthest behind",
    "rtf_recent": "Seconds of computing per second of audio, over the last steps",
    "streams_total": "Streams that have ended",
    "audio_seconds_total": "Audio decoded",
    "speech_seconds_total": "Audio in which speech was found",
    "samples_dropped_total": "Samples that were not taken, or lost before they came here",
    "tokens_total": "Tokens committed",
    "utterances_total": "Utterances that have ended, by what ended them",
    "rejected_total": "Streams not let in",
    "context_changes_total": "Times a stream's context was made longer or shorter",
    "batch_size": "Streams that shared a step",
    "first_partial_latency_seconds": "From the first sound of a stream to its first text",
    "emission_delay_seconds": "From the end of a token's sound to its text",
    "finalization_latency_seconds": "From the end of speech, or the request, to the final text",
    "chunk_queue_wait_seconds": "From a window being complete to its step's start",
    "encoder_step_seconds": "Encoder call of a step",
    "decoder_step_seconds": "Decoding of a step",
    "vad_step_seconds": "Voice detection of a step",
    "end_to_end_lag_seconds": "Newest audio received less newest audio decoded, of each stream",
    "utterance_duration_seconds": "Length of utterances",
}
"""What each metric is, in words; also the list of all names."""
