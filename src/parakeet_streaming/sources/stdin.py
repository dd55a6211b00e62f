"""A binary stream of raw PCM or any audio file goes in; float32 mono blocks (n,) come out.

Rules of this file:

1. The first bytes decide: a container that is known by them is read as such, all else is raw PCM.
2. Raw PCM and plain WAV are live: what has arrived is handed on at once, however little it is.
   Other containers cannot be read before they are complete; they go through a temporary file.
3. What is less than a frame waits for the bytes that complete it, and is dropped at the end.
4. The stream belongs to the caller and is not closed.
"""

from __future__ import annotations

import io
import tempfile
from contextlib import ExitStack
from typing import Final, cast

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.audio.containers import HEAD_BYTES, bytes_to_sniff, sniff
from parakeet_streaming.audio.files import open_seekable
from parakeet_streaming.audio.pcm_decoder import bytes_per_frame
from parakeet_streaming.audio.pcm_reader import BinaryStream, PcmReader, read_arrived
from parakeet_streaming.audio.tracks import only_track
from parakeet_streaming.audio.wav import read_wav_header
from parakeet_streaming.errors import AudioFormatError, OptionError
from parakeet_streaming.timeline import MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, SAMPLE_RATE_HZ

_NAME: Final = "standard input"
_SPOOL_BYTES: Final = 1 << 16


def open_stdin(
    stream: BinaryStream,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    encoding: str = "s16le",
    channels: int = 1,
    track: int | str | None = None,
    strict: bool = False,
) -> AudioFile:
    """Read audio from `stream`, such as `sys.stdin.buffer`; returns when its first bytes are there.

    Args:
        stream: bytes, seekable or not.
        rate_hz: rate of raw PCM; a container has its own.
        encoding: encoding of raw PCM, a name from `pcm_decoder.ENCODINGS`.
        channels: channels of raw PCM.
        track: as `open_audio`.
        strict: as `open_audio`.

    Raises:
        AudioFormatError: no byte at all, or a container that is broken or holds no audio.
        ExtraMissingError: a container that needs PyAV, which is not installed.
        OptionError: an impossible rate, encoding or number of channels, or no such track.
    """
    bytes_per_frame(encoding, channels)
    if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
        raise OptionError(
            f"raw samples at {rate_hz} Hz; use {MIN_INPUT_RATE_HZ} to {MAX_INPUT_RATE_HZ} Hz"
        )
    head = _Head(stream)
    if not head.peek(1):
        raise AudioFormatError(f"{_NAME} is empty; check the program that writes into it")
    container = sniff(head.peek(bytes_to_sniff(head.peek(HEAD_BYTES))))
    if container is None:
        only_track(track, _NAME)
        raw = PcmReader(stream, encoding, channels, head=bytes(head.seen))
        return AudioFile(_NAME, raw, rate_hz=rate_hz, channels=channels)
    if container == "WAV":
        wav = read_wav_header(head.read, _NAME)
        if wav.encoding is not None:
            only_track(track, _NAME)
            reader = PcmReader(stream, wav.encoding, wav.channels, length_bytes=wav.data_bytes)
            return AudioFile(_NAME, reader, rate_hz=wav.rate_hz, channels=wav.channels)
    return _spool(head.seen, stream, track, strict)


class _Head:
    """The first bytes of a stream, which stay at hand."""

    def __init__(self, stream: BinaryStream) -> None:
        self._stream = stream
        self._position_bytes = 0
        self.seen = bytearray()

    def peek(self, count: int) -> bytes:
        """The first `count` bytes, fewer only at the end of the stream."""
        while len(self.seen) < count and (
            arrived := read_arrived(self._stream, count - len(self.seen))
        ):
            self.seen += arrived
        return bytes(self.seen[:count])

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end of the stream."""
        start = self._position_bytes
        self._position_bytes += count
        return self.peek(start + count)[start:]


def _spool(
    head: bytearray, stream: BinaryStream, track: int | str | None, strict: bool
) -> AudioFile:
    """Wait for the end of the stream, and read it as a file that goes when it is closed."""
    with ExitStack() as stack:
        file = cast("io.RawIOBase", stack.enter_context(tempfile.TemporaryFile(buffering=0)))
        writer = io.BufferedWriter(file)
        writer.write(head)
        while arrived := read_arrived(stream, _SPOOL_BYTES):
            writer.write(arrived)
        writer.detach()
        file.seek(0)
        stack.pop_all()  # the audio closes it
        return open_seekable(file, _NAME, track=track, strict=strict)
