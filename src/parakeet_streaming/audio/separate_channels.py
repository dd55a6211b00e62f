"""The path of an audio file goes in; all its channels (n, channels) at 16 kHz come out."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.timeline import SAMPLE_RATE_HZ


def read_channels(
    path: str | PathLike[str], *, track: int | str | None = None, strict: bool = False
) -> NDArray[np.float32]:
    """Reads a whole file into memory, each channel for itself, for `transcribe_channels`.

    Raises:
        AudioNotFoundError, FileAccessError, AudioFormatError, ExtraMissingError, OptionError: as
            `open_audio`.
        AudioInputError: a sample is NaN or infinite.
    """
    with open_audio(path, track=track, strict=strict) as audio:
        audio.keep_channels()
        blocks = list(audio.blocks())
        rate_hz, channels = audio.rate_hz, audio.channels
    frames = np.concatenate(blocks) if blocks else np.zeros((0, channels), np.float32)
    if rate_hz == SAMPLE_RATE_HZ:
        return frames
    resampled = []
    for channel in frames.T:
        resampler = Resampler(rate_hz)
        whole = resampler.feed(np.ascontiguousarray(channel))
        resampled.append(np.concatenate([whole, resampler.finish()]))
    return np.stack(resampled, axis=1)
