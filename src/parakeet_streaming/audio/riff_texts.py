"""A RIFF file goes in; an error comes out where a text in it claims to be longer than the file.

ffmpeg takes as much memory for a text as its length says, up to 2 GiB, before it reads one byte. A
file with so many chunks that not all are looked at is refused, too.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

from parakeet_streaming.audio.wav import MOST_CHUNKS
from parakeet_streaming.errors import AudioFormatError

_RIFFS: Final = ("WAV", "AVI")


def check_texts(file: io.BufferedReader, container: str | None) -> None:
    """Refuses a WAV or AVI with a text that is longer than the file, which stays where it is.

    Raises:
        AudioFormatError: there is one, or there are too many chunks; without the file's name.
    """
    if container not in _RIFFS:
        return
    position = file.tell()
    try:
        size = file.seek(0, io.SEEK_END)
        _check_chunks(file, 12, size, size, iter(range(MOST_CHUNKS)), is_list=False)
    except struct.error:
        return  # it ends within the last chunk
    finally:
        file.seek(position)


def _check_chunks(
    file: io.BufferedReader, start: int, end: int, size: int, left: Iterator[int], *, is_list: bool
) -> None:
    """Looks at the chunks from `start` on, those in lists of texts, too, while some are `left`."""
    while start < min(end, size):
        if next(left, None) is None:
            raise AudioFormatError(f"it has more than {MOST_CHUNKS} chunks")
        file.seek(start)
        chunk, length = struct.unpack("<4sI", file.read(8))
        start += 8
        if is_list and length > size:
            raise AudioFormatError("a text in it claims to be longer than the file")
        if chunk == b"LIST" and not is_list and file.read(4) == b"INFO":
            _check_chunks(file, start + 4, start + length, size, left, is_list=True)
        start += length + length % 2
