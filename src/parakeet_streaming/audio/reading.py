"""The path of an audio file in; all of it as float32 mono (n,) at 16 kHz out."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.timeline import SAMPLE_RATE_HZ


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
