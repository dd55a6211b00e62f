"""Transcripts that a page sends: subtitles that a reader takes, or refused."""

import json
from collections.abc import Iterator
from contextlib import suppress

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.server.protocols.fields import Fields, object_of
from parakeet_streaming.server.protocols.page_subtitles import page_subtitles


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        made, content_type = page_subtitles(Fields(object_of(data)))
        assert not made or made.endswith(b"\n")
        assert content_type != "text/vtt" or made.startswith(b"WEBVTT\n")


def seeds() -> Iterator[bytes]:
    word = {"text": "one", "start": 1, "end": 1.5}
    for utterance in (
        {**word, "words": [word, {"text": "two.", "start": 2, "end": 2.5}]},
        {"text": "one two\ud800", "start": 3, "end": 1, "words": []},
        {"text": "<b>{\\an8}&amp;" * 20, "start": 0, "end": 1e5, "words": []},
        {"text": "一二三四五六七八九十" * 9, "start": 0, "end": 9, "words": []},
    ):
        for name in ("srt", "vtt"):
            told = {"format": name, "utterances": [utterance], "audio_s": 9.5}
            yield json.dumps(told).encode()
    yield b'{"format":"srt","utterances":[{"text":1e999}]}'
