"""Wyoming: events of a client in, as values; the server's events out, as bytes.

https://github.com/OHF-Voice/wyoming describes it. Alone imports its library, whose classes say what
our events are. A client's events are read by `wyoming_frames.py`: the library keeps as many bytes
as a client announces, and takes any number for a rate.

Rules of this file:

1. Types that are not known say nothing, as the protocol wants it.
2. A number that makes no sense is named. It is a mistake in one event: the next one can be read.
3. Samples are whole numbers, of 8 bits without a sign, or of 16, 24 or 32 with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.error import Error
from wyoming.event import Event, write_event
from wyoming.info import AsrModel, AsrProgram, Attribution, Info
from wyoming.ping import Pong

from parakeet_streaming.audio.pcm import MAX_CHANNELS
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.server.connection_options import LEAST_RATE_HZ, MOST_RATE_HZ
from parakeet_streaming.server.protocols.fields import Fields, shown
from parakeet_streaming.server.protocols.phrases import boosting_from, names_and_terms
from parakeet_streaming.server.protocols.wyoming_frames import Frame
from parakeet_streaming.server.replies import Answer, WrongRequestError

_ENCODINGS: Final = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}
"""By bytes of a sample."""
_FORMAT: Final = ("rate", "width", "channels")
_OURS: Final = Attribution("parakeet-streaming", "https://pypi.org/project/parakeet-streaming/")
_PROGRAM: Final = "parakeet"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How samples come."""

    rate_hz: int
    width_bytes: int
    channels: int

    @property
    def encoding(self) -> str:
        """A name from `audio.pcm_decoder.ENCODINGS`."""
        return _ENCODINGS[self.width_bytes]

    def __str__(self) -> str:
        return f"rate {self.rate_hz}, width {self.width_bytes}, channels {self.channels}"


@dataclass(frozen=True, slots=True)
class Describe:
    """What is there?"""


@dataclass(frozen=True, slots=True)
class Ping:
    """Is anybody there?"""

    text: str | None


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Audio follows, whose text is wanted."""

    model: str | None
    boosting: Boosting | None = None
    """What is boosted."""
    language: str | None = None
    """That is spoken."""


@dataclass(frozen=True, slots=True)
class AudioStart:
    """Audio follows."""

    format: AudioFormat


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of audio."""

    format: AudioFormat | None
    """None for that of `AudioStart`."""
    audio: bytes


@dataclass(frozen=True, slots=True)
class AudioStop:
    """That was all."""


Command = Describe | Ping | Transcribe | AudioStart | AudioChunk | AudioStop


def command_of(frame: Frame) -> Command | None:
    """What an event asks for; None for one that says nothing to us.

    Raises:
        WrongRequestError: a field makes no sense.
    """
    command: Command | None = None
    match frame.type:
        case "describe":
            command = Describe()
        case "ping":
            command = Ping(Fields(frame.data).text("text"))
        case "transcribe":
            command = _transcribe(Fields(frame.data))
        case "audio-start":
            command = AudioStart(_format(frame))
        case "audio-chunk":
            told = any(frame.data.get(name) is not None for name in _FORMAT)
            command = AudioChunk(_format(frame) if told else None, frame.payload)
        case "audio-stop":
            command = AudioStop()
    return command


def _transcribe(fields: Fields) -> Transcribe:
    names, terms = (_texts(fields, name) for name in ("transcript_names", "transcript_terms"))
    boosting = boosting_from(names_and_terms(names, terms), "transcript_terms")
    return Transcribe(fields.text("name"), boosting, fields.short_text("language"))


def _texts(fields: Fields, name: str) -> list[str]:
    value = fields.value(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise fields.mistake(name, f"is {shown(value)}; use an array of texts")
    return value


def _format(frame: Frame) -> AudioFormat:
    fields = Fields(frame.data)
    rate_hz = fields.whole("rate", LEAST_RATE_HZ, MOST_RATE_HZ)
    width_bytes = fields.whole("width", min(_ENCODINGS), max(_ENCODINGS))
    channels = fields.whole("channels", 1, MAX_CHANNELS)
    if rate_hz is None or width_bytes is None or channels is None:
        raise WrongRequestError(f"{frame.type} needs {', '.join(_FORMAT)}", "rate")
    return AudioFormat(rate_hz, width_bytes, channels)


def info(model: str, languages: tuple[str, ...], version: str | None) -> bytes:
    """What is there."""
    described = AsrModel(
        name=model,
        attribution=_OURS,
        installed=True,
        description=f"{model}, a Parakeet model",
        version=version,
        languages=list(languages),
    )
    program = AsrProgram(
        name=_PROGRAM,
        attribution=_OURS,
        installed=True,
        description="Streaming speech-to-text with Parakeet models",
        version=version,
        models=[described],
        supports_transcript_streaming=True,
        requires_external_vad=True,
    )
    return _bytes(Info(asr=[program]).event())


def pong(text: str | None) -> bytes:
    """The answer to `ping`."""
    return _bytes(Pong(text).event())


def transcript_start() -> bytes:
    """Text follows, in pieces."""
    return _bytes(TranscriptStart().event())


def transcript_chunk(text: str) -> bytes:
    """A piece of text; it never changes."""
    return _bytes(TranscriptChunk(text).event())


def transcript(text: str) -> bytes:
    """All pieces as one: the answer for clients that know no pieces."""
    return _bytes(Transcript(text).event())


def transcript_stop() -> bytes:
    """No more text comes of this audio."""
    return _bytes(TranscriptStop().event())


def error(answer: Answer) -> bytes:
    """A mistake, or what ends the connection."""
    return _bytes(Error(answer.message, answer.code).event())


def _bytes(event: Event) -> bytes:
    written = BytesIO()
    write_event(event, written)
    return written.getvalue()
