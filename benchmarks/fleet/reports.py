"""A JSON report of a benchmark that ran the product in; what it says of one replica out.

It reads the reports of `fleet.measure`, `live.capacity --json` and `live.overload --json`, and
files of that form that quote a page: `source` for the machine, and `steps` with pairs of streams
and seconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parakeet_streaming import ContextConfig, DelayRange
from parakeet_streaming.timeline import SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Trial:
    """So many streams that all speak, on one replica."""

    streams: int
    streams_a_step: float
    step_s: float
    """Mean time of a step."""
    late_s: tuple[float, float, float]
    """Lateness of texts: median, 95 %, 99 %."""


@dataclass(frozen=True)
class Measured:
    """What was measured of one replica."""

    name: str
    """Model, context and machine."""
    chunk_s: float
    trials: tuple[Trial, ...]
    steps: tuple[tuple[float, float], ...] = ()
    """Streams of a step and its seconds, where steps were measured by themselves."""


def read(path: Path) -> Measured:
    """Reads a report.

    Raises:
        ValueError: it is no report of these benchmarks.
    """
    return of_report(json.loads(path.read_text(encoding="utf-8")))


def of_report(report: Mapping[str, Any]) -> Measured:
    """The same of a report that was read.

    Raises:
        ValueError: it is no report of these benchmarks.
    """
    try:
        asked = report["asked"]
        chunk_s = chunk_of(str(asked["context"]))
        if "phases" in report:
            found = [_of_phase(each, chunk_s) for each in report["phases"].values()]
        elif "held" in report:
            found = [_of_held(report["held"], chunk_s)]
        else:
            found = [_of_held(each, chunk_s) for each in report["trials"]]
        steps = tuple(
            (float(streams), float(took_s)) for streams, took_s in report.get("steps", ())
        )
        where = report["source"] if "source" in report else report["machine"]["processor"]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no report of a benchmark of live streams: {error!r}") from error
    name = f"{asked['model']}, {asked['context']}, {where}"
    return Measured(name, chunk_s, tuple(found), steps)


def chunk_of(context: str) -> float:
    """Seconds of a context's chunk, in whole frames."""
    parsed: ContextConfig = DelayRange.parse(context, SAMPLE_RATE_HZ).context
    return 0.08 * math.floor(parsed.chunk / 0.08 + 1e-6)


def _of_held(held: Mapping[str, Any], chunk_s: float) -> Trial:
    batch = held["streams_a_step"]
    steps_a_second = held["streams"] / (chunk_s * batch)
    p50, p95, p99 = held["late_s"][:3]
    return Trial(held["streams"], batch, held["busy_share"] / steps_a_second, (p50, p95, p99))


def _of_phase(phase: Mapping[str, Any], chunk_s: float) -> Trial:
    batch, late = phase["batch_mean"], phase["late"]
    step_s = phase["real_time_factor"] * chunk_s * batch
    return Trial(phase["streams"], batch, step_s, (late["p50"], late["p95"], late["p99"]))
