"""The beginning of an MP3 goes in; where its encoder's padding, which is no sound, stands, out.

ffmpeg leaves out the padding of a file, and not that of a pipe. Both give the same here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

TAG_BYTES: Final = 1 << 20
"""A title before the sound may have a picture."""
_FRAME_BYTES: Final = 256
_DELAYS_BYTES: Final = 21
"""From the encoder's name to its two delays."""
_ENCODERS: Final = (b"LAME", b"Lavf", b"Lavc")
_DECODER_SAMPLES: Final = 529
"""By which every decoder is late."""


class EndPadding:
    """Holds back what may be padding, until it is known whether sound follows."""

    def __init__(self, first: int, last: int) -> None:
        """Samples `first` up to `last` are padding if nothing follows."""
        self._first = first
        self._last = last
        self._position = 0
        self._held: list[NDArray[np.float32]] = []

    def feed(self, frames: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """What can be handed on of the next frames (m, channels), and of those that were held."""
        before = max(0, self._first - self._position)
        within = max(before, self._last - self._position)
        self._position += len(frames)
        yield frames[:before]
        if before < len(frames):
            self._held.append(frames[before:within])
        if within < len(frames):
            yield from self._held
            self._held = []
            yield frames[within:]


def tag_bytes(head: bytes) -> int:
    """How many bytes of an MP3 tell its padding, given the first ten."""
    return min(_sound_start(head) + _FRAME_BYTES, TAG_BYTES)


def end_padding(head: bytes) -> EndPadding | None:
    """The padding that an MP3 tells, given `tag_bytes` of it; None where it does not say."""
    frame = head[_sound_start(head) :][:_FRAME_BYTES]
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    try:
        flags, count = struct.unpack_from(">II", frame, at + 4)
        at += 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
        delays = int.from_bytes(struct.unpack_from("3s", frame, at + _DELAYS_BYTES)[0])
    except struct.error:
        return None
    if not flags & 1 or not count or frame[at : at + 4] not in _ENCODERS:
        return None
    samples = count * (1_152 if frame[1] >> 3 & 3 == 3 else 576)
    start, end = delays >> 12, delays & 0xFFF
    return EndPadding(samples - start - end, samples - start - _DECODER_SAMPLES)


def _sound_start(head: bytes) -> int:
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
