"""Bytes of a Wyoming connection in, cut anywhere; its events as type, data and payload, out.

An event is a line of JSON (`type`, and by need `data`, `data_length` and `payload_length`), then so
many bytes of JSON, then so many bytes of payload.

Rules of this file:

1. What a line announces is checked before anything is kept for it, so a reader holds one event of
   bounded size at most.
2. Where a line makes no sense, nobody knows where the next one begins: the connection cannot go on.
   (So the body of a web page's request to this port is never taken for events, either.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.server.protocols.fields import object_of, shown
from parakeet_streaming.server.replies import TooLargeError, WrongRequestError

MOST_LINE_BYTES: Final = 65_536
MOST_DATA_BYTES: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Frame:
    """One event."""

    type: str
    data: Mapping[str, object]
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Head:
    """What a line announces."""

    type: str
    data: Mapping[str, object]
    data_bytes: int
    payload_bytes: int


class FrameReader:
    """Events of one connection.

    ```python
    reader.feed(data)
    for frame in reader.frames(): ...   # raises where the connection cannot go on
    ```
    """

    def __init__(self, most_payload_bytes: int) -> None:
        self._most_payload_bytes = most_payload_bytes
        self._bytes = bytearray()
        self._looked_to = 0
        """Bytes in which there is no end of a line."""
        self._head: _Head | None = None

    def feed(self, data: bytes) -> None:
        """These bytes come next; take `frames` before the next ones."""
        self._bytes += data

    def frames(self) -> Iterator[Frame]:
        """The events that are whole.

        Raises:
            WrongRequestError: a line that is no event.
            TooLargeError: a line, or what it announces, is too long.
        """
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        if self._head is None:
            line = self._line()
            if line is None:
                return None
            self._head = self._head_of(line)
        head = self._head
        whole = head.data_bytes + head.payload_bytes
        if len(self._bytes) < whole:
            return None
        more = bytes(self._bytes[: head.data_bytes])
        payload = bytes(self._bytes[head.data_bytes : whole])
        del self._bytes[:whole]
        self._head = None
        data = {**head.data, **object_of(more)} if more else head.data
        return Frame(head.type, data, payload)

    def _line(self) -> bytes | None:
        end = self._bytes.find(b"\n", self._looked_to, MOST_LINE_BYTES)
        if end < 0:
            if len(self._bytes) >= MOST_LINE_BYTES:
                raise TooLargeError(
                    f"a line has more than {MOST_LINE_BYTES} bytes; announce more data by "
                    "data_length"
                )
            self._looked_to = len(self._bytes)
            return None
        line = bytes(self._bytes[:end])
        del self._bytes[: end + 1]
        self._looked_to = 0
        return line

    def _head_of(self, line: bytes) -> _Head:
        fields = object_of(line)
        kind, data = fields.get("type"), fields.get("data")
        if not isinstance(kind, str):
            raise WrongRequestError(f"type is {shown(kind)}; give a text", "type")
        if data is not None and not isinstance(data, dict):
            raise WrongRequestError(f"data is {shown(data)}; give an object", "data")
        return _Head(
            kind,
            data or {},
            _length(fields, "data_length", MOST_DATA_BYTES),
            _length(fields, "payload_length", self._most_payload_bytes),
        )


def _length(fields: Mapping[str, object], name: str, most: int) -> int:
    length = fields.get(name)
    if length is None:
        return 0
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise WrongRequestError(f"{name} is {shown(length)}; give a whole number from 0", name)
    if length > most:
        raise TooLargeError(f"{name} is above {most}; send smaller pieces")
    return length
