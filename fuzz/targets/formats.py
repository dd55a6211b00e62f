"""Transcripts as SRT, WebVTT and JSON, read back by ffmpeg and by `json`."""

import io
import json
from collections.abc import Iterator
from typing import Any, NoReturn

import av

from fuzz.choices import Choices
from fuzz.heard import heard, speech
from parakeet_streaming import formats
from parakeet_streaming.formats import FORMATS, Recording
from parakeet_streaming.results import Final, Gap, HealthHint, Partial, Transcript
from parakeet_streaming.timeline import ContextConfig


def run(data: bytes) -> None:
    choices = Choices(data)
    source, latency_s, processing_s = choices.text(30), choices.real(), choices.real()
    transcript = heard(choices.rest())
    context = ContextConfig.balanced()
    recording = Recording(transcript, "tiny-en", context, latency_s, processing_s, source)
    written = {each: formats.render(recording, each) for each in FORMATS}
    for text in written.values():
        text.encode()
    _check_cues(written["srt"], "srt", transcript)
    _check_cues(written["vtt"], "webvtt", transcript)
    assert written["txt"].count("\n") == len(transcript.segments)
    for line in (written["json"], written["jsonl"], *_events(transcript, latency_s, source)):
        told = _read(line)
        assert isinstance(told, dict)
    assert written["jsonl"].count("\n") == 1


def _check_cues(text: str, format: str, transcript: Transcript) -> None:
    """As many cues as there are, at their times."""
    expected = [
        (round(cue.start * 1000), round(cue.end * 1000) - round(cue.start * 1000))
        for cue in formats.cues(transcript)
    ]
    if not expected:
        return  # ffmpeg knows no subtitles without a cue
    container: Any = av.open(io.BytesIO(text.encode()), format=format)
    with container:
        packets = [packet for packet in container.demux() if packet.pts is not None]
    found = [(packet.pts, packet.duration) for packet in packets]
    assert found == expected, f"{format} says {found}, not {expected}"


def _events(transcript: Transcript, seconds: float, source: str) -> Iterator[str]:
    tokens = transcript.tokens
    for event in (
        Partial(transcript.text, tokens, transcript.text, tokens, seconds, seconds),
        Final(transcript),
        Gap(seconds, seconds),
        HealthHint("rate", transcript.text, seconds),
    ):
        line = formats.to_jsonl_event(event, source)
        assert line.count("\n") == 1
        yield line


def _read(line: str) -> object:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(line, parse_constant=refuse)


def seeds() -> Iterator[bytes]:
    for each in speech():
        yield b"\4a\xedbc\1\0\x81\0\1" + each
        yield b"\0\0\0\0\1" + each
