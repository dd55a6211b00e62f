"""One track of a container goes in; every frame of it that can be decoded comes out.

Rules of this file:

1. A packet that cannot be decoded, or whose samples are no sound, is lost: how much was lost, and
   why, is kept until the caller forgets it. `strict` ends there instead.
2. Tags that stand between packets are neither sound nor lost.
3. A read that fails is tried again: what follows it may be whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.containers import frame_bytes, is_tag
from parakeet_streaming.audio.recording_errors import reason_of
from parakeet_streaming.errors import AudioFormatError

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, Packet
    from av.container import InputContainer

_FRAMED: Final = ("mp3", "aac", "ac3", "eac3")
"""Elementary streams, whose frames say how long they are."""
_SLACK_BYTES: Final = 4
_LOUDEST: Final = 1e6
_MOST_LOST_AT_START: Final = 100
_MOST_FAILED_READS: Final = 20


class DecodedFrames:
    """The frames of one track, in order, and what was lost before the next one."""

    def __init__(
        self, container: InputContainer, stream: AudioStream, *, strict: bool = False
    ) -> None:
        self._container = container
        self._stream = stream
        self._strict = strict
        self._is_framed = container.format.name in _FRAMED
        self._is_pcm = stream.codec_context.name.startswith("pcm_")
        self._decoded = self._frames()
        self.lost_s = 0.0
        """Seconds that the container says were in packets lost since `forget_lost`."""
        self.lost_why: str | None = None
        """Why the last one was lost; None where none was."""
        self.is_quiet = False
        """Whether a packet since `forget_lost` gave neither sound nor an error."""
        self.first_s: float | None = None
        """Time of the first packet."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AudioFrame:
        """The next frame.

        Raises:
            AudioFormatError: a packet is lost, and the reading is strict; or too many at the start.
        """
        return next(self._decoded)

    def forget_lost(self) -> None:
        """What was lost has been told."""
        self.lost_s, self.lost_why, self.is_quiet = 0.0, None, False

    def delay_s(self, first: AudioFrame) -> float:
        """Seconds by which the first frame is later than the first packet, that was not lost."""
        if self.lost_why is not None or self.first_s is None:
            return 0.0
        if first.pts is None or first.time_base is None:
            return 0.0
        return max(0.0, float(first.pts * first.time_base) - max(0.0, self.first_s))

    def _frames(self) -> Iterator[AudioFrame]:
        import av

        lost_at_start, is_start, last = 0, True, None
        for packet in self._packets():
            last = packet if packet.size else last
            try:
                frames: list[AudioFrame] = self._stream.decode(packet)
            except (av.FFmpegError, ValueError) as error:
                if packet.size and not is_tag(bytes(packet)):
                    lost_at_start += is_start
                    self._lose(packet, reason_of(error))
                if lost_at_start > _MOST_LOST_AT_START:
                    raise AudioFormatError(reason_of(error)) from error
                continue
            if not frames and packet.size and not is_start:
                self.is_quiet = True
            for frame in frames:
                if self._is_pcm or _is_sound(frame):
                    is_start = False
                    yield frame
                else:
                    self._lose(packet, "its samples are no sound")

        if self._is_framed and last is not None and _is_cut(bytes(last)):
            self._lose(None, "its last frame is cut off")

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        """Every packet of the track; the last one is empty."""
        import av

        failed_reads = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    failed_reads = 0
                    if self.first_s is None and packet.pts is not None and packet.time_base:
                        self.first_s = float(packet.pts * packet.time_base)
                    yield packet
            except (av.FFmpegError, OSError) as error:
                failed_reads += 1
                self._lose(None, reason_of(error))
                if failed_reads < _MOST_FAILED_READS:
                    continue
            return

    def _lose(self, packet: Packet[AudioStream] | None, why: str) -> None:
        if self._strict:
            raise AudioFormatError(why)
        if packet is not None and packet.duration and packet.time_base:
            self.lost_s += float(packet.duration * packet.time_base)
        self.lost_why = why


def _is_cut(packet: bytes) -> bool:
    return frame_bytes(packet) > len(packet) + _SLACK_BYTES


def _is_sound(frame: AudioFrame) -> bool:
    samples: NDArray[Any] = frame.to_ndarray()
    return samples.dtype.kind != "f" or bool((np.abs(samples) < _LOUDEST).all())
