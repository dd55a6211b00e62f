"""Options of recognition, voice activity, endpoints and live streams with any numbers."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from typing import Any

from fuzz.choices import Choices
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.ring_sizing import ring_capacity

KINDS = (VadOptions, EndpointOptions, RecognitionOptions, StallGuard, LiveOptions)


def run(data: bytes) -> None:
    choices = Choices(data)
    kind = choices.one_of(KINDS)
    named = {each.name: each for each in fields(kind)}
    chosen: dict[str, Any] = {}
    for _ in choices.times(4):
        name = choices.one_of(tuple(named))
        if name not in ("delay", "vad", "endpoint"):
            chosen[name] = _value(choices, may_be_none=named[name].default is None)
    with suppress(ParakeetError):
        _use(kind(**chosen))


def _value(choices: Choices, *, may_be_none: bool) -> object:
    kind = choices.number(0, 4)
    if kind == 0:
        return choices.number(-(2**70), 2**70)
    return None if kind == 1 and may_be_none else choices.real()


def _use(options: object) -> None:
    if isinstance(options, EndpointOptions):
        Endpointer(options)
    if isinstance(options, VadOptions):
        assert 0 < options.effective_neg_threshold <= options.threshold
    if isinstance(options, LiveOptions):
        ring_capacity(options.context, burst_s=options.burst_s, step_s=0.1)


def seeds() -> Iterator[bytes]:
    for kind in range(len(KINDS)):
        for field in range(8):
            yield bytes((kind, field, 1, 0, 2, (field + 1) % 8, 0, field))
