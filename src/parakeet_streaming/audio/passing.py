"""The bytes of a file go in as they pass; how many it lacks at its end, by its own account, out."""

from __future__ import annotations

import io
import struct
from collections import deque
from typing import Final

from parakeet_streaming.audio.truncation import missing_bytes

_HEAD_BYTES: Final = 1 << 20
"""Pictures of a title stand before the header of an MP3."""
_TAIL_BYTES: Final = 1 << 17
_BOX_BYTES: Final = 16


class PassedBytes:
    """What has to be known of a file that is not kept: its beginning, its end and its length."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._length_bytes = 0
        self._boxes = _Boxes()

    def feed(self, data: bytes) -> None:
        """These bytes come next."""
        if not data:
            return
        self._head += data[: _HEAD_BYTES - len(self._head)]
        self._boxes.feed(data, self._length_bytes)
        self._length_bytes += len(data)
        self._tail.append(data)
        self._tail_bytes += len(data)
        while self._tail_bytes - len(self._tail[0]) >= _TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft())

    def missing(self, container: str) -> int:
        """How many bytes are missing now that nothing follows; 0 where the file does not say."""
        if container == "MP4":
            return max(0, self._boxes.end_bytes - self._length_bytes)
        ends = _Ends(bytes(self._head), b"".join(self._tail), self._length_bytes)
        return missing_bytes(io.BufferedReader(ends), container)


class _Ends(io.RawIOBase):
    """A file of which only the beginning and the end are there."""

    def __init__(self, head: bytes, tail: bytes, length_bytes: int) -> None:
        self._head = head
        self._tail = tail
        self._length_bytes = length_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length_bytes}
        self._position = max(0, start[whence] + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        in_tail = self._position - (self._length_bytes - len(self._tail))
        if self._position < len(self._head):
            piece = self._head[self._position : self._position + len(buffer)]
        else:
            piece = self._tail[in_tail : in_tail + len(buffer)] if in_tail >= 0 else b""
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


class _Boxes:
    """The boxes of an MP4, one after the other."""

    def __init__(self) -> None:
        self.end_bytes = 0
        """Where the last box ends that has begun; 0 where boxes do not say."""
        self._is_known = True
        self._rest = b""

    def feed(self, data: bytes, start: int) -> None:
        joined, start = self._rest + data, start - len(self._rest)
        self._rest = b""
        while self._is_known:
            at = self.end_bytes - start
            header = joined[at : at + _BOX_BYTES]
            if len(header) < _BOX_BYTES:
                self._rest = header
                return
            length, kind = struct.unpack_from(">I4s", header)
            if length == 1:
                (length,) = struct.unpack_from(">Q", header, 8)
            if length < 8 or not kind.isascii():
                self._is_known, self.end_bytes = False, 0
            else:
                self.end_bytes += length
