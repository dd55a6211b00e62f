"""What stands before the samples of a WAV."""

import io
import struct
from collections.abc import Iterator
from contextlib import suppress

from parakeet_streaming.audio.wav import read_wav_header
from parakeet_streaming.errors import ParakeetError


def run(data: bytes) -> None:
    stream = io.BytesIO(data)
    with suppress(ParakeetError):
        header = read_wav_header(stream.read, "a stream")
        assert header.data_bytes is None or header.data_bytes >= 0


def seeds() -> Iterator[bytes]:
    for code, width in ((1, 1), (1, 2), (1, 3), (3, 4), (3, 8), (6, 1), (7, 1), (0x55, 1)):
        yield wav(code, width)
    yield wav(1, 2, before=b"LIST\x04\0\0\0abcd")
    yield wav(1, 2, magic=b"RF64", before=b"ds64" + struct.pack("<IQQ", 16, 100, 8))
    yield wav(1, 2, data_bytes=0xFFFFFFFF)
    extensible = struct.pack("<HHI", 22, 16, 0) + b"\1\0" + bytes.fromhex("00000000100080")
    yield wav(0xFFFE, 2, more=extensible + bytes.fromhex("0000aa00389b71"))


def wav(
    code: int,
    width: int,
    *,
    magic: bytes = b"RIFF",
    before: bytes = b"",
    more: bytes = b"",
    data_bytes: int = 8,
) -> bytes:
    """A WAV with one channel and eight bytes of samples."""
    form = struct.pack("<HHIIHH", code, 1, 16_000, 16_000 * width, width, 8 * width) + more
    head = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form
    return (
        magic
        + struct.pack("<I", len(head) + 16)
        + head
        + b"data"
        + struct.pack("<I", data_bytes)
        + bytes(8)
    )
