"""Utterances in; one long recording out, in which people speak now and then, and where they do.

Rules of this file:

1. Pauses and noise are made, from a seed. Noise lies under everything, so nothing but speech tells
   where speech is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from corpora import Utterance
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds

_PAUSES_S: Final = (5.0, 40.0)
_NOISE_LEVELS_DB: Final = (-70.0, -50.0)

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
    """Noise that falls by 6 dB per octave, at another level every ten seconds, float32 (count,)."""
    drawn = np.random.default_rng(seed)
    block = 10 * SAMPLE_RATE_HZ
    blocks = []
    for _ in range(-(-count // block)):
        spectrum = np.fft.rfft(drawn.standard_normal(block))
        spectrum /= np.maximum(np.arange(spectrum.shape[0]), 50 * 10)
        noise = np.fft.irfft(spectrum, block)
        level = 10 ** (drawn.uniform(*_NOISE_LEVELS_DB) / 20)
        blocks.append((noise * level / noise.std()).astype(np.float32))
    return np.concatenate([*blocks, np.empty(0, np.float32)])[:count]
