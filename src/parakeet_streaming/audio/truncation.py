"""A file goes in; how its own structure says that it was cut off, or None, comes out.

Rules of this file:

1. Only what a container says plainly counts: a chunk, box or page that goes on behind the file's
   end. A length that stands for "I did not know" says nothing, and so does what cannot be parsed.
2. Some recorders count their header as sound: `SLACK_BYTES` are never missed.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Final

from parakeet_streaming.audio.wav import MOST_CHUNKS, is_unknown_length

SLACK_BYTES: Final = 64
_MOST_BOXES: Final = 200_000
"""A day of fragments of a second; looking at so many takes less than a second."""
_OGG_TAIL_BYTES: Final = 1 << 17
_OGG_HEADER_BYTES: Final = 27
_MP3_HEAD_BYTES: Final = 256


def missing_bytes(file: io.BufferedReader, container: str | None) -> int:
    """How many bytes the file lacks by its own account; 0 where it does not say.

    The file stays where it is.
    """
    measure = _MEASURES.get(container or "")
    if measure is None:
        return 0
    position = file.tell()
    try:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        missing = measure(file, size) - size
    except (struct.error, IndexError, OverflowError, OSError, ValueError):
        return 0
    finally:
        file.seek(position)
    return missing if missing > SLACK_BYTES else 0


def _riff_end(file: io.BufferedReader, size: int) -> int:
    """Where the samples of WAV (either byte order, RF64), AVI or AIFF end."""
    magic, _, _ = struct.unpack("<4sI4s", file.read(12))
    order = ">" if magic in (b"RIFX", b"FORM") else "<"
    long_bytes = None
    for _ in range(MOST_CHUNKS):
        chunk, length = struct.unpack(f"{order}4sI", file.read(8))
        start = file.tell()
        if chunk == b"ds64":
            long_bytes = struct.unpack("<8xQ", file.read(16))[0]
        is_sound = chunk in (b"data", b"SSND") or (chunk == b"LIST" and file.read(4) == b"movi")
        if is_sound:
            if length == 0xFFFFFFFF and long_bytes is not None:
                length = long_bytes
            return 0 if is_unknown_length(length) else start + length
        if start + length > size:
            return 0
        file.seek(start + length + length % 2)
    return 0


def _au_end(file: io.BufferedReader, _: int) -> int:
    start, length = struct.unpack(">4xII", file.read(12))
    return 0 if is_unknown_length(length) else start + length


def _caf_end(file: io.BufferedReader, _: int) -> int:
    file.seek(8)
    for _chunk in range(MOST_CHUNKS):
        chunk, length = struct.unpack(">4sq", file.read(12))
        if chunk == b"data":
            return 0 if length < 0 else file.tell() + int(length)
        file.seek(length, io.SEEK_CUR)
    return 0


def _mp4_end(file: io.BufferedReader, size: int) -> int:
    """Where the last box of MP4 ends."""
    end = 0
    for _ in range(_MOST_BOXES):
        if end >= size:
            return end
        file.seek(end)
        header = file.read(16)
        length, kind = struct.unpack(">I4s", header[:8])
        if length == 0 or not kind.isascii():
            return 0
        if length == 1:
            length = struct.unpack(">Q", header[8:])[0]
        if length < 8:
            return 0
        end += length
    return 0


def _matroska_end(file: io.BufferedReader, _: int) -> int:
    """Where the first segment ends, if its length is written."""
    for wanted in (0x1A45DFA3, 0x18538067):
        if int.from_bytes(file.read(4)) != wanted:
            return 0
        first = file.read(1)[0]
        more = 8 - first.bit_length()
        rest = file.read(more)
        mask = (1 << (7 - more)) - 1
        length = int.from_bytes(bytes([first & mask]) + rest)
        if length == (1 << 7 * (more + 1)) - 1:
            return 0
        end = file.tell() + length
        if wanted != 0x18538067:
            file.seek(end)
    return end


def _ogg_end(file: io.BufferedReader, size: int) -> int:
    """Where the last page ends."""
    start = max(0, size - _OGG_TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    page = tail.rfind(b"OggS\0")
    if page < 0:
        return 0
    header = tail[page : page + _OGG_HEADER_BYTES]
    if len(header) < _OGG_HEADER_BYTES:
        return size + SLACK_BYTES + 1
    segments = tail[page + _OGG_HEADER_BYTES :][: header[26]]
    return start + page + _OGG_HEADER_BYTES + header[26] + sum(segments)


def _mpeg_end(file: io.BufferedReader, _: int) -> int:
    """Where an MP3 ends by its Xing header."""
    head = file.read(10)
    start = 0
    if head.startswith(b"ID3"):
        sizes = head[6:10]
        start = 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(sizes))
    file.seek(start)
    frame = file.read(_MP3_HEAD_BYTES)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0:
        return 0
    flags = struct.unpack_from(">I", frame, at + 4)[0]
    if not flags & 2:
        return 0
    return int(start + struct.unpack_from(">I", frame, at + 8 + 4 * (flags & 1))[0])


_MEASURES: Final[dict[str, Callable[[io.BufferedReader, int], int]]] = {
    "WAV": _riff_end,
    "WAV, big-endian": _riff_end,
    "AIFF": _riff_end,
    "AVI": _riff_end,
    "AU": _au_end,
    "CAF": _caf_end,
    "MP4": _mp4_end,
    "Matroska": _matroska_end,
    "Ogg": _ogg_end,
    "MPEG": _mpeg_end,
}
