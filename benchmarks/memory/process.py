"""A recognizer and a recording in; the memory of the process over a long stream out."""

from __future__ import annotations

import gc
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.report.tables import progress
from benchmarks.speech.book import looped
from parakeet_streaming import ContextConfig, Partial, Recognizer
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_MIB = 2**20
_STATUS = Path("/proc/self/status")
_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 10
_MINUTE_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Memory:
    """Memory at the end of one minute of audio."""

    minute: int
    """0 is the moment before the first sample."""
    resident_mib: float
    tokens: int
    """Committed so far; the stream keeps them for its transcript."""


def memory_over(
    recognizer: Recognizer, context: ContextConfig, samples: NDArray[np.float32], minutes: int
) -> list[Memory]:
    """Streams `minutes` of audio, samples (n,) at 16 kHz over and over, in blocks of 0.1 s."""
    stream = recognizer.stream(context)
    measured = [Memory(0, resident_mib(), 0)]
    tokens = 0
    for minute in progress(range(1, minutes + 1), "minutes of audio"):
        minute_start = (minute - 1) * _MINUTE_SAMPLES
        for start in range(minute_start, minute_start + _MINUTE_SAMPLES, _BLOCK_SAMPLES):
            events = stream.feed(looped(samples, start, _BLOCK_SAMPLES))
            tokens += sum(len(event.tokens) for event in events if isinstance(event, Partial))
        measured.append(Memory(minute, resident_mib(), tokens))
    return measured


def peak_resident_mib() -> float:
    """The most memory that this process has had; on Linux since its program began."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / _MIB
    if not _STATUS.exists():
        import resource

        # Bytes on a Mac, kilobytes elsewhere.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB
    # What `getrusage` tells there, a process inherits from the one that started it.
    found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
    assert found is not None
    return int(found[1]) / 1024


def resident_mib() -> float:
    """The memory that this process has now."""
    gc.collect()
    return psutil.Process().memory_info().rss / _MIB
