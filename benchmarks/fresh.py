"""What `growth.py` asks for in; one measurement of this process, which must be a fresh one, out.

Nothing but `growth.py` imports this file, and only in a process that measures one thing: importing
is part of what is measured.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

_BEGAN_S = time.perf_counter()

from contenders import RUNTIMES  # noqa: E402 (the clock comes first)
from memory import peak_resident_mib, resident_mib  # noqa: E402
from opening import Choice, open_model, parts_of  # noqa: E402
from parakeet_streaming import ContextConfig, Recognizer, Stream  # noqa: E402
from sizes import CACHED  # noqa: E402
from speech import looped, speech_of  # noqa: E402

_IMPORTED_S = time.perf_counter()

_BOOK_S = 45.0
_HEARD_S = 10.0
_APART_SAMPLES = 59_200
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
    """Memory before the model, at its highest, and after some speech."""
    speech = speech_of(_HEARD_S)
    imported_mib = resident_mib()
    recognizer = _open(asked)
    recognizer.transcribe(speech)
    parts = parts_of(asked.model, _choice(asked))
    return {
        "files_bytes": sum(part.size_bytes for part in parts.onnx),
        "imported_mib": imported_mib,
        "peak_mib": peak_resident_mib(),
        "after_mib": resident_mib(),
    }


def streams(asked: argparse.Namespace) -> dict[str, Any]:
    """Memory and time of a step of many streams whose left contexts are full."""
    (count,) = asked.streams
    recognizer = _open(asked)
    context = ContextConfig.parse(asked.context)
    cached = asked.mode == CACHED
    filling = context.left_frames // context.chunk_frames + 2
    opened = [recognizer.stream(context, cached=cached) for _ in range(count)]
    took_s = _walk(recognizer, opened, filling + asked.steps)[filling:]
    told = {
        "step_s": statistics.median(took_s),
        "after_mib": resident_mib(),
        "peak_mib": peak_resident_mib(),
    }
    tracemalloc.start()
    one = recognizer.stream(context, cached=cached)
    _walk(recognizer, [one], filling)
    gc.collect()
    return told | {"kept_mib": tracemalloc.get_traced_memory()[0] / _MIB}


def _walk(recognizer: Recognizer, opened: Sequence[Stream], steps: int) -> list[float]:
    """Steps of all streams together; the seconds of each."""
    context = opened[0].context
    speech = speech_of(_BOOK_S)
    fed_samples = 0
    took_s = []
    for step in range(steps):
        # A window needs one sample beyond its right context.
        needed = (step + 1) * context.chunk_samples + context.right_samples + 1
        for at, stream in enumerate(opened):
            begins = at * _APART_SAMPLES + fed_samples
            stream.push(looped(speech, begins, needed - fed_samples))
        fed_samples = needed
        started_s = time.perf_counter()
        recognizer.step(opened)
        took_s.append(time.perf_counter() - started_s)
    return took_s


def _choice(asked: argparse.Namespace) -> Choice:
    (name,) = asked.runtime
    runtime = RUNTIMES[name]
    return Choice(runtime.runtime, runtime.precision, asked.mode == CACHED, asked.threads)


def _open(asked: argparse.Namespace) -> Recognizer:
    return open_model(asked.model, _choice(asked)).recognizer()


MEASURES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "start": start,
    "memory": memory,
    "streams": streams,
}
