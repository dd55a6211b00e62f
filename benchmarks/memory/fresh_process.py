"""What `footprint.py` asks for in; one measurement of this process, which must be a fresh one, out.

Nothing but `footprint.py` imports this file, and only in a process that measures one thing:
importing is part of what is measured.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

_BEGAN_S = time.perf_counter()

from benchmarks.memory.process import peak_resident_mib, resident_mib  # noqa: E402 (clock first)
from benchmarks.models.runtimes import open_model, parts_of  # noqa: E402
from benchmarks.models.sizes import CACHED  # noqa: E402
from benchmarks.speech.book import speech_of  # noqa: E402
from benchmarks.speed.lockstep import filling_steps, timed_steps  # noqa: E402
from parakeet_streaming import ContextConfig, Recognizer  # noqa: E402

_IMPORTED_S = time.perf_counter()

_SPEECH_S = 10.0
_MIB = 2**20


def start(asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds to import, to load, and to decode the first second."""
    speech = speech_of(1.0)
    loading_s = time.perf_counter()
    recognizer = _open(asked)
    loaded_s = time.perf_counter()
    recognizer.transcribe(speech)
    return {
        "import_s": _IMPORTED_S - _BEGAN_S,
        "load_s": loaded_s - loading_s,
        "first_s": time.perf_counter() - loaded_s,
    }


def memory(asked: argparse.Namespace) -> dict[str, Any]:
    """Memory before the model, at its highest, and after some speech.

    Runtimes lay out weights in the first call, so only then is a model loaded.
    """
    speech = speech_of(_SPEECH_S)
    imported_mib = resident_mib()
    recognizer = _open(asked)
    recognizer.transcribe(speech_of(1.0))
    loaded_peak_mib = peak_resident_mib()
    recognizer.transcribe(speech)
    (name,) = asked.runtime
    parts = parts_of(asked.model, name, cached=asked.mode == CACHED)
    return {
        "files_bytes": sum(part.size_bytes for part in parts.onnx),
        "imported_mib": imported_mib,
        "loaded_peak_mib": loaded_peak_mib,
        "peak_mib": peak_resident_mib(),
        "after_mib": resident_mib(),
    }


def streams(asked: argparse.Namespace) -> dict[str, Any]:
    """Memory and time of a step of many streams whose left contexts are full."""
    (count,) = asked.streams
    recognizer = _open(asked)
    context = ContextConfig.parse(asked.context)
    cached = asked.mode == CACHED
    filling = filling_steps(context)
    opened = [recognizer.stream(context, cached=cached) for _ in range(count)]
    took_s = timed_steps(opened, filling + asked.steps, recognizer.step)[filling:]
    found = {
        "step_s": statistics.median(took_s),
        "after_mib": resident_mib(),
        "peak_mib": peak_resident_mib(),
    }
    tracemalloc.start()
    one = recognizer.stream(context, cached=cached)
    timed_steps([one], filling, recognizer.step)
    gc.collect()
    return found | {"kept_mib": tracemalloc.get_traced_memory()[0] / _MIB}


def _open(asked: argparse.Namespace) -> Recognizer:
    (name,) = asked.runtime
    return open_model(asked.model, name, cached=asked.mode == CACHED, threads=asked.threads)


MEASURES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "start": start,
    "memory": memory,
    "streams": streams,
}
