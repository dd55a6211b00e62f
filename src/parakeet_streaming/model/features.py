"""Samples (n,) float32 at 16 kHz in; normalised log-mel features (F, n // 160) float32 out.

The features of NVIDIA NeMo's `AudioToMelSpectrogramPreprocessor` with the settings of every
Parakeet, computed for one window at a time: pre-emphasis 0.97, 512-point FFT over a symmetric Hann
window of 400 samples every 160, centred with zeros, power spectrum, Slaney mel bank, natural
logarithm with an added guard of 2⁻²⁴, then per-bin mean and unbiased deviation over the window.

Rules of this file:

1. Statistics are the window's own, so a feature of the same sound differs from window to window.
2. One frame has no deviation: its features are 0. No frame gives (F, 0). Nothing is ever NaN.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.timeline import HOP_SAMPLES, SAMPLE_RATE_HZ, feature_frames

Floats = NDArray[np.float32]

FFT_SAMPLES: Final = 512
WINDOW_SAMPLES: Final = 400
PREEMPHASIS: Final = np.float32(0.97)
LOG_GUARD: Final = np.float32(2.0**-24)
DEVIATION_GUARD: Final = np.float32(1e-5)


def log_mel(samples: Floats, mel_bins: int) -> Floats:
    """Normalised log-mel features of one window.

    Args:
        samples: (n,) float32 at 16 kHz, any n from 0.
        mel_bins: F, 128 or 80 in the models of the field.

    Returns:
        (F, n // 160) float32, finite.
    """
    frames = feature_frames(samples.shape[0])
    if frames == 0:
        return np.zeros((mel_bins, 0), dtype=np.float32)
    spectrum = np.fft.rfft(_frames(_preemphasise(samples), frames) * _hann())
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    features = np.log(_mel_bank(mel_bins) @ power.T + LOG_GUARD)
    return _normalise(features)


def _preemphasise(samples: Floats) -> Floats:
    emphasised = samples.astype(np.float32, copy=True)
    emphasised[1:] -= PREEMPHASIS * samples[:-1]
    return emphasised


def _frames(samples: Floats, frames: int) -> Floats:
    """Overlapping frames (T, 512), the first centred on the first sample."""
    padded = np.zeros(samples.shape[0] + FFT_SAMPLES, dtype=np.float32)
    padded[FFT_SAMPLES // 2 : FFT_SAMPLES // 2 + samples.shape[0]] = samples
    every = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)
    overlapping: Floats = every[::HOP_SAMPLES][:frames]
    return overlapping


def _normalise(features: Floats) -> Floats:
    frames = features.shape[1]
    if frames == 1:
        return np.zeros_like(features)
    centred = features - features.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(centred).sum(axis=1, keepdims=True) / np.float32(frames - 1))
    normalised: Floats = centred / (deviation + DEVIATION_GUARD)
    return normalised


@cache
def _hann() -> Floats:
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


@cache
def _mel_bank(mel_bins: int) -> Floats:
    """Slaney mel filters (F, 257), each of unit area in Hz (Slaney, Auditory Toolbox, 1998)."""
    bin_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    edges_hz = _mel_to_hz(np.linspace(0, _hz_to_mel(SAMPLE_RATE_HZ / 2), mel_bins + 2))
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
