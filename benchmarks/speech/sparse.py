"""Utterances in; one long recording with long pauses, and where its speech is, out.

Rules of this file:

1. Pauses and noise are made, from a seed. Noise lies under everything, so that only speech marks
   where speech is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.speech.corpora import Utterance
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds

_PAUSES_S: Final = (5.0, 40.0)
_NOISE_LEVELS_DB: Final = (-70.0, -50.0)

_BLOCK: Final = 10 * SAMPLE_RATE_HZ
_FLAT_HZ: Final = 50
"""Below it the noise does not grow any more."""

Stretch = tuple[float, float]
"""From and to, in seconds."""


@dataclass(frozen=True)
class Recording:
    """Samples, and what is known of them."""

    samples: NDArray[np.float32]
    """(n,) at 16 kHz."""
    text: str
    speech: tuple[Stretch, ...] | None = None
    """Seconds between which somebody speaks; None where it is not known."""


def sparse(utterances: Sequence[Utterance], seconds: float, seed: int) -> Recording:
    """Recordings far apart, in a room that is never quite quiet."""
    drawn = random.Random(seed)
    parts: list[NDArray[np.float32]] = []
    texts, speech, length = [], [], 0
    order = list(utterances)
    drawn.shuffle(order)
    for each in order:
        pause = round(drawn.uniform(*_PAUSES_S) * SAMPLE_RATE_HZ)
        start, end = length + pause, length + pause + each.samples.shape[0]
        if end > seconds * SAMPLE_RATE_HZ:
            break
        parts += [np.zeros(pause, np.float32), each.samples]
        speech.append((samples_to_seconds(start), samples_to_seconds(end)))
        texts.append(each.text)
        length = end
    rest = max(0, round(seconds * SAMPLE_RATE_HZ) - length)
    samples = np.concatenate([*parts, np.zeros(rest, np.float32)])
    return Recording(samples + room_noise(samples.shape[0], seed), " ".join(texts), tuple(speech))


def room_noise(count: int, seed: int) -> NDArray[np.float32]:
    """Noise that falls by 6 dB per octave and comes and goes smoothly, float32 (count,)."""
    drawn = np.random.default_rng(seed)
    noise = np.zeros(count + 2 * _BLOCK, np.float32)
    # Blocks that overlap by half, each faded in and out: their power adds up to one.
    fade = np.sin(np.pi * (np.arange(_BLOCK) + 0.5) / _BLOCK)
    for start in range(0, count + _BLOCK // 2, _BLOCK // 2):
        spectrum = np.fft.rfft(drawn.standard_normal(_BLOCK))
        spectrum /= np.maximum(np.arange(spectrum.shape[0]), _FLAT_HZ * _BLOCK // SAMPLE_RATE_HZ)
        block = np.fft.irfft(spectrum, _BLOCK)
        level = 10 ** (drawn.uniform(*_NOISE_LEVELS_DB) / 20)
        noise[start : start + _BLOCK] += fade * block * (level / block.std())
    return noise[_BLOCK // 2 : _BLOCK // 2 + count]
