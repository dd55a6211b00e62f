"""The path of an audio file goes in; float32 mono blocks (n,) at the file's own rate come out.

Rules of this file:

1. Content decides what a file is, never its name.
2. libsndfile reads what it can, PyAV (an extra) the rest. Both read in order and never seek, so
   memory stays flat, and how long the blocks are never changes a sample.
3. What can be read of a broken file is handed on first; then the error says where it broke.

This is the only file that imports soundfile and av.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from parakeet_streaming.audio.blocks import AudioFile, FrameReader
from parakeet_streaming.audio.containers import NEEDS_AV, sniff
from parakeet_streaming.audio.pcm_decoder import bytes_per_frame
from parakeet_streaming.audio.pcm_reader import PcmReader
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.audio.wav import read_wav_header
from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, ExtraMissingError
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

_UNKNOWN_FRAMES: Final = 2**63 - 1
_AV_TICKS_PER_S: Final = 1_000_000
_INSTALL_AV: Final = "pip install 'parakeet-streaming[av]'"


def open_audio(path: str | PathLike[str]) -> AudioFile:
    """Open an audio file of any format that libsndfile reads, or PyAV where it is installed.

    Raises:
        AudioNotFoundError: there is no such file.
        AudioFormatError: it is no audio, or it is broken.
        ExtraMissingError: it needs PyAV, which is not installed.
    """
    where = Path(path)
    if not where.exists():
        raise AudioNotFoundError(f"there is no file {where}; check the path")
    if where.is_dir():
        raise AudioFormatError(f"{where} is a folder; name one audio file in it")
    if not where.is_file():
        raise AudioFormatError(f"{where} is no regular file; pipe it into standard input instead")
    try:
        raw = io.FileIO(where)
    except OSError as error:
        raise AudioFormatError(
            f"{where} cannot be opened ({error.strerror}); check its permissions"
        ) from error
    return open_seekable(raw, str(where))


def read_audio(path: str | PathLike[str]) -> NDArray[np.float32]:
    """Reads a whole file into memory; to stream one, take `open_audio` and its blocks.

    Raises:
        AudioNotFoundError, AudioFormatError, ExtraMissingError: as `open_audio`.
        AudioInputError: a sample is NaN or infinite.
    """
    with open_audio(path) as audio:
        blocks = list(audio.blocks())
        rate_hz = audio.rate_hz
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


def open_seekable(raw: io.RawIOBase, name: str) -> AudioFile:
    """As `open_audio`, for a file that is open already; closing the audio closes `raw`.

    Args:
        raw: an unbuffered binary file, at its start; it is closed when it cannot be read, too.
        name: how to call it in messages.

    Raises:
        AudioFormatError: it is no audio, or it is broken.
        ExtraMissingError: it needs PyAV, which is not installed.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_Nameless(raw))
        if not file.peek(1):
            raise AudioFormatError(f"{name} is empty; it holds no audio")
        try:
            sound = stack.enter_context(_InOrder(file))
        except soundfile.LibsndfileError as error:
            return _open_with_av(name, file, stack, _reason(error))
        return _open_with_libsndfile(name, file, stack, sound)


class _Nameless(io.BufferedReader):
    """A file that keeps its name to itself, as both libraries would guess a format from it."""

    name = ""


