"""The newest samples of a stream in; noise like that of the room behind them, out.

A model hears digital silence after room noise as an event of its own, and it may cost the last
word. So what stands for audio that is missing, or that has ended, sounds like the room.

Rules of this file:

1. The room is what is heard in the quietest moments of the last second: words are not taken for it.
2. Digital silence is followed by digital silence.
3. The same samples give the same noise, whenever and in whatever pieces it is asked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import seconds_to_samples

REACH_SAMPLES: Final = seconds_to_samples(1.0)
"""The samples that are looked at."""
_BLOCK: Final = 512
_HOP: Final = 128
_LIKE_THE_QUIETEST: Final = 1.5
"""Times the energy of the quietest block that others may have, to be the room as well."""
_DIGITAL_SILENCE: Final = 1e-13
_PERIOD: Final = 8_192
ROOM_SIZE: Final = _BLOCK // 2 + 1

Room = tuple[float, ...]
"""Strength of the room's noise at frequencies from 0 to 8 kHz; none for silence."""


def room_of(samples: Floats) -> Room:
    """The room behind samples (n,) at 16 kHz, of which the last second is looked at."""
    newest = samples[-REACH_SAMPLES:].astype(np.float64)
    if newest.shape[0] < _BLOCK:
        return ()
    starts = range(newest.shape[0] - _BLOCK, -1, -_HOP)
    blocks = np.stack([newest[start : start + _BLOCK] for start in starts])
    blocks -= blocks.mean(axis=1, keepdims=True)
    energies = np.square(blocks).mean(axis=1)
    if energies.min() < _DIGITAL_SILENCE:
        return ()
    quiet = blocks[energies <= _LIKE_THE_QUIETEST * energies.min()]
    shape = np.hanning(_BLOCK + 2)[1:-1]
    power = np.square(np.abs(np.fft.rfft(quiet * shape, axis=1))) / np.square(shape).sum()
    return tuple(np.sqrt(power.mean(axis=0)).tolist())


def room_noise(room: Room, count: int, start: int = 0) -> Floats:
    """`count` samples of a room's noise, float32, from its sample `start` on."""
    if not room:
        return np.zeros(count, np.float32)
    return np.take(_period(room), np.arange(start, start + count), mode="wrap")


@lru_cache(maxsize=32)
def _period(room: Room) -> Floats:
    bins = _PERIOD // 2 + 1
    strengths = np.interp(np.linspace(0, 1, bins), np.linspace(0, 1, len(room)), room)
    # Of numpy's random numbers only the raw ones are the same in all versions.
    phases = np.random.PCG64(0).random_raw(bins) / 2.0**64 * 2 * np.pi
    spectrum = strengths * np.exp(1j * phases) * np.sqrt(_PERIOD)
    return np.fft.irfft(spectrum, _PERIOD).astype(np.float32)
