"""A length and a random generator in; noise, tones or music, (n,) float32 of RMS 1, out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

Random = np.random.Generator

_QUIET = 1e-8


def level(samples: Floats) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0


def at_level(samples: Floats, rms: float) -> Floats:
    """The same sound at another RMS; silence stays silence."""
    scaled: Floats = samples * np.float32(rms / (level(samples) + _QUIET))
    return scaled


def quick_size(count: int) -> int:
    """A length of at least `count` that an FFT is quick for, of small prime factors."""
    step = 1 << max(0, count.bit_length() - 4)
    return -(-count // step) * step


def coloured(count: int, random: Random) -> Floats:
    """Noise whose power falls with frequency by a random slope, from white to brown."""
    slope = random.uniform(0, 2)
    size = quick_size(count)
    spectrum = np.fft.rfft(random.standard_normal(size, np.float32))
    spectrum[1:] *= np.arange(1, spectrum.shape[0], dtype=np.float32) ** np.float32(-slope / 2)
    spectrum[0] = 0
    return at_level(np.fft.irfft(spectrum, size)[:count].astype(np.float32), 1.0)


def hum(count: int, random: Random) -> Floats:
    """Mains hum: 50 or 60 Hz and some of its overtones."""
    base_hz = 50.0 if random.random() < 0.5 else 60.0
    overtones = np.arange(1, 9)
    return _partials(count, base_hz * overtones, random.random(8) / overtones, random)


def tones(count: int, random: Random) -> Floats:
    """One to three steady tones, sometimes beeping."""
    hz = random.uniform(80, 3500, random.integers(1, 4))
    sound = _partials(count, hz, random.uniform(0.3, 1, hz.shape), random)
    if random.random() < 0.5:
        period = int(SAMPLE_RATE_HZ * random.uniform(0.1, 1.5))
        on = (np.arange(count) % period) < period * random.uniform(0.2, 0.8)
        sound = sound * on.astype(np.float32)
    return at_level(sound, 1.0)


def music(count: int, random: Random) -> Floats:
    """Plucked notes of one scale, over one another, as chords and runs."""
    sound = np.zeros(count, np.float32)
    root_hz = random.uniform(80, 300)
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 19])
    beat = int(SAMPLE_RATE_HZ * random.uniform(0.12, 0.6))
    note_length = int(beat * random.uniform(1, 4))
    decay = np.exp(-np.arange(note_length) / (note_length * random.uniform(0.15, 0.8)))
    fall = random.uniform(0.5, 2)
    for start in range(0, count, beat):
        for step in random.choice(scale, random.integers(1, 4)):
            hz = root_hz * 2 ** (step / 12) * np.arange(1, 7)
            note = _partials(note_length, hz, 1 / np.arange(1, 7) ** fall, random)
            end = min(count, start + note_length)
            sound[start:end] += (note * decay).astype(np.float32)[: end - start]
    return at_level(sound, 1.0)


def _partials(
    count: int, hz: NDArray[np.floating], loud: NDArray[np.floating], random: Random
) -> Floats:
    """A sum of sines of random phase."""
    time_s = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)
    sound = np.zeros(count, np.float32)
    for each_hz, amplitude in zip(hz, loud, strict=True):
        if each_hz < SAMPLE_RATE_HZ / 2:
            phase = np.float32(2 * np.pi * each_hz) * time_s + np.float32(random.uniform(0, 6.28))
            sound += np.float32(amplitude) * np.sin(phase)
    return at_level(sound, 1.0)


KINDS: dict[str, Callable[[int, Random], Floats]] = {
    "noise": coloured,
    "hum": hum,
    "tones": tones,
    "music": music,
}
"""Every sound without words, by name."""