class _InOrder(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    def seekable(self) -> bool:
        # Else soundfile seeks after every read, and MP3 cannot be decoded from the middle: the
        # first samples of every block would be garbled.
        return False


class _BreakableReader(ABC):
    """A reader that hands on what comes before a break, and raises only then."""

    def __init__(self) -> None:
        self._broken: str | None = None

    def read(self, wanted_samples: int) -> NDArray[Any]:
        if self._broken is None:
            frames = self._read(wanted_samples)
            if len(frames) or self._broken is None:
                return frames
        raise AudioFormatError(self._broken)

    @abstractmethod
    def _read(self, wanted_samples: int) -> NDArray[Any]:
        """The next frames (m, channels); `_broken` is set when they are the last before a break."""


class _LibsndfileReader(_BreakableReader):
    def __init__(self, sound: _InOrder) -> None:
        super().__init__()
        self._sound = sound

    def _read(self, wanted_samples: int) -> NDArray[Any]:
        frames = np.empty((wanted_samples, self._sound.channels), np.float32)
        start = self._sound.tell()
        try:
            count = len(self._sound.read(out=frames))
        except soundfile.LibsndfileError as error:
            self._broken = _reason(error)
            count = self._sound.tell() - start
        return frames[:count]


class _AvReader(_BreakableReader):
    """The first audio stream of a container, decoded by PyAV."""

    def __init__(self, container: InputContainer) -> None:
        super().__init__()
        if not container.streams.audio:
            raise AudioFormatError("it has no audio stream")
        self._decoded = container.decode(audio=0)
        first = next(self._decoded, None)
        if first is None:
            raise AudioFormatError("its audio stream is empty")
        # Only a decoded frame has the true rate: HE-AAC declares half of it.
        self.rate_hz = first.sample_rate
        self.channels = first.layout.nb_channels
        self._first: AudioFrame | None = first

    def _read(self, wanted_samples: int) -> NDArray[Any]:
        import av

        parts: list[NDArray[Any]] = []
        count = 0
        try:
            while count < wanted_samples:
                frame, self._first = self._first or next(self._decoded, None), None
                if frame is None:
                    break
                parts.append(self._samples_of(frame))
                count += frame.samples
        except (av.FFmpegError, AudioFormatError) as error:
            self._broken = _reason(error)
        return np.concatenate(parts) if parts else np.zeros((0, self.channels), np.float32)

    def _samples_of(self, frame: AudioFrame) -> NDArray[Any]:
        """The samples of one decoded frame, (m, channels)."""
        channels = frame.layout.nb_channels
        if frame.sample_rate != self.rate_hz or channels != self.channels:
            raise AudioFormatError(
                f"from here on it has {frame.sample_rate} Hz and {channels} channels"
            )
        samples = frame.to_ndarray()
        return samples.T if frame.format.is_planar else samples.reshape(-1, channels)


def _open_with_libsndfile(
    name: str, file: _Nameless, stack: ExitStack, sound: _InOrder
) -> AudioFile:
    reader: FrameReader = _LibsndfileReader(sound)
    frames: int | None = None if sound.frames == _UNKNOWN_FRAMES else sound.frames
    if frames == 0:
        reader, frames = _unfinished_wav(name, file) or (reader, frames)
    return AudioFile(
        name,
        reader,
        rate_hz=sound.samplerate,
        channels=sound.channels,
        duration_s=None if frames is None else samples_to_seconds(frames, sound.samplerate),
        resources=stack,
    )


def _unfinished_wav(name: str, file: _Nameless) -> tuple[FrameReader, int] | None:
    """The samples of a WAV whose recorder was killed before it wrote their length, and how many."""
    file.seek(0)
    if sniff(file.peek(1)) != "WAV":
        return None
    header = read_wav_header(file.read, name)
    if header.encoding is None or header.data_bytes is not None:
        return None
    start_bytes = file.tell()
    data_bytes = file.seek(0, io.SEEK_END) - start_bytes
    file.seek(start_bytes)
    frames = data_bytes // bytes_per_frame(header.encoding, header.channels)
    return PcmReader(file, header.encoding, header.channels), frames


def _open_with_av(name: str, file: _Nameless, stack: ExitStack, why: str) -> AudioFile:
    file.seek(0)
    container_name = sniff(file.peek(1))
    try:
        import av
    except ImportError:
        if container_name in NEEDS_AV:
            raise ExtraMissingError(
                f"{name} is {container_name}, which needs PyAV; install it: {_INSTALL_AV}"
            ) from None
        raise AudioFormatError(
            f"{name} is no audio that libsndfile can read ({why}); convert it to WAV or FLAC, "
            f"or install PyAV, which reads more formats: {_INSTALL_AV}"
        ) from None
    try:
        # Without protocols a playlist in disguise cannot open other files or addresses.
        options = {"protocol_whitelist": "none"}
        container = stack.enter_context(
            av.open(file, "r", options=options, metadata_errors="ignore")
        )
        reader = _AvReader(container)
    except (av.FFmpegError, AudioFormatError) as error:
        raise AudioFormatError(
            f"{name} is no audio, or it is broken (libsndfile: {why}; PyAV: {_reason(error)}); "
            "check that it plays, or convert it to WAV or FLAC"
        ) from error
    ticks = container.duration
    return AudioFile(
        name,
        reader,
        rate_hz=reader.rate_hz,
        channels=reader.channels,
        duration_s=None if ticks is None else ticks / _AV_TICKS_PER_S,
        resources=stack,
    )


def _reason(error: Exception) -> str:
    """What a library had to say, without the number or the name that it puts before it."""
    said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(said).strip().rstrip(".")
