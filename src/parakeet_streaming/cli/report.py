"""Steps of one live stream and its statistics in; a report for programs and people out.

Rules of this file:

1. A step's lag is the time from the moment its window was complete to its text. Its parts are what
   the step itself measured: waiting for its turn, encoder, decoder.
2. Times are seconds of the stream's audio; durations are seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from parakeet_streaming.cli.written_files import check_folder_of, writing
from parakeet_streaming.formats import in_json
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.metrics.histogram import Distribution
from parakeet_streaming.results import ContextChanged, Gap, Partial, StepTiming
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds

PARTS: Final = ("queue", "encoder", "decoder")
"""What a step's lag consists of, in order of time."""

_LATENCIES: Final = {
    "first_partial_latency_seconds": "first sound to first text",
    "emission_delay_seconds": "end of a word to its text",
    "finalization_latency_seconds": "end of speech to final text",
    "chunk_queue_wait_seconds": "step: waiting for its turn",
    "encoder_step_seconds": "step: encoder",
    "decoder_step_seconds": "step: decoder",
    "vad_step_seconds": "voice activity",
}
"""The latencies that `--stats` prints, in fewer words than the metrics' help has."""
_RECENT_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One step and where its time went."""

    committed_s: float
    lookahead_end_s: float
    context_s: float
    """How long its oldest sound had to wait by the context alone: effective chunk + right."""
    lag_s: float
    """From the moment its window was complete to its text."""
    parts_s: Mapping[str, float]
    """What each of `PARTS` took; together they are the lag."""
    delays_s: tuple[float, ...]
    """From the end of each token's sound to its text."""

    @classmethod
    def of(cls, partial: Partial, timing: StepTiming, context: ContextConfig) -> Step:
        """The step that gave `partial`, under `context`."""
        lag_s, end_s = timing.lag_s, partial.lookahead_end_s
        return cls(
            committed_s=partial.committed_s,
            lookahead_end_s=end_s,
            context_s=context.latency_s,
            lag_s=lag_s,
            parts_s=dict(
                zip(PARTS, (timing.waited_s, timing.encode_s, timing.decode_s), strict=True)
            ),
            delays_s=tuple(lag_s + end_s - token.end for token in partial.tokens),
        )


class StreamLog:
    """What happened to one stream, in order."""

    def __init__(self, *, keep_steps: bool) -> None:
        """`keep_steps`: whether every step is kept, for a report."""
        self.steps: list[Step] = []
        self.changes: list[ContextChanged] = []
        self.gaps: list[Gap] = []
        self._keep_steps = keep_steps
        self._recent_lags_s: deque[float] = deque(maxlen=_RECENT_STEPS)

    def add(self, partial: Partial, context: ContextConfig) -> None:
        """Adds a step; what came without a step, as its timing says, adds nothing."""
        if partial.timing is None:
            return
        self._recent_lags_s.append(partial.timing.lag_s)
        if self._keep_steps:
            self.steps.append(Step.of(partial, partial.timing, context))

    def recent_lag_s(self) -> float:
        """The mean lag of the last steps; 0 before the first."""
        lags_s = self._recent_lags_s
        return sum(lags_s) / len(lags_s) if lags_s else 0.0


def delays_in_words(stats: StreamStats) -> Iterator[str]:
    """One line on how late text was, where there was any."""
    delays = stats.emission_delay
    if delays.p50 is not None and delays.max is not None:
        yield (
            f"text appeared {delays.p50:.2f} s after it was spoken "
            f"(median of {delays.count} words; the latest {delays.max:.2f} s)"
        )


def report_object(
    log: StreamLog, stream: StreamStats, metrics: LiveMetrics, about: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole report as JSON's own types.

    Args:
        log: one that kept every step.
        stream: statistics of the stream.
        metrics: of its engine.
        about: source, model, context and whatever else says what was measured.
    """
    report: dict[str, Any] = _rounded(
        {
            **about,
            "stream": _stream_object(stream),
            "metrics": metrics.snapshot().as_json(),
            "steps": [asdict(step) for step in log.steps],
            "context_changes": [
                {"at_s": change.at, "context": str(change.context)} for change in log.changes
            ],
            "gaps": [{"start_s": gap.start, "end_s": gap.end} for gap in log.gaps],
        }
    )
    return report


def _stream_object(stats: StreamStats) -> dict[str, Any]:
    """Statistics of a stream; of distributions everything but the buckets, as of all metrics."""
    plain: dict[str, Any] = {"context": str(stats.context)}
    for name in StreamStats.__slots__:
        value = getattr(stats, name)
        if isinstance(value, Distribution):
            plain[name] = {key: each for key, each in asdict(value).items() if key != "buckets"}
        else:
            plain.setdefault(name, value)
    return plain


def check_writable(path: str | None) -> None:
    """Refuses a report that could not be written in the end.

    Raises:
        OptionError: there is no folder for it, or it cannot be looked at.
    """
    if path is not None:
        check_folder_of(Path(path))


def write_report(path: str, report: Mapping[str, Any]) -> None:
    """Writes a report.

    Raises:
        OptionError: the path cannot be written.
    """
    with writing(Path(path)):
        Path(path).write_text(in_json(report, indent=1) + "\n", encoding="utf-8")


def latency_rows(metrics: LiveMetrics) -> list[Sequence[str]]:
    """Every latency that was measured with its percentiles, as rows of words with a heading."""
    histograms = metrics.snapshot().histograms
    rows: list[Sequence[str]] = [
        (f"{'milliseconds':<28}", *(f"{word:>6}" for word in ("count", "p50", "p95", "p99", "max")))
    ]
    for name, words in _LATENCIES.items():
        if histograms[name].count:
            rows.append((words, *_cells(histograms[name])))
    return rows


def counts_in_words(stats: StreamStats) -> str:
    """What was decoded, passed over and refused, in two lines."""
    refused_s = samples_to_seconds(stats.refused_samples)
    return (
        f"{stats.speech_s:.1f} s of speech · {stats.utterances} utterances, "
        f"{stats.tokens} tokens · {refused_s:.1f} s refused\n"
        f"context {stats.context} · {stats.steps} steps · "
        f"{stats.skipped} chunks passed over as quiet"
    )


def _cells(distribution: Distribution) -> list[str]:
    numbers = (distribution.p50, distribution.p95, distribution.p99, distribution.max)
    cells = (str(distribution.count), *(f"{1000 * (number or 0.0):.0f}" for number in numbers))
    return [f"{each:>6}" for each in cells]


def _rounded(value: Any) -> Any:  # noqa: ANN401  JSON is anything
    """The same with numbers of six decimals: microseconds, and a file people can read."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(each) for each in value]
    return value
