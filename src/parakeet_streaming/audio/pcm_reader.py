"""A binary stream of raw PCM goes in; whole frames (m, channels), as they arrive, come out.

What is less than a frame waits for the bytes that complete it, and is dropped at the end.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

from numpy.typing import NDArray

from parakeet_streaming.audio.pcm_decoder import bytes_per_frame, pcm_frames
from parakeet_streaming.audio.truncation import SLACK_BYTES
from parakeet_streaming.errors import AudioFormatError


class BinaryStream(Protocol):
    """Anything bytes can be read from, such as `sys.stdin.buffer`; it need not be seekable."""

    def read(self, most_bytes: int, /) -> bytes | None: ...


def read_arrived(stream: BinaryStream, most_bytes: int) -> bytes | None:
    """The bytes that have arrived, 1 to `most_bytes` of them; b"" only at the end.

    None where none have arrived and the stream does not wait for any.
    """
    # A buffered stream's `read` waits for all it was asked for; `read1` does not.
    read = getattr(stream, "read1", stream.read)
    arrived: bytes | None = read(most_bytes)
    return arrived


class PcmReader:
    """Raw PCM from a binary stream, handed on as soon as a frame of it has arrived.

    Raises:
        OptionError: an encoding that does not exist, or an impossible number of channels.
    """

    def __init__(
        self,
        stream: BinaryStream,
        encoding: str,
        channels: int = 1,
        *,
        length_bytes: int | None = None,
    ) -> None:
        """Read `stream`; stop after `length_bytes`."""
        self._stream = stream
        self._encoding = encoding
        self._channels = channels
        self._frame_bytes = bytes_per_frame(encoding, channels)
        self._pending = b""
        self._missing_bytes = 0
        self._left_bytes = math.inf if length_bytes is None else length_bytes

    def read(self, most_samples: int) -> NDArray[Any]:
        """Frames (m, channels) that have arrived, m at most `most_samples`; m = 0 at the end only.

        A last frame that is cut short is dropped.

        Raises:
            AudioFormatError: the stream ended before `length_bytes`, and all of it was handed on.
        """
        most_bytes = most_samples * self._frame_bytes
        while len(self._pending) < self._frame_bytes and self._left_bytes > 0:
            want = min(most_bytes - len(self._pending), self._left_bytes)
            arrived = read_arrived(self._stream, int(want)) or b""
            self._left_bytes -= len(arrived)
            self._pending += arrived
            if not arrived:
                self._missing_bytes = 0 if self._left_bytes == math.inf else int(self._left_bytes)
                self._left_bytes = 0
        whole = min(len(self._pending) // self._frame_bytes, most_samples) * self._frame_bytes
        if not whole and self._missing_bytes > SLACK_BYTES:
            raise AudioFormatError(f"it is cut off, {self._missing_bytes} bytes are missing")
        data, self._pending = self._pending[:whole], self._pending[whole:]
        return pcm_frames(data, self._encoding, self._channels)
