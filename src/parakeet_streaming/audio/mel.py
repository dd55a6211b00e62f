"""A number of mel bins in; the window and the mel filters of every Parakeet's features out.

They are those of NVIDIA NeMo's `AudioToMelSpectrogramPreprocessor` with its usual settings.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.timeline import SAMPLE_RATE_HZ

FFT_SAMPLES: Final = 512
WINDOW_SAMPLES: Final = 400


@cache
def hann_window() -> NDArray[np.float32]:
    """Symmetric Hann window of 400 samples, centred in 512.

    Computed in float32 as PyTorch computes it: in bands that hold only rounding noise, the last bit
    of the window shows in the features.
    """
    phase = np.arange(WINDOW_SAMPLES, dtype=np.float32) * np.float32(
        2 * np.pi / (WINDOW_SAMPLES - 1)
    )
    window = np.zeros(FFT_SAMPLES, dtype=np.float32)
    start = (FFT_SAMPLES - WINDOW_SAMPLES) // 2
    window[start : start + WINDOW_SAMPLES] = np.float32(0.5) - np.float32(0.5) * np.cos(phase)
    return window


def mel_edges_hz(mel_bins: int) -> NDArray[np.float64]:
    """Where F mel filters begin, peak and end (F + 2,): filter i at i, i + 1 and i + 2."""
    return _mel_to_hz(np.linspace(0, _hz_to_mel(SAMPLE_RATE_HZ / 2), mel_bins + 2))


@cache
def mel_bank(mel_bins: int) -> NDArray[np.float32]:
    """Slaney mel filters (F, 257), each of unit area in Hz (Slaney, Auditory Toolbox, 1998)."""
    bin_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    edges_hz = mel_edges_hz(mel_bins)
    widths_hz = np.diff(edges_hz)
    distance = edges_hz[:, None] - bin_hz[None, :]
    rising = -distance[:-2] / widths_hz[:-1, None]
    falling = distance[2:] / widths_hz[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    triangles *= 2.0 / (edges_hz[2:] - edges_hz[:-2])[:, None]
    return triangles.astype(np.float32)


# Slaney's scale: linear up to 1 kHz, then 27 steps per factor of 6.4.
_LINEAR_HZ: Final = 200.0 / 3
_BREAK_HZ: Final = 1000.0
_BREAK_MEL: Final = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP: Final = np.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _LINEAR_HZ
    return _BREAK_MEL + float(np.log(hz / _BREAK_HZ)) / float(_LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(
        mel < _BREAK_MEL, mel * _LINEAR_HZ, _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    )
