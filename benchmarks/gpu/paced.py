"""A recognizer and a context in; how many paced streams it carries on its device out.

Streams are spread over the chunk's time in groups, one step each. A number is carried if 99 of 100
steps end within half a chunk after they were due: the rule of `benchmarks/live/capacity.py`, for
the engine alone. Each number is tried for a quarter of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.gpu.models import make_ready
from benchmarks.gpu.streams import StepTimes, Streams
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import ContextConfig

TRIALS: Final = 4
_MORE: Final = 1.25
_LESS: Final = 0.75
_WARM_STEPS: Final = 2


@dataclass(frozen=True)
class Clock:
    """Where the time comes from, and how it passes."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


def capacity(
    recognizer: Recognizer,
    notation: str,
    audio: Floats,
    *,
    cached: bool,
    batch: int,
    seconds: float,
    step_s: float,
    clock: Clock | None = None,
) -> dict[str, object]:
    """The largest number that was carried, and all that were tried.

    Args:
        recognizer: of the model.
        notation: of the context.
        audio: what is said.
        cached: whether frames are encoded once.
        batch: streams of a step.
        seconds: for all trials.
        step_s: what a step of so many takes, to begin with.
        clock: for tests.
    """
    context = ContextConfig.parse(notation)
    chunk_s = context.samples.chunk / 16_000
    count = max(1, int(0.8 * batch * chunk_s / step_s))
    trials: list[dict[str, object]] = []
    carried = 0
    for _ in range(TRIALS):
        try:
            make_ready(recognizer, context, min(batch, count), count, cached=cached)
            streams = Streams(recognizer, context, count, audio, cached=cached)
            _fill(streams, batch)
            told = trial(streams, batch, chunk_s, seconds / TRIALS, clock or Clock())
        except ComputeError as error:
            told = {"carried": False, "error": str(error)}
        trials.append({"streams": count} | told)
        if told["carried"]:
            carried = max(carried, count)
        count = max(1, int(count * (_MORE if told["carried"] else _LESS)))
    return {"context": notation, "cached": cached, "carried": carried, "trials": trials}


def trial(
    streams: Streams, batch: int, chunk_s: float, seconds: float, clock: Clock
) -> dict[str, object]:
    """Steps streams as their audio arrives; whether that was in time."""
    count = len(streams.streams)
    groups = [range(first, min(first + batch, count)) for first in range(0, count, batch)]
    began_s = clock.now()
    late_s: list[float] = []
    taken: list[StepTimes] = []
    for turn in range(max(1, math.ceil(seconds / chunk_s))):
        for at, group in enumerate(groups):
            due_s = began_s + (turn + at / len(groups)) * chunk_s
            if (early_s := due_s - clock.now()) > 0:
                clock.sleep(early_s)
            taken.append(streams.step(group, sync=False))
            late_s.append(clock.now() - due_s)
        if clock.now() - began_s > 2 * seconds:
            break
    late_s.sort()
    p99_s = late_s[min(len(late_s) - 1, int(0.99 * len(late_s)))]
    busy_s = sum(each.whole_s for each in taken)
    return {
        "carried": p99_s <= chunk_s / 2,
        "p50_ms": round(1000 * late_s[len(late_s) // 2], 2),
        "p99_ms": round(1000 * p99_s, 2),
        "busy": round(busy_s / max(clock.now() - began_s, 1e-9), 3),
        "host_share": round(sum(each.host_s for each in taken) / busy_s, 3),
    }


def _fill(streams: Streams, batch: int) -> None:
    """Full left contexts would take minutes in real time; a few steps warm up what is needed."""
    for _ in range(_WARM_STEPS):
        for first in range(0, len(streams.streams), batch):
            streams.step(range(first, min(first + batch, len(streams.streams))))
