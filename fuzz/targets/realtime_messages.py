"""Messages of OpenAI Realtime: each is read or answered by a mistake; sessions stay in bounds."""

import json
from collections.abc import Iterator
from contextlib import suppress

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.openai_realtime_commands import Update, read
from parakeet_streaming.server.protocols.openai_realtime_options import (
    first_settings,
    live_options,
)

RATE_HZ = 24_000


def run(data: bytes) -> None:
    defaults = LiveOptions()
    settings = first_settings("tiny-en", defaults)
    for line in data.split(b"\n")[:8]:
        command = read(line.decode("utf-8", "replace")).command
        if not isinstance(command, Update):
            continue
        with suppress(ParakeetError):
            settings = settings.updated(command.session)
            json.dumps([settings.told("x"), settings.told_before("x")], allow_nan=False)
            live_options(settings, defaults, RATE_HZ)


def seeds() -> Iterator[bytes]:
    vad = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500}
    eager = {"type": "semantic_vad", "eagerness": "low"}
    sound = {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": vad}
    words = {"model": "whisper-1", "delay": "low", "language": "en"}
    for session in (
        {"type": "transcription", "audio": {"input": sound}},
        {"audio": {"input": {**sound, "turn_detection": None, "transcription": words}}},
        {"audio": {"input": {"turn_detection": eager}}, "include": ["x"]},
        {"audio": {"input": {"turn_detection": {**vad, "silence_duration_ms": 1e308}}}},
    ):
        yield json.dumps({"type": "session.update", "session": session}).encode()
    older = {"input_audio_format": "g711_ulaw", "turn_detection": vad}
    update = {"type": "transcription_session.update", "session": older, "event_id": "e"}
    append = {"type": "input_audio_buffer.append", "audio": "AAAA"}
    yield b"\n".join(json.dumps(each).encode() for each in (update, append, {"type": "x"}))
    yield b'{"type":"input_audio_buffer.append","audio":"A"}\nno JSON'
