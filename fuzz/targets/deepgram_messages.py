"""What Deepgram's clients ask for in the query, and what they say: read or refused."""

import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.deepgram import command_of
from parakeet_streaming.server.protocols.deepgram_settings import settings_of


def run(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(ParakeetError):
        command_of(text)
    with suppress(ParakeetError):
        settings = settings_of(dict(parse_qsl(text, keep_blank_values=True)))
        settings.options(LiveOptions())


def seeds() -> Iterator[bytes]:
    for kind in ("KeepAlive", "Finalize", "CloseStream", "Configure"):
        yield json.dumps({"type": kind}).encode()
    usual = {"encoding": "linear16", "sample_rate": "16000"}
    for more in (
        {},
        {"channels": "2", "multichannel": "true", "interim_results": "true"},
        {"endpointing": "300", "utterance_end_ms": "1000", "vad_events": "true"},
        {"endpointing": "1e400", "context": "5-0.5-0.5", "redact": "pci"},
        {"encoding": "mulaw", "sample_rate": "nan", "callback": "http://x"},
    ):
        yield urlencode({**usual, **more}).encode()
