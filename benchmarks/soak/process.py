"""The process, moment by moment, in; memory and threads that grow, and what is left over, out."""

from __future__ import annotations

import gc
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.report.tables import table
from parakeet_streaming.live.task import StreamTask

_GROWTH: Final = 0.03
_GROWTH_MIB: Final = 8.0
"""Memory may grow by that part and by so much between the second quarter and the last."""


@dataclass(frozen=True)
class ProcessSample:
    """The process at one moment."""

    at_s: float
    resident_mib: float
    open_streams: int
    own_threads: int
    """Threads of Python, less the readers of callers that have not gone."""
    system_threads: int
    """Threads of the process that Python does not know of."""


def growth(samples: Sequence[ProcessSample]) -> list[str]:
    """What grew of memory and threads."""
    if len(samples) < 8:  # two to a quarter
        return ["it was too short to say anything of memory: two samples to a quarter at least"]
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    before, after = (
        statistics.median(each.resident_mib for each in part) for part in (early, late)
    )
    if after > before * (1 + _GROWTH) + _GROWTH_MIB:
        found.append(f"memory grew from {before:.1f} to {after:.1f} MiB")
    for name in ("own_threads", "system_threads"):
        was, became = (
            statistics.median(getattr(each, name) for each in part) for part in (early, late)
        )
        if became > was:
            found.append(f"{name} grew from {was:g} to {became:g}")
    return found


def left_over() -> list[str]:
    """What is still there after the end of the engine."""
    gc.collect()
    tasks = sum(isinstance(each, StreamTask) for each in gc.get_objects())
    workers = [each.name for each in threading.enumerate() if each.name == "parakeet-live"]
    found = [f"{tasks} streams are still in memory"] if tasks else []
    return found + ([f"{len(workers)} workers still run"] if workers else [])


def sample_table(samples: Sequence[ProcessSample]) -> str:
    """A few moments."""
    few = samples[:: max(1, len(samples) // 12)]
    rows = [
        (
            f"{each.at_s:.0f} s",
            f"{each.resident_mib:.1f} MiB",
            each.open_streams,
            each.own_threads,
            each.system_threads,
        )
        for each in few
    ]
    return table(("at", "memory", "open streams", "threads", "of the system"), rows)
