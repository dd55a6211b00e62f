"""What an MP3 says of its padding, and frames cut anywhere that it is left out of."""

import struct
from collections.abc import Iterator

import numpy as np

from fuzz.choices import Choices
from parakeet_streaming.audio.mp3_padding import TAG_BYTES, EndPadding, end_padding, tag_bytes

HEAD_BYTES = 10
MOST_HELD = 0xFFF
"""Samples: what a tag has room for."""


def run(data: bytes) -> None:
    choices = Choices(data)
    if choices.flag():
        first = choices.number(-600, 600)
        _left_out(EndPadding(first, first + choices.number(-50, 300)), choices)
        return
    content = choices.rest()
    needed = tag_bytes(content[:HEAD_BYTES])
    assert 0 < needed <= TAG_BYTES
    padding = end_padding(content[:needed])
    if padding is not None:
        _left_out(padding, Choices(content[::-1]))


def _left_out(padding: EndPadding, choices: Choices) -> None:
    """Either all frames come out, or all but those of the padding, with which they ended."""
    fed = handed_on = 0
    for _ in choices.times(20):
        frames = np.arange(fed, fed + choices.number(0, 400), dtype=np.float32)[:, None]
        fed += len(frames)
        for piece in padding.feed(frames):
            assert (piece[:, 0] == np.arange(handed_on, handed_on + len(piece))).all()
            handed_on += len(piece)
        assert fed - handed_on <= MOST_HELD


def seeds() -> Iterator[bytes]:
    for number in (0, 100, 255):
        yield bytes((1, number, 3, number, 0, 1)) + bytes(range(40))
    for encoder in (b"LAME", b"Lavf", b"none"):
        for count in (1, 3, 2**32 - 1):
            yield b"\0" + xing(encoder, count)
            yield b"\0" + b"ID3\4\0\0\0\0\1\0" + bytes(128) + xing(encoder, count)


def xing(encoder: bytes, frames: int) -> bytes:
    """The first frame of an MP3, which says how many there are."""
    said = struct.pack(">4sIIII", b"Info", 15, frames, 1000, 0)
    return b"\xff\xfb\x90\0" + bytes(32) + said + bytes(100) + encoder + bytes(17) + b"\x24\x04\x00"
