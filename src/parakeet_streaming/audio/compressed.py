"""A file of any container and codec goes in; frames (m, channels) float32 of one track come out.

Rules of this file:

1. Reading ends where the packets end. What the file says of its length is a hint, nothing more.
2. Where packets are lost (`decoded_frames`), silence of their length stands, and a warning says
   where. Where nothing can be decoded behind them, the file is broken there.
3. The rate and the number of channels are those of the first frame; later ones are converted.
4. Packets have times (`packet_clock`) where the container has a clock of its own. Elementary
   streams have none: their times are counted, or guessed.

This file and `decoded_frames` are the only ones that import av.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.audio.decoded_frames import DecodedFrame, DecodedFrames
from parakeet_streaming.audio.fitting import FrameFitter, float_frames
from parakeet_streaming.audio.mp3_padding import EndPadding
from parakeet_streaming.audio.packet_clock import MOST_SILENCE_S, SMALLEST_GAP_S, PacketClock
from parakeet_streaming.audio.pieces import PieceReader
from parakeet_streaming.audio.recording_errors import reason_of
from parakeet_streaming.audio.tracks import Track, choose_track
from parakeet_streaming.errors import AudioFormatError, ExtraMissingError
from parakeet_streaming.timeline import samples_to_seconds

if TYPE_CHECKING:
    from av import AudioStream
    from av.container import InputContainer

_TICKS_PER_S: Final = 1_000_000
_CLOCKED: Final = frozenset(
    {"asf", "flv", "live_flv", "matroska", "mov", "mpeg", "mpegts", "mxf", "nut", "ogg", "rm"}
)
"""Containers whose packets have times of a clock."""
_SPLICED: Final = frozenset({"mpeg", "mpegts", "ogg"})
"""Those of them that are joined by `cat`: a leap may be another recording."""
_EXACT: Final = frozenset({"asf", "flv", "matroska", "mov", "nut"})
"""Those whose length is no estimate."""
_EARLY_END_S: Final = 1.0
_TEXTS_OF_ANY_BYTES: Final = 19
"""The first version of PyAV for which a title that is no UTF-8 does not make a file unreadable."""
_LONGEST_SPLICED_GAP_S: Final = 60.0
_MOST_DELAY_S: Final = 0.5
"""A decoder that swallows its first packets swallows no more than that."""
_LONGEST_SILENCE: Final = 1 << 16
_MOST_WARNINGS: Final = 20
_ASIDE: Final = ("comment", "hearing_impaired", "visual_impaired", "descriptions")


class ByteSource(Protocol):
    """What PyAV reads from; with `seek` and `tell` it seeks, too."""

    def read(self, most_bytes: int, /) -> bytes: ...


def open_compressed(
    name: str,
    file: ByteSource,
    stack: ExitStack,
    *,
    track: int | str | None = None,
    strict: bool = False,
    missing_bytes: Callable[[], int] = lambda: 0,
    padding: EndPadding | None = None,
) -> AudioFile:
    """Open what PyAV can read of `file`, which is at its start.

    Args:
        name: how to call it in messages.
        file: it stays the caller's. Where it cannot seek it is read as it comes.
        stack: what has to be closed; it is taken over when all went well.
        track: a track's number from 1, or its language; None for the file's own choice.
        strict: whether a packet that cannot be decoded ends the file.
        missing_bytes: at the end, how many the file lacks by its own account.
        padding: what is left out at the end, as PyAV itself does of a file that can seek.

    Raises:
        AudioFormatError: no audio, or broken from the start; without the file's name.
        ExtraMissingError: PyAV is not installed.
        OptionError: no such track.
    """
    try:
        import av
    except ImportError as error:
        raise ExtraMissingError(f"PyAV is not there ({error}); pip install av") from error
    warnings: list[str] = []
    try:
        # Without protocols a playlist in disguise cannot open other files or addresses.
        options = {"protocol_whitelist": "none"}
        container = stack.enter_context(_opened(file, options))
        stream = _choose_stream(container, track, name, warnings)
        frames = DecodedFrames(container, stream, strict=strict)
        track_reader = _Track(name, container, frames, warnings, padding)
    except av.FFmpegError as error:
        raise AudioFormatError(reason_of(error)) from error
    ticks = container.duration
    return AudioFile(
        name,
        PieceReader(track_reader.pieces(), track_reader.channels),
        rate_hz=track_reader.rate_hz,
        channels=track_reader.channels,
        duration_s=ticks / _TICKS_PER_S if ticks is not None and ticks > 0 else None,
        resources=stack,
        warnings=warnings,
        missing_bytes=missing_bytes,
    )


def _opened(file: ByteSource, options: dict[str, str]) -> InputContainer:
    import av

    if int(av.__version__.partition(".")[0]) >= _TEXTS_OF_ANY_BYTES:
        return av.open(file, "r", options=options)
    lenient: Any = {"metadata_errors": "ignore"}
    return cast("InputContainer", av.open(file, "r", options=options, **lenient))


def _text_of(stream: AudioStream, key: str) -> str | None:
    """What the file says of a stream, without what is no UTF-8; None where it says nothing."""
    said = stream.metadata.get(key)
    return None if said is None else said.encode(errors="ignore").decode()


def _choose_stream(
    container: InputContainer, asked: int | str | None, name: str, warnings: list[str]
) -> AudioStream:
    streams = container.streams.audio
    tracks = [
        Track(
            number,
            stream.codec_context.name,
            stream.codec_context.layout.nb_channels,
            _text_of(stream, "language"),
            _text_of(stream, "title"),
            bool(stream.disposition & type(stream.disposition).default),
            any(stream.disposition & type(stream.disposition)[aside] for aside in _ASIDE),
        )
        for number, stream in enumerate(streams, 1)
        if stream.codec_context is not None
    ]
    if not tracks:
        raise AudioFormatError("it has no audio stream")
    chosen, message = choose_track(tracks, asked, name)
    if message is not None:
        warnings.append(message)
    return streams[chosen.number - 1]


class _Track:
    """One track of a container; `rate_hz` and `channels` are those of its first frame."""

    def __init__(
        self,
        name: str,
        container: InputContainer,
        frames: DecodedFrames,
        warnings: list[str],
        padding: EndPadding | None,
    ) -> None:
        self._name = name
        self._container = container
        self._frames = frames
        self._warnings = warnings
        self._padding = padding
        self._unsaid = 0
        self._told_left_out = False
        names = set(container.format.name.split(","))
        self._is_clocked = not names.isdisjoint(_CLOCKED)
        self._is_exact = not names.isdisjoint(_EXACT)
        first = next(frames, None)
        if first is None:
            raise AudioFormatError(frames.lost_why or "its audio stream is empty")
        self._first = first
        # Only a decoded frame has the true rate: HE-AAC declares half of it.
        self.rate_hz: int = first.rate_hz
        self.channels: int = first.channels
        ticks = container.start_time
        self._start_s = 0.0 if ticks is None else ticks / _TICKS_PER_S
        if ticks is None:
            self._start_s = frames.first_s or 0.0
        elif SMALLEST_GAP_S <= frames.delay_s(first) <= _MOST_DELAY_S:
            self._start_s += frames.delay_s(first)
        self._clock = PacketClock(self.rate_hz, longest_gap_s=self._longest_gap_s(names))

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """All samples (m, channels) of the track, silence where there are none.

        Raises:
            AudioFormatError: it is broken from here on.
        """
        fitter = FrameFitter(self.rate_hz, self.channels)
        frame: DecodedFrame | None = self._first
        while frame is not None:
            lost = self._lost_samples()
            missing = self._clock.missing_before(self._place(frame), lost=lost)
            self._tell_left_out()
            if missing:
                yield fitter.finish()
                self._tell_missing(missing)
                yield from self._silence(missing)
            self._frames.forget_lost()
            samples, length = fitter.feed(float_frames(frame.samples), frame.rate_hz)
            self._clock.advance(length)
            yield from (samples,) if self._padding is None else self._padding.feed(samples)
            frame = next(self._frames, None)
        yield fitter.finish()
        self._tell_early_end()
        if self._unsaid:
            self._warnings.append(f"{self._name} has {self._unsaid} more places without sound")
        if self._frames.lost_why is not None:
            raise AudioFormatError(self._frames.lost_why)

    def _lost_samples(self) -> int:
        if self._frames.lost_why is None:
            return int(self._frames.is_quiet and self._is_clocked)
        return max(1, round(self._frames.lost_s * self.rate_hz))

    def _tell_left_out(self) -> None:
        if self._clock.left_out and not self._told_left_out:
            self._told_left_out = True
            at_s = samples_to_seconds(self._clock.position, self.rate_hz)
            self._warnings.append(
                f"{self._name} claims more than {MOST_SILENCE_S:.0f} s of silence; from "
                f"{at_s:.2f} s on it is left out, and times are too early"
            )

    def _tell_early_end(self) -> None:
        ticks = self._container.duration
        if ticks is None or not self._is_exact or self._frames.lost_why is not None:
            return
        end_s = samples_to_seconds(self._clock.position, self.rate_hz)
        if ticks / _TICKS_PER_S - end_s >= _EARLY_END_S:
            self._warnings.append(
                f"{self._name} has no sound after {end_s:.2f} s, and is "
                f"{ticks / _TICKS_PER_S:.2f} s long by its own account"
            )

    def _place(self, frame: DecodedFrame) -> int | None:
        """Where the frame begins by the container's clock, in samples from its start."""
        if not self._is_clocked or frame.start_s is None:
            return None
        return round((frame.start_s - self._start_s) * self.rate_hz)

    def _longest_gap_s(self, names: set[str]) -> float:
        if not names.isdisjoint(_SPLICED):
            return _LONGEST_SPLICED_GAP_S
        ticks = self._container.duration
        return MOST_SILENCE_S if ticks is None else ticks / _TICKS_PER_S + 1.0

    def _silence(self, samples: int) -> Iterator[NDArray[np.float32]]:
        self._clock.advance(samples)
        while samples:
            piece = min(samples, _LONGEST_SILENCE)
            yield np.zeros((piece, self.channels), np.float32)
            samples -= piece

    def _tell_missing(self, samples: int) -> None:
        if len(self._warnings) >= _MOST_WARNINGS:
            self._unsaid += 1
            return
        start_s = samples_to_seconds(self._clock.position, self.rate_hz)
        end_s = samples_to_seconds(self._clock.position + samples, self.rate_hz)
        place = f"from {start_s:.2f} s to {end_s:.2f} s"
        if self._frames.lost_why is not None:
            said = f"is broken {place} ({self._frames.lost_why}); silence stands there"
        elif start_s == 0:
            said = f"has no sound before {end_s:.2f} s; silence stands there"
        else:
            said = f"has no sound {place}; silence stands there"
        self._warnings.append(f"{self._name} {said}")
