"""The path of an audio file goes in; float32 mono blocks (n,) at the file's own rate come out.

Rules of this file:

1. Content decides what a file is, never its name.
2. libsndfile reads PCM and what telephones use, PyAV what is compressed more than that
   (`compressed`): libsndfile stops where it guesses that such a file ends.
3. Both read in order and never seek, so memory stays flat, and how long the blocks are never
   changes a sample.
4. What can be read of a broken file is handed on first; then the error says where it broke.

This is the only file that reads with soundfile.
"""

from __future__ import annotations

import io
import stat
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from parakeet_streaming.audio.blocks import AudioFile, FrameReader
from parakeet_streaming.audio.compressed import open_compressed
from parakeet_streaming.audio.containers import COMPRESSED, sniff, sniff_file
from parakeet_streaming.audio.pcm_decoder import bytes_per_frame
from parakeet_streaming.audio.pcm_reader import PcmReader
from parakeet_streaming.audio.recording_errors import as_recording_errors, reason_of
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.audio.riff_texts import check_texts
from parakeet_streaming.audio.tracks import only_track
from parakeet_streaming.audio.truncation import missing_bytes
from parakeet_streaming.audio.wav import read_wav_header
from parakeet_streaming.errors import AudioFormatError, ExtraMissingError
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_UNKNOWN_FRAMES: Final = 2**63 - 1
_GUESSED_FORMATS: Final = frozenset({"FLAC", "OGG", "MP3"})
_GUESSED_CODECS: Final = ("MPEG", "VORBIS", "OPUS", "ALAC")
"""What libsndfile does not always read to its end; of codecs, how their names begin."""
_SIMPLE_CODECS: Final = ("PCM", "FLOAT", "DOUBLE", "ULAW", "ALAW")
"""Codecs whose length we know where a header says 0."""


def open_audio(
    path: str | PathLike[str], *, track: int | str | None = None, strict: bool = False
) -> AudioFile:
    """Open an audio file, or a film, of any format that libsndfile or PyAV reads.

    Args:
        path: where it is.
        track: which of several audio tracks: its number from 1, or its language ("en", "eng"); None
            for the file's default one.
        strict: end with an error where a packet cannot be decoded. Else silence of its length takes
            its place, and `AudioFile.warnings` says where.

    Raises:
        AudioNotFoundError: there is no such file.
        FileAccessError: the system does not let it be read.
        AudioFormatError: it is no audio, or it is broken.
        ExtraMissingError: it needs PyAV, which is not installed.
        OptionError: no such track.
    """
    file = open_file(path)
    return open_seekable(file.detach(), str(Path(path)), track=track, strict=strict)


def open_file(path: str | PathLike[str]) -> io.BufferedReader:
    """Open a file to read its bytes.

    Raises:
        AudioNotFoundError: there is no such file.
        FileAccessError: the system does not let it be opened.
        AudioFormatError: it is no file.
    """
    name = str(Path(path))
    with as_recording_errors(name):
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioFormatError(f"{name} is a folder; name one audio file in it")
        if not stat.S_ISREG(mode):
            raise AudioFormatError(
                f"{name} is no regular file; pipe it into standard input instead"
            )
        return io.BufferedReader(io.FileIO(path))


def read_audio(
    path: str | PathLike[str], *, track: int | str | None = None, strict: bool = False
) -> NDArray[np.float32]:
    """Reads a whole file into memory; to stream one, take `open_audio` and its blocks.

    Raises:
        AudioNotFoundError, FileAccessError, AudioFormatError, ExtraMissingError, OptionError: as
            `open_audio`.
        AudioInputError: a sample is NaN or infinite.
    """
    with open_audio(path, track=track, strict=strict) as audio:
        blocks = list(audio.blocks())
        rate_hz = audio.rate_hz
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


