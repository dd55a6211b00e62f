"""Speech from a recording, as long as a test wants it."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"


@lru_cache(maxsize=8)
def spoken(seconds):
    """(n,) float32 at 16 kHz."""
    samples, rate_hz = soundfile.read(DIGITS, dtype="float32")
    assert rate_hz == 16_000
    return np.tile(samples, 1 + int(seconds * rate_hz / len(samples)))[: int(seconds * rate_hz)]
