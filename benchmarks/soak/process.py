"""The process, moment by moment, in; memory and threads that grow, and what is left behind, out."""

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
class Look:
    """The process at one moment."""

    at_s: float
    resident_mib: float
    open_streams: int
    own_threads: int
    """Threads of Python, less the readers of callers that have not gone."""
    system_threads: int
    """Threads of the process that Python does not know of."""


def broken_as_a_whole(looks: Sequence[Look]) -> list[str]:
    """What memory and threads say."""
    if len(looks) < 8:  # two to a quarter
        return ["it was too short to say anything of memory: two looks to a quarter at least"]
    quarter = len(looks) // 4
    early, late = looks[quarter : 2 * quarter], looks[-quarter:]
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


def left_behind() -> list[str]:
    """What is still there behind the end of the engine."""
    gc.collect()
    guests = sum(isinstance(each, StreamTask) for each in gc.get_objects())
    workers = [each.name for each in threading.enumerate() if each.name == "parakeet-live"]
    found = [f"{guests} streams are still in memory"] if guests else []
    return found + ([f"{len(workers)} workers still run"] if workers else [])


def look_table(looks: Sequence[Look]) -> str:
    """A few moments."""
    few = looks[:: max(1, len(looks) // 12)]
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
