"""Contexts, presets and delays as texts, at any rate."""

from collections.abc import Iterator
from contextlib import suppress

from fuzz.choices import Choices
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.timeline import PRESETS, ContextConfig

RATES_HZ = (16_000, 8_000, 44_100, 384_000, 3_999, 0, -1)


def run(data: bytes) -> None:
    choices = Choices(data)
    rate_hz = choices.one_of(RATES_HZ)
    text = choices.text()
    with suppress(ParakeetError):
        context = ContextConfig.parse(text, rate_hz)
        left, chunk, right = context.effective
        assert 0 <= left <= context.left and 0 < chunk <= context.chunk
        assert 0 <= right <= context.right
        assert ContextConfig.parse(str(context), rate_hz).frames.chunk >= 1
    with suppress(ParakeetError):
        assert DelayRange.parse(text, 16_000).levels(400.0)
    with suppress(ParakeetError):
        ContextConfig(choices.real(), choices.real(), choices.real(), rate_hz).samples  # noqa: B018


def seeds() -> Iterator[bytes]:
    for text in (*PRESETS, "10-2-2", "1.5-0.25-0.25", " 0-0.08-0 ", "3600-3600-3600", "1e9-1-1"):
        yield bytes((0, len(text))) + text.encode() + bytes(6)
