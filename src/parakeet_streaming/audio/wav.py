"""The bytes of a WAV file up to its samples go in, as they stream; what the samples are comes out.

Rules of this file:

1. Nothing is read past the header: the next byte of the stream is the first sample's.
2. A header written before the length was known says 0, about 2³¹ or about 2³²; the samples then go
   on until the end. A length of 0 is believed when the file says that more chunks follow.
3. WAV holds anything; what is neither plain PCM nor G.711 is named None and left to libsndfile.
4. A header has an end: `MOST_HEADER_BYTES` and `MOST_CHUNKS` bound it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import AudioFormatError

_PCM: Final = 0x0001
_FLOAT: Final = 0x0003
_ALAW: Final = 0x0006
_MULAW: Final = 0x0007
_EXTENSIBLE: Final = 0xFFFE
_ENCODINGS: Final = {
    (_PCM, 1): "u8",
    (_PCM, 2): "s16le",
    (_PCM, 3): "s24le",
    (_PCM, 4): "s32le",
    (_FLOAT, 4): "f32le",
    (_FLOAT, 8): "f64le",
    (_ALAW, 1): "alaw",
    (_MULAW, 1): "mulaw",
}
# The part of an extensible format's GUID that follows the format code.
_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
MOST_HEADER_BYTES: Final = 1 << 24
"""Before the samples, in all: pictures and notes of a production take a few MB."""
MOST_CHUNKS: Final = 10_000
"""The same: programs write a dozen."""
_SKIPPED_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What stands before the samples of a WAV file."""

    rate_hz: int
    channels: int
    encoding: str | None
    """A name from `pcm_decoder.ENCODINGS`; None when the samples are encoded otherwise."""
    data_bytes: int | None
    """Bytes of samples that follow; None for "until the end", and when there is no encoding."""


def read_wav_header(read: Callable[[int], bytes], name: str) -> WavHeader:
    """The header of a WAV, RF64 or BW64 stream.

    Args:
        read: hands out the next n bytes, fewer only at the end of the stream.
        name: how to call the stream in messages.

    Raises:
        AudioFormatError: no WAV, or a header that is broken or breaks off.
    """
    magic, riff_bytes, form = struct.unpack("<4sI4s", _exactly(read, name, 12))
    if magic not in (b"RIFF", b"RF64", b"BW64") or form != b"WAVE":
        raise AudioFormatError(f"{name} is no WAV, it begins with {magic!r}; check what wrote it")
    position, header, long_bytes, length = 12, None, None, 0
    for _ in range(MOST_CHUNKS):
        chunk, length = struct.unpack("<4sI", _exactly(read, name, 8))
        position += 8
        if chunk == b"data":
            break
        padded = length + length % 2
        position += padded
        if position > MOST_HEADER_BYTES:
            raise AudioFormatError(
                f"{name} has a WAV header of {position} bytes or more, chunk of {length} bytes "
                f"included, and at most {MOST_HEADER_BYTES} are read; write it again without what "
                "is no sound"
            )
        if chunk == b"fmt ":
            header = _parse_format(_exactly(read, name, padded), name)
            if header.encoding is None:
                return header
        elif chunk == b"ds64" and length >= 16:
            riff_bytes, long_bytes = struct.unpack_from("<QQ", _exactly(read, name, padded))
        else:
            _skip(read, name, padded)
    else:
        raise AudioFormatError(
            f"{name} has a WAV header of more than {MOST_CHUNKS} chunks; write it again without "
            "what is no sound"
        )
    if header is None:
        raise AudioFormatError(
            f"{name} is broken, its WAV header has no format before its samples; write it again"
        )
    data_bytes = long_bytes if length == 0xFFFFFFFF and long_bytes is not None else length
    if is_unknown_length(data_bytes) and (data_bytes or not position < riff_bytes + 8 < 0x7FFF0000):
        data_bytes = None
    return WavHeader(header.rate_hz, header.channels, header.encoding, data_bytes)


def _parse_format(body: bytes, name: str) -> WavHeader:
    if len(body) < 16:
        raise AudioFormatError(
            f"{name} is broken, its WAV header's format is cut short; write it again"
        )
    code, channels, rate_hz, _, frame_bytes, _ = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and body[26:40] == _GUID_TAIL:
        (code,) = struct.unpack_from("<H", body, 24)
    # The container's width, not the bits that are used in it: samples are aligned to the left.
    width = frame_bytes // channels if channels and frame_bytes % channels == 0 else 0
    return WavHeader(rate_hz, channels, _ENCODINGS.get((code, width)), None)


def is_unknown_length(data_bytes: int) -> bool:
    """Whether a length is one of those that stand for "I did not know"."""
    return (
        data_bytes == 0
        or 0x7FFF0000 <= data_bytes <= 0x80000000
        or 0xFFFF0000 <= data_bytes <= 0xFFFFFFFF
        or data_bytes >= 1 << 62
    )


def _exactly(read: Callable[[int], bytes], name: str, count: int) -> bytes:
    got = read(count)
    if len(got) < count:
        raise AudioFormatError(f"{name} is broken, its WAV header breaks off; write it again")
    return got


def _skip(read: Callable[[int], bytes], name: str, count: int) -> None:
    while count:
        count -= len(_exactly(read, name, min(count, _SKIPPED_BYTES)))
