"""A binary stream that is read once, such as a pipe, goes in; its bytes, looked at ahead, come out.

Rules of this file:

1. Every byte is copied a fixed number of times, however few of them arrive at once.
2. Only what is looked at ahead, and its beginning and end (`PassedBytes`), is held.
3. The stream belongs to the caller and is not closed.
"""

from __future__ import annotations

import select
import time
from typing import Final, cast

from parakeet_streaming.audio.passing import PassedBytes
from parakeet_streaming.audio.pcm_reader import BinaryStream, read_arrived
from parakeet_streaming.errors import OptionError

_AHEAD_BYTES: Final = 4_096


class OneWayStream:
    """Bytes in their order. `peek` and `take` keep them, until `rewind` starts the reading."""

    def __init__(self, stream: BinaryStream) -> None:
        self._stream = stream
        self._kept = bytearray()
        self._position_bytes = 0
        self._is_keeping = True

    def peek(self, count: int) -> bytes:
        """The first `count` bytes, fewer only at the end of the stream."""
        self._fetch(count)
        return bytes(self._kept[:count])

    def peek_arriving(self, count: int, within_s: float) -> bytes:
        """The first `count` bytes, fewer where they do not arrive soon."""
        until_s = time.monotonic() + within_s
        while len(self._kept) < count and self._comes_by(until_s):
            arrived = read_arrived(self._stream, count - len(self._kept))
            if not arrived:
                break
            self._kept += arrived
        return bytes(self._kept[:count])

    def _comes_by(self, until_s: float) -> bool:
        """Whether there is more to read by then; not where that cannot be known."""
        try:
            left_s = max(0.0, until_s - time.monotonic())
            return bool(select.select([cast("int", self._stream)], [], [], left_s)[0])
        except (OSError, TypeError, ValueError):
            return False

    def take(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end of the stream."""
        start = self._position_bytes
        self._fetch(start + count)
        taken = bytes(self._kept[start : start + count])
        self._position_bytes += len(taken)
        return taken

    def drop(self, count: int) -> None:
        """Forgets the first `count` bytes, which must have been fetched and not taken."""
        del self._kept[:count]

    def skip_taken(self) -> None:
        """Reading begins after what was taken."""
        self._is_keeping = False

    def rewind(self) -> None:
        """Reading begins at the first byte."""
        self._position_bytes, self._is_keeping = 0, False

    def read(self, most_bytes: int) -> bytes:
        """The next bytes that have arrived, 1 to `most_bytes` of them; none only at the end."""
        start = self._position_bytes
        if start < len(self._kept):
            kept = bytes(self._kept[start : start + most_bytes])
            self._position_bytes += len(kept)
            return kept
        if not self._is_keeping and self._kept:
            self._kept, self._position_bytes = bytearray(), 0
        return _waited_for(self._stream, most_bytes)

    def _fetch(self, count: int) -> None:
        while len(self._kept) < count:
            # As much as has arrived, up to what may be looked at next.
            arrived = _waited_for(self._stream, max(count - len(self._kept), _AHEAD_BYTES))
            if not arrived:
                return
            self._kept += arrived


class LibraryStream:
    """The same for PyAV. It hands on exceptions, but no KeyboardInterrupt: that one is kept."""

    def __init__(self, stream: OneWayStream) -> None:
        self._stream = stream
        self._failure: BaseException | None = None
        self.passed = PassedBytes()

    def read(self, most_bytes: int) -> bytes:
        """As `OneWayStream.read`; after what ends the program there is nothing more."""
        if self._is_interrupted():
            return b""
        try:
            arrived = self._stream.read(most_bytes)
        except BaseException as error:
            self._failure = error
            if isinstance(error, Exception):
                raise
            return b""
        self._failure = None
        self.passed.feed(arrived)
        return arrived

    def check_interrupted(self) -> None:
        """Raises what ends the program, if a read has raised it."""
        if self._is_interrupted():
            self.check()

    def check(self) -> None:
        """Raises what the last read has raised; a library may have taken it for the end."""
        if self._failure is not None:
            raise self._failure

    def _is_interrupted(self) -> bool:
        return self._failure is not None and not isinstance(self._failure, Exception)


def _waited_for(stream: BinaryStream, most_bytes: int) -> bytes:
    # Another program may have set a pipe that it shares not to wait: a read then gives None.
    while (arrived := read_arrived(stream, most_bytes)) is None:
        try:
            select.select([cast("int", stream)], [], [])
        except (OSError, TypeError, ValueError) as error:
            raise OptionError(
                "a stream that does not wait for its bytes cannot be read; set it to wait"
            ) from error
    return arrived
