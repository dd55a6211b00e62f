"""A binary stream of raw PCM or any audio file goes in; float32 mono blocks (n,) come out.

Rules of this file:

1. The first bytes decide: a container that is known by them is read as such, all else is raw PCM.
2. What can be read from its start to its end is live: raw PCM, plain WAV, and containers of
   `_STREAMED`. What has arrived is handed on, and nothing is kept.
3. Other containers go through a temporary file (`spooling`), and are read when they are complete.
4. What is less than a frame waits for the bytes that complete it, and is dropped at the end.
5. The stream belongs to the caller and is not closed.
"""

from __future__ import annotations

import struct
from contextlib import ExitStack
from typing import Final

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.audio.compressed import open_compressed
from parakeet_streaming.audio.containers import (
    HEAD_BYTES,
    MIDDLE_BYTES,
    bytes_to_sniff,
    first_frame,
    sniff,
)
from parakeet_streaming.audio.files import open_seekable
from parakeet_streaming.audio.mp3_padding import EndPadding, end_padding, tag_bytes
from parakeet_streaming.audio.pcm_decoder import bytes_per_frame
from parakeet_streaming.audio.pcm_reader import BinaryStream, PcmReader
from parakeet_streaming.audio.recording_errors import as_recording_errors
from parakeet_streaming.audio.tracks import only_track
from parakeet_streaming.audio.wav import read_wav_header
from parakeet_streaming.errors import AudioFormatError, ExtraMissingError, OptionError
from parakeet_streaming.sources.one_way import LibraryStream, OneWayStream
from parakeet_streaming.sources.spooling import spooled
from parakeet_streaming.timeline import MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, SAMPLE_RATE_HZ

_NAME: Final = "standard input"
_STREAMED: Final = frozenset(
    {"AAC", "AAC (LOAS)", "AC-3", "ASF", "FLAC", "FLV", "MPEG", "MPEG program stream", "MPEG-TS"}
    | {"Matroska", "NUT", "Ogg"}
)
"""Containers that give the same sound without seeking; MP4 does, if its index comes first."""
_SOON_S: Final = 0.2
"""Waited for more of what seems to be raw samples, which may begin within a frame of MP3."""
_BOXES_BYTES: Final = 1 << 16
"""Boxes of an MP4 that may stand before its index."""


def open_stdin(
    stream: BinaryStream,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    encoding: str = "s16le",
    channels: int = 1,
    track: int | str | None = None,
    strict: bool = False,
    name: str = _NAME,
    as_file: bool = False,
) -> AudioFile:
    """Read audio from `stream`, such as `sys.stdin.buffer`; returns when its first bytes are there.

    Args:
        stream: bytes, seekable or not.
        rate_hz: rate of raw PCM; a container has its own.
        encoding: encoding of raw PCM, a name from `pcm_decoder.ENCODINGS`.
        channels: channels of raw PCM.
        track: as `open_audio`.
        strict: as `open_audio`.
        name: how to call the stream in messages.
        as_file: whether the bytes are those of a file, which are never raw PCM.

    Raises:
        AudioFormatError: no byte at all, or a container that is broken or holds no audio.
        ExtraMissingError: a container that needs PyAV, which is not installed.
        OptionError: an impossible rate, encoding or number of channels, no such track, or no room
            for a temporary file.
    """
    bytes_per_frame(encoding, channels)
    if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
        raise OptionError(
            f"raw samples at {rate_hz} Hz; use {MIN_INPUT_RATE_HZ} to {MAX_INPUT_RATE_HZ} Hz"
        )
    one_way = OneWayStream(stream)
    with as_recording_errors(name):
        if not one_way.peek(1):
            raise AudioFormatError(f"{name} is empty; check the program that writes into it")
        container = sniff(one_way.peek(bytes_to_sniff(one_way.peek(HEAD_BYTES))))
        if container is None and as_file:
            one_way.rewind()
            file = spooled(one_way, name, "of a kind that is not known")
            return open_seekable(file, name, track=track, strict=strict)
        start = b"" if container else one_way.peek_arriving(MIDDLE_BYTES, _SOON_S)
        if (at := first_frame(start)) is not None:
            one_way.drop(at)
            container = sniff(one_way.peek(bytes_to_sniff(one_way.peek(HEAD_BYTES))))
        if container is None:
            only_track(track, name)
            one_way.rewind()
            raw = PcmReader(one_way, encoding, channels)
            return AudioFile(name, raw, rate_hz=rate_hz, channels=channels)
        if container == "WAV":
            wav = read_wav_header(one_way.take, name)
            if wav.encoding is not None:
                only_track(track, name)
                one_way.skip_taken()
                reader = PcmReader(one_way, wav.encoding, wav.channels, length_bytes=wav.data_bytes)
                return AudioFile(name, reader, rate_hz=wav.rate_hz, channels=wav.channels)
        is_streamed = container in _STREAMED or (container == "MP4" and _has_index_first(one_way))
        padding = None
        if container == "MPEG":
            padding = end_padding(one_way.peek(tag_bytes(one_way.peek(HEAD_BYTES))))
        one_way.rewind()
        if is_streamed:
            return _open_streamed(name, one_way, container, track, strict, padding)
        file = spooled(one_way, name, container)
        return open_seekable(file, name, track=track, strict=strict)


def _open_streamed(
    name: str,
    stream: OneWayStream,
    container: str,
    track: int | str | None,
    strict: bool,
    padding: EndPadding | None,
) -> AudioFile:
    file = LibraryStream(stream)

    def missing_bytes() -> int:
        file.check()
        return file.passed.missing(container)

    try:
        with ExitStack() as stack:
            audio = open_compressed(
                name, file, stack,
                track=track, strict=strict, missing_bytes=missing_bytes, padding=padding,
            )  # fmt: skip
            stack.callback(audio.close)
            file.check_interrupted()
            stack.pop_all()
    except AudioFormatError as error:
        file.check()
        raise AudioFormatError(
            f"{name} is no audio, or it is broken (PyAV: {error}); check that it plays, or "
            "convert it to WAV or FLAC"
        ) from error
    except ExtraMissingError as error:
        raise ExtraMissingError(f"{name} is {container}, which needs PyAV: {error}") from error
    return audio


def _has_index_first(stream: OneWayStream) -> bool:
    """Whether an MP4's index comes before its sound, as in one that was made to be streamed."""
    at = 0
    while at < _BOXES_BYTES:
        header = stream.peek(at + 8)[at:]
        if len(header) < 8:
            return False
        length, kind = struct.unpack(">I4s", header)
        if kind in (b"moov", b"mdat"):
            return bool(kind == b"moov")
        if length < 8:
            return False
        at += length
    return False
