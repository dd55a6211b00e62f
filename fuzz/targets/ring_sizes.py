"""Sizes of the classic API's rings, and of a live stream's, by any numbers."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any
from unittest import mock

from fuzz.choices import Choices
from fuzz.small_recognizer import small_recognizer
from parakeet_streaming import ContextConfig, ParakeetTDTModel, StreamingParakeetTDT
from parakeet_streaming.audio import ring
from parakeet_streaming.classic import streaming
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.limits import MOST_RING_S, MOST_RING_SLOTS
from parakeet_streaming.live.ring_sizing import ring_capacity

FEW_SAMPLES = 1 << 20
"""Rings up to this are made; of larger ones the size is looked at."""


def run(data: bytes) -> None:
    choices = Choices(data)
    chosen: dict[str, Any] = {
        "audio_ring_s": _number(choices),
        "token_ring_slots": _number(choices),
    }
    with suppress(ParakeetError):
        left, chunk, right = (choices.number(0, 400) / 20 for _ in range(3))
        rate_hz = choices.one_of((16_000, 8_000, 384_000, 4_000))
        context = ContextConfig(left, chunk, right, sample_rate=rate_hz)
        with suppress(ParakeetError):
            _rings(context, chosen)
        capacity = ring_capacity(context, burst_s=choices.real(), step_s=choices.real())
        assert 0 < capacity <= MOST_RING_S * 16_000 * 100
    with suppress(ParakeetError):
        ring.value_ring(_small(_number(choices)))


def _rings(context: ContextConfig, chosen: dict[str, Any]) -> None:
    """An engine whose rings hold what was asked for, or a whole window."""
    asked: list[int] = []

    def sample_ring(capacity: int) -> tuple[ring.SampleWriter, ring.SampleReader]:
        asked.append(capacity)
        return ring.sample_ring(min(capacity, FEW_SAMPLES))

    with mock.patch.object(streaming, "sample_ring", sample_ring):
        engine, producer, consumer = StreamingParakeetTDT.new(_model(), context, **chosen)
    (capacity,) = asked
    window = context.samples.window * context.sample_rate / 16_000
    assert capacity <= MOST_RING_S * context.sample_rate
    assert capacity >= int(window) and capacity >= int(chosen["audio_ring_s"] * context.sample_rate)
    assert 1 <= chosen["token_ring_slots"] <= MOST_RING_SLOTS
    assert producer.push([0.0] * 10) == 10
    producer.close()
    consumer.close()
    engine.process_audio()


@cache
def _model() -> ParakeetTDTModel:
    return ParakeetTDTModel(small_recognizer())


def _number(choices: Choices) -> object:
    kind = choices.number(0, 3)
    if kind == 0:
        return choices.number(-(2**70), 2**70)
    if kind == 1:
        return choices.one_of((None, "5", True, [1], 2.0))
    return choices.real() if kind == 2 else choices.number(0, 300)


def _small(value: Any) -> Any:  # noqa: ANN401  whatever a caller gives
    return min(value, FEW_SAMPLES) if isinstance(value, int) and value < 2**40 else value


def seeds() -> Iterator[bytes]:
    for kind in range(4):
        yield bytes((3, 30, 0, 3, 100, 0, 40, 0, 10, 0, 10, 0, kind, 1, 0, 2, 1, 9))
        yield bytes((kind, 2, 0, 3, 100, 0, 40, 0, 10, 0, 10, 0, kind, 1, 0, 2, 1, 9))
