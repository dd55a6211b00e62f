"""Steps of one live stream and the engine's metrics in; a report for programs and people out.

Rules of this file:

1. A step's lag is the time from its window's last sample to its text. Its parts are what the engine
   measured since the step before: waiting, voice activity, encoder, decoder. What they leave is the
   way of the samples in and of the text out.
2. Times are seconds of the stream's audio; durations are seconds.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.metrics.histogram import Distribution
from parakeet_streaming.results import ContextChanged, Gap, Partial
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds

PARTS: Final = {
    "queue": "chunk_queue_wait_seconds",
    "vad": "vad_step_seconds",
    "encoder": "encoder_step_seconds",
    "decoder": "decoder_step_seconds",
}
"""Where a step's time goes, and the metric that measures it."""

_IN_WORDS: Final = {
    "first_partial_latency_seconds": "first sound to first text",
    "emission_delay_seconds": "end of a word to its text",
    "finalization_latency_seconds": "end of speech to final text",
    "chunk_queue_wait_seconds": "step: waiting for its turn",
    "encoder_step_seconds": "step: encoder",
    "decoder_step_seconds": "step: decoder",
    "vad_step_seconds": "voice activity",
}
"""Latencies that people are told, in fewer words than `HELP` has."""
_RECENT_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One step and where its time went."""

    committed_s: float
    lookahead_end_s: float
    context_s: float
    """What its oldest sound had to wait for by the context alone: effective chunk + right."""
    lag_s: float
    """From the arrival of its last sample to its text."""
    parts_s: Mapping[str, float]
    """Of the lag, what each of `PARTS` took; the rest is the way in and out."""
    delays_s: tuple[float, ...]
    """From the end of each token's sound to its text."""


class Trace:
    """What happened to one stream, in order. The only stream of its engine, or parts are shared."""

    def __init__(self, metrics: LiveMetrics, *, keep: bool) -> None:
        """`keep`: whether every step is kept for a report, or only what the status line needs."""
        self.steps: list[Step] = []
        self.changes: list[ContextChanged] = []
        self.gaps: list[Gap] = []
        self.metrics = metrics
        self._keep = keep
        self._recent_s: deque[float] = deque(maxlen=_RECENT_STEPS)
        self._sums: dict[str, float] = dict.fromkeys(PARTS, 0.0)

    def stepped(self, partial: Partial, lag_s: float, context: ContextConfig) -> None:
        """Takes note of a step that was told `lag_s` after its last sample had arrived."""
        self._recent_s.append(lag_s)
        if self._keep:
            parts_s = self._spent_s()
            end_s = partial.lookahead_end_s
            delays_s = tuple(lag_s + end_s - token.end for token in partial.tokens)
            step = Step(partial.committed_s, end_s, context.latency_s, lag_s, parts_s, delays_s)
            self.steps.append(step)

    def recent_lag_s(self) -> float:
        """The mean lag of the last steps; 0 before the first."""
        return sum(self._recent_s) / len(self._recent_s) if self._recent_s else 0.0

    def delays_in_words(self) -> Iterator[str]:
        """One line on how late text was, where there was any."""
        delays = self.metrics.emission_delay_seconds.snapshot()
        if delays.p50 is not None and delays.max is not None:
            yield (
                f"text appeared {delays.p50:.2f} s after it was spoken "
                f"(median of {delays.count} words; the latest {delays.max:.2f} s)"
            )

    def _spent_s(self) -> dict[str, float]:
        """What each part took since the last call."""
        spent: dict[str, float] = {}
        for part, name in PARTS.items():
            total = getattr(self.metrics, name).snapshot().sum
            spent[part], self._sums[part] = total - self._sums[part], total
        return spent


def report_object(trace: Trace, stream: StreamStats, about: Mapping[str, Any]) -> dict[str, Any]:
    """The whole report as JSON's own types.

    Args:
        trace: that kept every step.
        stream: statistics of the stream.
        about: source, model, context and whatever else says what was measured.
    """
    report: dict[str, Any] = _rounded(
        {
            **about,
            "stream": _stream_object(stream),
            "metrics": trace.metrics.snapshot().as_json(),
            "steps": [asdict(step) for step in trace.steps],
            "context_changes": [
                {"at_s": change.at, "context": str(change.context)} for change in trace.changes
            ],
            "gaps": [{"start_s": gap.start, "end_s": gap.end} for gap in trace.gaps],
        }
    )
    return report


def _stream_object(stats: StreamStats) -> dict[str, Any]:
    """Statistics of a stream; of distributions everything but the buckets, as of all metrics."""
    told: dict[str, Any] = {"context": str(stats.context)}
    for name in StreamStats.__slots__:
        value = getattr(stats, name)
        if isinstance(value, Distribution):
            told[name] = {key: each for key, each in asdict(value).items() if key != "buckets"}
        else:
            told.setdefault(name, value)
    return told


def check_writable(path: str | None) -> None:
    """Refuses a report that could not be written in the end.

    Raises:
        OptionError: there is no folder for it.
    """
    if path is not None and not Path(path).absolute().parent.is_dir():
        raise OptionError(f"there is no folder for {path}; make it first")


def write_report(path: str, report: Mapping[str, Any]) -> None:
    """Writes a report.

    Raises:
        OptionError: the path cannot be written.
    """
    try:
        Path(path).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}") from error


def latency_rows(metrics: LiveMetrics) -> list[Sequence[str]]:
    """Every latency that was measured with its percentiles, as rows of words with a heading."""
    histograms = metrics.snapshot().histograms
    rows: list[Sequence[str]] = [
        (f"{'milliseconds':<28}", *(f"{word:>6}" for word in ("count", "p50", "p95", "p99", "max")))
    ]
    for name, words in _IN_WORDS.items():
        if histograms[name].count:
            rows.append((words, *_told(histograms[name])))
    return rows


def counts_in_words(stats: StreamStats) -> str:
    """What was decoded, passed over and refused, in two lines."""
    refused_s = samples_to_seconds(stats.refused_samples, stats.context.sample_rate)
    return (
        f"{stats.speech_s:.1f} s of speech · {stats.utterances} utterances, "
        f"{stats.tokens} tokens · {refused_s:.1f} s refused\n"
        f"context {stats.context} · {stats.steps} steps · "
        f"{stats.skipped} chunks passed over as quiet"
    )


def _told(distribution: Distribution) -> list[str]:
    numbers = (distribution.p50, distribution.p95, distribution.p99, distribution.max)
    told = (str(distribution.count), *(f"{1000 * (number or 0.0):.0f}" for number in numbers))
    return [f"{each:>6}" for each in told]


def _rounded(value: Any) -> Any:  # noqa: ANN401  JSON is anything
    """The same with numbers of six decimals: microseconds, and a file people can read."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(each) for each in value]
    return value
