"""Messages of `/v1/stream`, and the settings in them: read or refused, and never out of bounds."""

import json
from collections.abc import Iterator
from contextlib import suppress

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.native_commands import Configure, Missing, command_of
from parakeet_streaming.server.protocols.native_settings import StreamSettings

RATE_HZ = 16_000
MOST_MISSING = 3_600 * RATE_HZ


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        command = command_of(data.decode("utf-8", "replace"), RATE_HZ)
        if isinstance(command, Missing):
            assert 0 < command.samples <= MOST_MISSING
        if isinstance(command, Configure):
            settings = StreamSettings(RATE_HZ).with_fields(command.fields)
            settings.options(LiveOptions())


def seeds() -> Iterator[bytes]:
    for told in (
        {"type": "finish"},
        {"type": "marker", "id": "m"},
        {"type": "gap", "samples": 320},
        {"type": "gap", "samples": 10**400},
        {"type": "configure", "context": "5-0.5-0.5", "vad": False, "channels": "separate"},
        {"type": "configure", "encoding": "mulaw", "sample_rate": 8_000, "max_utterance_s": 9},
        {"type": "configure", "endpointing": "off", "words": True, "fixed": 1},
        {"type": ["finish"]},
    ):
        yield json.dumps(told).encode()
    yield b"[" * 10_000
    yield b'{"type":"gap","samples":' + b"9" * 5_000 + b"}"
