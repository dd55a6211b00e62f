"""A recognizer in; what its steps and recordings cost, and on what the time goes, out."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.models import make_ready
from benchmarks.gpu.streams import StepTimes, Streams, synchronise
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import ContextConfig

_TIMED: Final = 5
_KINDS: Final = (
    ("attention", re.compile(r"attention|fmha|flash|softmax", re.IGNORECASE)),
    ("matrix products", re.compile(r"gemm|cutlass|matmul|addmm|::mm|bmm|linear|cublas", re.I)),
    ("convolutions", re.compile(r"conv|cudnn(?!.*rnn)|depthwise", re.IGNORECASE)),
    ("LSTM", re.compile(r"lstm|rnn", re.IGNORECASE)),
    ("copies and gathers", re.compile(r"copy|memcpy|index|gather|scatter|cat|memset", re.I)),
)

Row = dict[str, object]


def step_rows(
    recognizer: Recognizer,
    context: str,
    batches: Sequence[int],
    audio: Floats,
    *,
    cached: bool,
    in_time: Callable[[], bool],
    boosting: Boosting | None = None,
) -> Iterator[Row]:
    """The median of a few steps of so many streams, batch after batch while there is time.

    `ready_s` says how long it took to make all of them ready, where the recognizer does that.
    """
    cut = ContextConfig.parse(context)
    most = max(batches)
    if not in_time():
        return
    try:
        ready_s = make_ready(recognizer, cut, most, most, cached=cached)
    except ComputeError as error:
        yield {"batch": 0, "error": str(error)}
        return
    for batch in batches:
        if not in_time():
            return
        try:
            streams = Streams(recognizer, cut, batch, audio, cached=cached, boosting=boosting)
            streams.fill()
            times = [streams.step() for _ in range(_TIMED)]
        except ComputeError as error:
            yield {"batch": batch, "error": str(error)}
            return
        yield {"batch": batch, **_medians(times), "ready_s": round(ready_s, 2)}


def _medians(times: Sequence[StepTimes]) -> Row:
    return {
        f"{part}_ms": round(
            1000 * statistics.median(getattr(each, f"{part}_s") for each in times), 3
        )
        for part in ("whole", "encode", "decode", "host")
    }


def offline_rows(
    recognizer: Recognizer, batches: Sequence[int], seconds: float, audio: Floats
) -> Iterator[Row]:
    """How many times faster than they play so many recordings are decoded at once."""
    context = recognizer.offline_context(seconds)
    samples = audio[: int(seconds * 16_000)]
    for batch in batches:
        took_s = []
        try:
            for _ in range(3):
                opened = [recognizer.open(StreamOptions(context)) for _ in range(batch)]
                for stream in opened:
                    stream.window.feed(samples)
                    stream.end()
                began_s = time.perf_counter()
                step = recognizer.prepare(opened)
                step.encode()
                step.decode()
                step.commit()
                took_s.append(time.perf_counter() - began_s)
        except ComputeError as error:
            yield {"batch": batch, "error": str(error)}
            return
        best_s = min(took_s)
        yield {
            "batch": batch,
            "seconds_each": seconds,
            "took_ms": round(1000 * best_s, 2),
            "times_real_time": round(batch * seconds / best_s, 1),
        }


def profile_rows(streams: Streams) -> Row:
    """Shares of one step: of the device's time by what it does; and the device's of the whole."""
    on_gpu = torch.cuda.is_available()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    streams.step()
    plain = streams.step()
    synchronise()
    with profile(activities=activities) as profiled:
        streams.step()
        synchronise()
    spent: dict[str, float] = {}
    calls = 0
    for event in profiled.key_averages():
        own_us = _own_us(event, on_gpu)
        if own_us <= 0:
            continue
        calls += event.count
        spent[_kind(event.key)] = spent.get(_kind(event.key), 0.0) + own_us
    total_us = sum(spent.values()) or 1.0
    return {
        "step_ms": round(1000 * plain.whole_s, 3),
        "device_ms": round(total_us / 1000, 3),
        "calls": calls,
        "decoder_share": round(plain.decode_s / plain.whole_s, 3),
        "host_share": round(plain.host_s / plain.whole_s, 3),
        "device_shares": {
            kind: round(each / total_us, 3)
            for kind, each in sorted(spent.items(), key=lambda pair: -pair[1])
        },
    }


def _own_us(event: Any, on_gpu: bool) -> float:
    """Of a profiled operation: a GPU's own time is that of its kernels."""
    if not on_gpu:
        return float(event.self_cpu_time_total)
    is_kernel = "cuda" in str(event.device_type).lower()
    return float(event.self_device_time_total) if is_kernel else 0.0


def _kind(name: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.search(name)), "pointwise and other")
