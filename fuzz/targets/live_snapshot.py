"""A live stream's snapshot with forged values: refused, or a stream that goes on to its end."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import numpy as np

from fuzz.by_hand import HandEngine
from fuzz.choices import Choices
from fuzz.snapshot_bytes import forged
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.snapshot import MAGIC
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.timeline import ContextConfig

SHORT = DelayRange.fixed(ContextConfig(0.32, 0.16, 0.16))
LOUD = np.full(16_000, 0.125, np.float32)
SOUND = np.concatenate([LOUD[:9_600], np.zeros(16_000, np.float32), LOUD[:6_400]])
EVERY = (
    LiveOptions(SHORT),
    LiveOptions(SHORT, vad=None, endpoint=EndpointOptions.aggressive()),
    LiveOptions(SHORT, vad=VadOptions(), endpoint=None, cached=True),
)


def run(data: bytes) -> None:
    choices = Choices(data)
    if data.startswith(MAGIC):
        number, snapshot = 0, data
    else:
        number = choices.number(0, len(EVERY) - 1)
        snapshot = forged(_snapshots()[number : number + 1], choices)
    engine = HandEngine()
    with suppress(ParakeetError):
        stream = engine.open(EVERY[number], resume=snapshot)
        engine.push(stream, SOUND)
        stream.finish()
        engine.settle()
        while stream.get(0) is not None:
            pass
        stream.transcript()
    assert engine.loop.failure is None, f"the engine broke: {engine.loop.failure!r}"


@cache
def _snapshots() -> tuple[bytes, ...]:
    return tuple(_after(options) for options in EVERY)


def _after(options: LiveOptions) -> bytes:
    engine = HandEngine()
    stream = engine.open(options)
    engine.push(stream, SOUND[:20_000])
    return engine.snapshot(stream)


def seeds() -> Iterator[bytes]:
    yield _snapshots()[0]
    for number in range(len(EVERY)):
        for at in range(0, 250, 16):
            yield bytes((number, 0, at, 0, at % 9, at + 1, 0, 3, at % 40))
