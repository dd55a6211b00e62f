"""Seconds in; that much of a book read aloud, float32 (n,) at 16 kHz, from the start again, out.

The file is read by soundfile, not by the package: `speed/before_after.py` runs this under
other versions of the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

BOOK: Final = Path(__file__).resolve().parents[2] / "tests/parity/golden/audio/printing-45s.wav"
"""45 s of it, mono at 16 kHz."""
BOOK_S: Final = 45.0
_RATE_HZ: Final = 16_000


def speech_of(seconds: float) -> NDArray[np.float32]:
    """`seconds` of the book, (n,)."""
    samples, rate_hz = soundfile.read(BOOK, dtype="float32")
    assert rate_hz == _RATE_HZ, f"{BOOK} has {rate_hz} Hz"
    return looped(samples, 0, round(seconds * _RATE_HZ))


def looped(samples: NDArray[np.float32], start: int, count: int) -> NDArray[np.float32]:
    """`count` of samples (n,) from `start` on, which may lie past the end."""
    return samples.take(np.arange(start, start + count), mode="wrap")
