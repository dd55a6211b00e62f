"""Numbers of one phase of a live engine in; what a report says of it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Final

import numpy as np

from parakeet_streaming.metrics.histogram import Histogram

LATENCIES: Final[dict[str, str]] = {
    "first partial": "first_partial_latency_seconds",
    "emission delay": "emission_delay_seconds",
    "finalization": "finalization_latency_seconds",
    "queue wait": "chunk_queue_wait_seconds",
    "backlog": "backlog_seconds",
    "encoder step": "encoder_step_seconds",
    "decoder step": "decoder_step_seconds",
    "voice step": "vad_step_seconds",
}
"""Names in a report, and in the engine's metrics."""


@dataclass(frozen=True)
class Quantiles:
    """Seconds; None where nothing was measured."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    most: float | None


@dataclass(frozen=True)
class Moment:
    """The engine, once a second."""

    at_s: float
    """Since the phase began."""
    backlog_s: float
    """The greatest of all streams."""
    lag_s: float
    load: float
    longest_chunk_s: float


@dataclass(frozen=True)
class Phase:
    """What happened while so many streams played."""

    streams: int
    refused: int
    """Streams that were refused as the phase began."""
    took_s: float
    carried: int
    late: Quantiles
    """Of texts, from outside."""
    latencies: dict[str, Quantiles]
    batch_mean: float
    batch_most: int
    real_time_factor: float
    """Seconds of steps per second of audio."""
    longer: int
    """Times a chunk grew, over all streams."""
    shorter: int
    own_context: int
    """Streams that end the phase in the context that was asked for."""
    refused_samples: int
    gaps: int
    moments: tuple[Moment, ...] = field(repr=False)

    @property
    def load(self) -> float:
        """Share of the time that the engine says its work takes, on average."""
        return fmean(each.load for each in self.moments) if self.moments else 0.0

    def backlog_s(self, first: float, last: float) -> float:
        """The greatest one between two parts of the phase, 0 to 1."""
        length_s = self.took_s
        return max(
            (
                each.backlog_s
                for each in self.moments
                if first * length_s <= each.at_s <= last * length_s
            ),
            default=0.0,
        )


def as_json(phase: Phase) -> dict[str, object]:
    """Everything, the moments as columns."""
    found = asdict(phase)
    moments = found.pop("moments")
    columns = {
        name: [round(each[name], 3) for each in moments] for name in Moment.__dataclass_fields__
    }
    return found | {"moments": columns}


def quantiles(histogram: Histogram) -> Quantiles:
    found = histogram.snapshot()
    return Quantiles(found.count, found.p50, found.p95, found.p99, found.max)


def quantiles_of(numbers: Sequence[float]) -> Quantiles:
    if not numbers:
        return Quantiles(0, None, None, None, None)
    p50, p95, p99, most = (float(each) for each in np.quantile(numbers, [0.5, 0.95, 0.99, 1.0]))
    return Quantiles(len(numbers), p50, p95, p99, most)
