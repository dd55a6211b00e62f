"""A snapshot with forged values: refused, or a stream that goes on to its end."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import numpy as np

from fuzz.choices import Choices
from fuzz.small_recognizer import small_recognizer
from fuzz.snapshot_bytes import forged
from parakeet_streaming.engine.snapshot import MAGIC
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.errors import ParakeetError, SnapshotError
from parakeet_streaming.timeline import ContextConfig

recognizer = cache(small_recognizer)
LOUD = np.full(16_000, 0.125, np.float32)
SOUND = np.concatenate([LOUD, np.zeros(8_000, np.float32), LOUD[:11_200]])
SHORT = ContextConfig(0.32, 0.16, 0.16)


def run(data: bytes) -> None:
    snapshot = data if data.startswith(MAGIC) else forged(_snapshots(), Choices(data))
    try:
        stream = recognizer().restore(snapshot)
    except SnapshotError:
        return
    with suppress(ParakeetError):
        if not stream.closed:
            stream.snapshot()
            stream.feed(SOUND)
            stream.finish()
        stream.transcript()


@cache
def _snapshots() -> tuple[bytes, ...]:
    return (
        _after(SHORT),
        _after(SHORT, cached=True),
        _after(ContextConfig(0.0, 0.16, 0.0, sample_rate=8_000)),
        _after(SHORT, guard=StallGuard()),
        _after(SHORT, ended=True),
    )


def _after(
    context: ContextConfig,
    *,
    cached: bool = False,
    guard: StallGuard | None = None,
    ended: bool = False,
) -> bytes:
    """A snapshot after a second and a half."""
    stream = recognizer().stream(context, cached=cached, stall_guard=guard)
    stream.feed(SOUND[:24_000])
    if ended:
        stream.end()
    return stream.snapshot()


def seeds() -> Iterator[bytes]:
    yield _snapshots()[0]
    for number in range(len(_snapshots())):
        for at in range(0, 200, 20):
            yield bytes((number, at, 0, at % 9, at + 1, 3, at % 40))
