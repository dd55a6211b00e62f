"""Seconds in; that much of a book read aloud, at 16 kHz and from the start again, out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.timeline import seconds_to_samples

BOOK: Final = Path(__file__).resolve().parents[1] / "tests/parity/golden/audio/printing-45s.wav"
"""45 s of it."""


def speech_of(seconds: float, audio: Path = BOOK) -> NDArray[np.float32]:
    """`seconds` of a recording, (n,)."""
    return looped(read_audio(audio), 0, seconds_to_samples(seconds))


def looped(samples: NDArray[np.float32], start: int, count: int) -> NDArray[np.float32]:
    """`count` of samples (n,) from `start` on, which may lie behind the end."""
    return samples.take(np.arange(start, start + count), mode="wrap")