def open_seekable(
    raw: io.RawIOBase, name: str, *, track: int | str | None = None, strict: bool = False
) -> AudioFile:
    """As `open_audio`, for a file that is open already; closing the audio closes `raw`.

    Args:
        raw: an unbuffered binary file, at its start; it is closed when it cannot be read, too.
        name: how to call it in messages.
        track: as `open_audio`.
        strict: as `open_audio`.

    Raises:
        FileAccessError: the system does not let it be read.
        AudioFormatError: it is no audio, or it is broken.
        ExtraMissingError: it needs PyAV, which is not installed.
        OptionError: no such track.
    """
    with as_recording_errors(name), ExitStack() as stack:
        file = stack.enter_context(_Nameless(raw))
        if not file.peek(1):
            raise AudioFormatError(f"{name} is empty; it holds no audio")
        sound, reasons = None, []
        container = sniff_file(file)
        missing = missing_bytes(file, container)

        def lacking_bytes() -> int:
            file.check()
            return missing

        if container not in COMPRESSED and not _begins_as_mpeg(file):
            try:
                sound = stack.enter_context(_InOrder(file))
            except soundfile.LibsndfileError as error:
                reasons.append(f"libsndfile: {reason_of(error)}")
        if sound is not None and _is_read_whole(sound):
            only_track(track, name)
            return _open_with_libsndfile(name, file, stack, sound, missing)
        file.seek(0)
        try:
            check_texts(file, container)
            return open_compressed(
                name, file, stack, track=track, strict=strict, missing_bytes=lacking_bytes
            )
        except AudioFormatError as error:
            reasons.append(f"PyAV: {error}")
        except ExtraMissingError as error:
            if container in COMPRESSED or sound is not None:
                kind = container or "compressed"
                raise ExtraMissingError(f"{name} is {kind}, which needs PyAV: {error}") from error
            reasons.append(str(error))
        if sound is None or sound.format in _GUESSED_FORMATS:
            raise AudioFormatError(
                f"{name} is no audio, or it is broken ({'; '.join(reasons)}); "
                "check that it plays, or convert it to WAV or FLAC"
            )
        only_track(track, name)
        file.seek(0)
        sound = stack.enter_context(_InOrder(file))
        return _open_with_libsndfile(name, file, stack, sound, missing)


def _begins_as_mpeg(file: io.BufferedReader) -> bool:
    """Whether libsndfile takes it for MPEG audio: it writes about it, and never reads it here."""
    head = file.peek(2)[:2]
    return len(head) == 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0


class _Nameless(io.BufferedReader):
    """A file that keeps its name to itself, as both libraries would guess a format from it.

    libsndfile reads and seeks wherever a header sends it, and no exception can pass through it.
    """

    name = ""
    failure: Exception | None = None
    """What the last read has raised."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """As libsndfile reads."""
        try:
            count = super().readinto(buffer)
        except (OSError, ValueError) as error:
            self.failure, count = error, 0
        return count

    def read(self, size: int | None = -1, /) -> bytes:
        """As PyAV reads, which forgets what was raised."""
        self.failure = None
        try:
            return super().read(size)
        except (OSError, ValueError) as error:
            self.failure = error
            raise

    def check(self) -> None:
        """Raises what the last read has raised."""
        if self.failure is not None:
            raise self.failure


class _InOrder(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    def seekable(self) -> bool:
        # Else soundfile seeks after every read, and MP3 cannot be decoded from the middle: the
        # first samples of every block would be garbled.
        return False


class _LibsndfileReader:
    """What libsndfile decodes; what comes before a break is handed on first."""

    def __init__(self, sound: _InOrder, file: _Nameless) -> None:
        self._sound = sound
        self._file = file
        self._position_samples = 0
        self._broken: str | None = None

    def read(self, wanted_samples: int) -> NDArray[Any]:
        frames = np.empty((wanted_samples, self._sound.channels), np.float32)
        count = 0
        if self._broken is None:
            try:
                count = len(self._sound.read(out=frames))
            except soundfile.LibsndfileError as error:
                self._broken = reason_of(error)
                count = self._decoded_samples()
        if count == 0:
            self._file.check()
        if count == 0 and self._broken is not None:
            raise AudioFormatError(self._broken)
        self._position_samples += count
        return frames[:count]

    def _decoded_samples(self) -> int:
        """How many of the samples that were wanted came before the error."""
        try:
            return int(self._sound.tell()) - self._position_samples
        except soundfile.LibsndfileError:
            return 0  # a codec without positions


def _is_read_whole(sound: _InOrder) -> bool:
    """Whether libsndfile reads to where the sound ends, and not to where it guesses its end."""
    if sound.format in _GUESSED_FORMATS or sound.subtype.startswith(_GUESSED_CODECS):
        return False
    return bool(sound.frames or sound.subtype.startswith(_SIMPLE_CODECS))


def _open_with_libsndfile(
    name: str, file: _Nameless, stack: ExitStack, sound: _InOrder, missing: int
) -> AudioFile:
    reader: FrameReader = _LibsndfileReader(sound, file)
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
        missing_bytes=lambda: missing,
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
