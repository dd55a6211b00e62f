"""The path of raw samples, and what they are, go in; float32 mono blocks (n,) come out."""

from __future__ import annotations

from contextlib import ExitStack
from os import PathLike

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.audio.files import open_file
from parakeet_streaming.audio.pcm_decoder import bytes_per_frame
from parakeet_streaming.audio.pcm_reader import PcmReader
from parakeet_streaming.errors import AudioFormatError, OptionError
from parakeet_streaming.timeline import MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, SAMPLE_RATE_HZ


def open_raw(
    path: str | PathLike[str],
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    encoding: str = "s16le",
    channels: int = 1,
) -> AudioFile:
    """Open a file that holds nothing but samples.

    Args:
        path: where it is.
        rate_hz: samples per second.
        encoding: a name from `pcm_decoder.ENCODINGS`.
        channels: how many samples are one frame.

    Raises:
        AudioNotFoundError: there is no such file.
        FileAccessError: the system does not let it be opened.
        AudioFormatError: it is no file, or shorter than one frame.
        OptionError: an impossible rate, encoding or number of channels.
    """
    frame_bytes = bytes_per_frame(encoding, channels)
    if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
        raise OptionError(
            f"raw samples at {rate_hz} Hz; use {MIN_INPUT_RATE_HZ} to {MAX_INPUT_RATE_HZ} Hz"
        )
    with ExitStack() as stack:
        file = stack.enter_context(open_file(path))
        frames = file.seek(0, 2) // frame_bytes
        file.seek(0)
        if not frames:
            raise AudioFormatError(f"{path} is empty; it holds no sound")
        return AudioFile(
            str(path),
            PcmReader(file, encoding, channels),
            rate_hz=rate_hz,
            channels=channels,
            duration_s=frames / rate_hz,
            resources=stack,
        )
