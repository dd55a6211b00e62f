"""A seed and a length in; real speech of that length, float32 (n,) at 16 kHz, out."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_RECORDINGS: Final = Path(__file__).parents[2] / "examples" / "recordings"
_PAUSES_S: Final = (0.2, 1.4)
"""Between recordings: some end an utterance, some do not."""
_LOUDNESS: Final = (0.5, 1.0)


def speech_of(seed: int, seconds: float) -> Floats:
    """Recordings of digits in a random order, with pauses between them; never silent for long."""
    draw = random.Random(seed)
    wanted, parts, length = round(seconds * SAMPLE_RATE_HZ), list[Floats](), 0
    while length < wanted:
        spoken = draw.choice(_recordings()) * np.float32(draw.uniform(*_LOUDNESS))
        pause = np.zeros(round(draw.uniform(*_PAUSES_S) * SAMPLE_RATE_HZ), np.float32)
        parts += [spoken, pause]
        length += len(spoken) + len(pause)
    return np.concatenate(parts)[:wanted]


@cache
def _recordings() -> tuple[Floats, ...]:
    return tuple(read_audio(path) for path in sorted(_RECORDINGS.glob("*.wav")))
