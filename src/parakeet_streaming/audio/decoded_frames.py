"""One track of a container goes in; every frame of it that can be decoded comes out.

Rules of this file:

1. A packet that cannot be decoded, or whose samples are no sound, is lost: how much was lost, and
   why, is kept until the caller forgets it. `strict` ends there instead.
2. Tags that stand between packets are neither sound nor lost.
3. A read that fails is tried again: what follows it may be whole.
4. PyAV counts the planes of a frame up to an empty one, which only frames of fewer than eight have:
   of others it would read on into memory that is not theirs. So these are made packed before.
   Every frame is looked at, for a file may say other channels at each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.containers import frame_bytes, is_tag
from parakeet_streaming.audio.recording_errors import reason_of
from parakeet_streaming.errors import AudioFormatError

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler, AudioStream, Packet
    from av.container import InputContainer

_FRAMED: Final = ("mp3", "aac", "ac3", "eac3")
"""Elementary streams, whose frames say how long they are."""
_SLACK_BYTES: Final = 4
_LOUDEST: Final = 1e6
_MOST_LOST_AT_START: Final = 100
_MOST_FAILED_READS: Final = 20
_MOST_PLANES: Final = 7
"""A frame has room for the addresses of eight planes, and the empty one is the eighth."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """What a decoder gave at once."""

    samples: NDArray[Any]
    """(m, channels), of the decoder's type."""
    rate_hz: int
    start_s: float | None
    """By the container's clock; None where it does not say."""

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])


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
        self._samples = _Samples()
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

    def __next__(self) -> DecodedFrame:
        """The next frame.

        Raises:
            AudioFormatError: a packet is lost, and the reading is strict; or too many at the start.
        """
        return next(self._decoded)

    def forget_lost(self) -> None:
        """What was lost has been told."""
        self.lost_s, self.lost_why, self.is_quiet = 0.0, None, False

    def delay_s(self, first: DecodedFrame) -> float:
        """Seconds by which the first frame is later than the first packet, that was not lost."""
        if self.lost_why is not None or self.first_s is None or first.start_s is None:
            return 0.0
        return max(0.0, first.start_s - max(0.0, self.first_s))

    def _frames(self) -> Iterator[DecodedFrame]:
        import av

        lost_at_start, is_start, last = 0, True, None
        for packet in self._packets():
            last = packet if packet.size else last
            try:
                frames = [self._decoded_frame(each) for each in self._stream.decode(packet)]
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
                if self._is_pcm or _is_sound(frame.samples):
                    is_start = False
                    yield frame
                else:
                    self._lose(packet, "its samples are no sound")

        if self._is_framed and last is not None and _is_cut(bytes(last)):
            self._lose(None, "its last frame is cut off")

    def _decoded_frame(self, frame: AudioFrame) -> DecodedFrame:
        start_s = None
        if frame.pts is not None and frame.time_base is not None:
            start_s = float(frame.pts * frame.time_base)
        return DecodedFrame(self._samples.of(frame), frame.sample_rate, start_s)

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


class _Samples:
    """Takes the samples out of frames; rule 4."""

    def __init__(self) -> None:
        self._packer: AudioResampler | None = None
        self._packs: object = None

    def of(self, frame: AudioFrame) -> NDArray[Any]:
        """The samples of one frame (m, channels).

        Raises:
            FFmpegError, ValueError: samples or channels of a kind that cannot be taken out.
        """
        channels = frame.layout.nb_channels
        if not frame.format.is_planar:
            return _packed_samples(frame)
        if channels <= _MOST_PLANES:
            return frame.to_ndarray().T
        packed = [_packed_samples(each) for each in self._packer_for(frame).resample(frame)]
        samples = np.concatenate(packed) if packed else np.zeros((0, channels), np.float32)
        if samples.shape != (frame.samples, channels):
            raise ValueError(f"{channels} channels of no known order")
        return samples

    def _packer_for(self, frame: AudioFrame) -> AudioResampler:
        from av import AudioResampler

        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._packer is None or kind != self._packs:
            self._packs = kind
            self._packer = AudioResampler(format=frame.format.packed)
        return self._packer


def _packed_samples(frame: AudioFrame) -> NDArray[Any]:
    return frame.to_ndarray().reshape(-1, frame.layout.nb_channels)


def _is_cut(packet: bytes) -> bool:
    return frame_bytes(packet) > len(packet) + _SLACK_BYTES


def _is_sound(samples: NDArray[Any]) -> bool:
    return samples.dtype.kind != "f" or bool((np.abs(samples) < _LOUDEST).all())
