"""A RIFF file goes in; an error comes out where a text in it claims to be longer than the file.

ffmpeg takes as much memory for a text as its length says, up to 2 GiB, before it reads one byte.
"""

from __future__ import annotations

import io
import struct
from typing import Final

from parakeet_streaming.audio.wav import MOST_CHUNKS
from parakeet_streaming.errors import AudioFormatError

_RIFFS: Final = ("WAV", "AVI")


def check_texts(file: io.BufferedReader, container: str | None) -> None:
    """Refuses a WAV or AVI with a text that is longer than the file, which stays where it is.

    Raises:
        AudioFormatError: there is one; without the file's name.
    """
    if container not in _RIFFS:
        return
    position = file.tell()
    try:
        size = file.seek(0, io.SEEK_END)
        if _has_endless(file, 12, size, size, is_list=False):
            raise AudioFormatError("a text in it claims to be longer than the file")
    except struct.error:
        return  # it ends within the last chunk
    finally:
        file.seek(position)


def _has_endless(
    file: io.BufferedReader, start: int, end: int, size: int, *, is_list: bool
) -> bool:
    for _ in range(MOST_CHUNKS):
        if start >= min(end, size):
            return False
        file.seek(start)
        chunk, length = struct.unpack("<4sI", file.read(8))
        start += 8
        if is_list and length > size:
            return True
        if (
            chunk == b"LIST"
            and not is_list
            and file.read(4) == b"INFO"
            and _has_endless(file, start + 4, start + length, size, is_list=True)
        ):
            return True
        start += length + length % 2
    return is_list
