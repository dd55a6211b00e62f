"""What the host does for each row of a step of the torch runtime, in calls and microseconds.

python -m benchmarks.gpu.host_rows

It needs no GPU. What is shown is a step of many rows less one of fewer, for each row more: what a
step costs once, such as its launches, is not in it. Calls of Python are counted in real steps of a
small model, so rows have tokens. In steps that are timed, what a GPU would capture is replaced by
nothing, and so are log-mels: what is left is what the host does, whatever the model. Copies of
samples are told apart: on a processor, one of the two is what a GPU would do itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any, Final

from benchmarks.gpu.models import SMALL, make_ready, random_model, recognizer_of, sound
from benchmarks.gpu.streams import Streams
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.torch_runtime import slots
from parakeet_streaming.torch_runtime.captured import Captured, Graphs
from parakeet_streaming.torch_runtime.devices import open_device
from parakeet_streaming.torch_runtime.step_buffers import StepBuffers
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

CONTEXTS: Final = ("2-0.25-0.25",)
COUNTED: Final = (64, 128)
"""Rows of two steps whose calls are counted."""
TIMED: Final = (256, 512)
"""Rows of two steps that are timed."""
STEPS: Final = 40
"""That are timed; the median counts."""
_ROOM: Final = str(Path(slots.__file__).parent)


@dataclass(frozen=True)
class HostRow:
    """For one row of a step."""

    calls: float
    """Of functions in Python, made by the runtime; what frees its slots included."""
    encode_us: float
    """Processor time of one thread, copies of samples left out."""
    copies_us: float
    """And that of those."""
    decode_us: float


def measured(
    context: str,
    *,
    cached: bool,
    counted: Sequence[int] = COUNTED,
    timed: Sequence[int] = TIMED,
    steps: int = STEPS,
) -> HostRow:
    """Of streams with full left contexts and without phrases.

    Args:
        context: of all of them.
        cached: whether they encode each frame once.
        counted: rows of the two steps whose calls are counted, the fewer first.
        timed: and of those that are timed.
        steps: that are timed of each.
    """
    fewer, more = (_calls(_streams(context, rows, cached=cached)) for rows in counted)
    calls = (more - fewer) / (counted[1] - counted[0])
    with _without_work():
        before, after = (_seconds(_streams(context, rows, cached=cached), steps) for rows in timed)
    encode_us, copies_us, decode_us = (
        (many - few) / (timed[1] - timed[0]) * 1e6 for few, many in zip(before, after, strict=True)
    )
    return HostRow(calls, encode_us - copies_us, copies_us, decode_us)


def _streams(context: str, count: int, *, cached: bool) -> Streams:
    device, cut = open_device("cpu", threads=1), ContextConfig.parse(context)
    model = random_model(SMALL, device)
    recognizer = recognizer_of(model, device, bfloat16=False, graphs=True)
    make_ready(recognizer, cut, count, count, cached=cached)
    streams = Streams(recognizer, cut, count, sound(), cached=cached)
    streams.fill()
    return streams


def _calls(streams: Streams) -> int:
    """Calls of Python in one step that the runtime makes."""
    inside, count = [False], 0

    def counting(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        if event == "call":
            count += inside[0] or frame.f_code.co_filename.startswith(_ROOM)

    @contextmanager
    def around() -> Iterator[None]:
        inside[0] = True
        try:
            yield
        finally:
            inside[0] = False

    with _around(TorchTransducer, "encode", around), _around(TorchTransducer, "decode", around):
        sys.setprofile(counting)
        try:
            streams.step()
        finally:
            sys.setprofile(None)
    return count


def _seconds(streams: Streams, steps: int) -> tuple[float, float, float]:
    """Processor time of encode, of copies of samples in it, and of decode."""
    encode, copies, decode = _Clock(), _Clock(), _Clock()
    with (
        _around(TorchTransducer, "encode", encode.running),
        _around(StepBuffers, "lay", copies.running),
        _around(TorchTransducer, "decode", decode.running),
    ):
        for _ in range(steps):
            streams.step()
    return median(encode.told), median(copies.told), median(decode.told)


class _Clock:
    """Processor time of a thread."""

    def __init__(self) -> None:
        self.told: list[float] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        began_s = time.thread_time()
        yield
        self.told.append(time.thread_time() - began_s)


@contextmanager
def _around(
    owner: type, name: str, around: Callable[[], AbstractContextManager[None]]
) -> Iterator[None]:
    """Puts `around()` around each call of a method."""
    real = getattr(owner, name)

    def wrapped(*arguments: Any) -> Any:
        with around():
            return real(*arguments)

    setattr(owner, name, wrapped)
    try:
        yield
    finally:
        setattr(owner, name, real)


@contextmanager
def _without_work() -> Iterator[None]:
    """Replaces what the device does by nothing."""
    places: list[tuple[type, str]] = [
        (Captured, "run"),
        (Graphs, "capture"),
        (StepBuffers, "hear"),
    ]
    real = [getattr(owner, name) for owner, name in places]
    for owner, name in places:
        setattr(owner, name, lambda *_: None)
    try:
        yield
    finally:
        for (owner, name), known in zip(places, real, strict=True):
            setattr(owner, name, known)


def main(contexts: Sequence[str] = CONTEXTS) -> None:
    """Prints a table."""
    print("| context | mode | calls of Python | encode, µs | copies of samples, µs | decode, µs |")
    print("| :-- | :-- | --: | --: | --: | --: |")
    for context in contexts:
        for cached in (True, False):
            row = measured(context, cached=cached)
            print(
                f"| {context} | {'cached' if cached else 'windows'} | {row.calls:.1f} "
                f"| {row.encode_us:.1f} | {row.copies_us:.1f} | {row.decode_us:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
