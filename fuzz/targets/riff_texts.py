"""Texts of a WAV or AVI: files that pass have none that is longer than they are."""

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from parakeet_streaming.audio.riff_texts import check_texts
from parakeet_streaming.errors import AudioFormatError


def run(data: bytes) -> None:
    refused = True
    file: Any = io.BufferedReader(io.BytesIO(data))
    file.seek(len(data) // 2)
    with suppress(AudioFormatError):
        check_texts(file, "WAV")
        refused = False
    assert file.tell() == len(data) // 2
    if data[12:16] == b"LIST" and data[20:24] == b"INFO" and len(data) >= 32:
        listed, text = struct.unpack_from("<4xI8xI", data, 12)
        assert refused or listed <= 4 or text <= len(data)
    check_texts(file, "FLAC")


def seeds() -> Iterator[bytes]:
    for length in (4, 0, 2**31, 2**32 - 1):
        text = b"ICMT" + struct.pack("<I", length) + b"text"
        for listed in (16, 4, 2**32 - 1):
            info = b"LIST" + struct.pack("<I", listed) + b"INFO" + text
            yield riff(info)
            yield riff(b"fmt \x02\0\0\0ab" + info + info)
    yield riff(b"junk\0\0\0\0" * 50)


def riff(chunks: bytes) -> bytes:
    """A WAV of these chunks."""
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks
