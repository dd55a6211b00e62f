"""Messages between two processes in; their bytes out, and back. No socket in here.

```
length of the rest (4) │ kind (1) │ number (8) │ length of the value (4) │ value, JSON │ bytes
```

`number` is a stream's slot, or that of a question; `bytes` are a snapshot, or none.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from parakeet_streaming.errors import ComputeError

MOST_FRAME_BYTES: Final = 1 << 30
"""Of one message: a snapshot with audio of an hour."""
_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">BQI")


class Kind(IntEnum):
    """What a message is."""

    ASK = 1
    """A question by name, from either side; `number` is that of the answer."""
    ANSWER = 2
    REFUSAL = 3
    """The error that the question met."""
    WAKE = 10
    """Samples of a stream are there; to the engine, as all up to `LEAVE`."""
    COMMIT = 11
    """An utterance of a stream ends with all samples before the position."""
    COMMITTED = 12
    """The same, which the engine had asked for."""
    FINISH = 13
    CANCEL = 14
    SNAPSHOT = 15
    """A snapshot is wanted, among the events."""
    LET_GO = 16
    """What was prepared is not needed any more."""
    LEAVE = 17
    """A stream is forgotten: its slot is free."""
    EVENT = 20
    """Of a stream; from the engine, as all after it."""
    OVER = 21
    """A stream has ended; with the error that ended it."""
    ROOM = 22
    """The worker has taken samples of a stream."""
    COMMIT_ASKED = 23
    """The worker wants a stream's utterance to end with what was pushed."""
    FINISH_ASKED = 24
    DRAIN = 30
    """The process is to let nobody in, and to end within so many seconds."""
    BEGIN = 33
    """What a process that begins is to be told."""
    FREE = 18
    """A place that was held is free; to the engine's process."""
    READY = 31
    """It accepts, at these addresses; to the engine."""


class FrameError(ComputeError):
    """Bytes that are no message."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    number: int = 0
    value: Any = None
    """JSON's own types."""
    blob: bytes = b""


def packed(frame: Frame) -> bytes:
    """A message as bytes."""
    value = b"" if frame.value is None else json.dumps(frame.value).encode()
    head = _HEAD.pack(frame.kind, frame.number, len(value))
    return b"".join(
        (_LENGTH.pack(len(head) + len(value) + len(frame.blob)), head, value, frame.blob)
    )


class FrameReader:
    """Bytes, cut anywhere, in; messages out."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The messages that are complete.

        Raises:
            FrameError: no message can be so.
        """
        waiting = self._waiting
        waiting += data
        frames: list[Frame] = []
        start = 0
        while len(waiting) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(waiting, start)
            if not _HEAD.size <= length <= MOST_FRAME_BYTES:
                raise FrameError(f"a message of {length} bytes")
            end = start + _LENGTH.size + length
            if len(waiting) < end:
                break
            frames.append(_unpacked(bytes(waiting[start + _LENGTH.size : end])))
            start = end
        del waiting[:start]
        return frames


def _unpacked(data: bytes) -> Frame:
    kind, number, size = _HEAD.unpack_from(data)
    end = _HEAD.size + size
    if end > len(data):
        raise FrameError(f"a value of {size} bytes in a message of {len(data)}")
    try:
        value = json.loads(data[_HEAD.size : end]) if size else None
        return Frame(Kind(kind), number, value, data[end:])
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a message that cannot be read: {error}") from None
