"""Samples (n,) float32 at 16 kHz in; normalised log-mel features (F, n // 160) float32 out.

The features of NVIDIA NeMo's `AudioToMelSpectrogramPreprocessor` with the settings of every
Parakeet, computed for one window at a time: pre-emphasis 0.97, 512-point FFT over a symmetric Hann
window of 400 samples every 160, centred with zeros, power spectrum, Slaney mel bank, natural
logarithm with an added guard of 2⁻²⁴, then per-bin mean and unbiased deviation over the window.

Rules of this file:

1. Statistics are the window's own, so a feature of the same sound differs from window to window.
   What stands for silence after the end of the audio has no part in them.
2. One frame has no deviation: its features are 0. No frame gives (F, 0). No feature is ever NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np

from parakeet_streaming.audio.mel import FFT_SAMPLES, hann_window, mel_bank
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import HOP_SAMPLES, feature_frames

PREEMPHASIS: Final = np.float32(0.97)
LOG_GUARD: Final = np.float32(2.0**-24)
LEAST_FRAMES: Final = 16
"""Feature frames that a mean and a deviation are taken of, where there are as many."""
DEVIATION_GUARD: Final = np.float32(1e-5)
SPOILT_BEHIND_CUT: Final = 2
SPOILT_BEFORE_CUT: Final = 1
"""Feature frames that the zeros before a cut reach into, and those that the zeros after one do."""

# These sizes change the speed only. A block of frames fits the processor's cache. Products are so
# small that BLAS computes them on one thread: on a busy machine, waiting for its other threads
# takes longer than all features of a window.
BLOCK_FRAMES: Final = 96
FEW_FRAMES: Final = 10
MAX_BAND_WEIGHTS: Final = 128


def log_mel(samples: Floats, mel_bins: int, tail_samples: int = 0) -> Floats:
    """Normalised log-mel features of one window.

    Args:
        samples: (n,) float32 at 16 kHz, any n from 0.
        mel_bins: F, 128 or 80 in the models of the field.
        tail_samples: those at the end by which the others are not normalised.

    Returns:
        (F, n // 160) float32, finite.
    """
    features = raw_log_mel(samples, mel_bins)
    return normalised(features, without_tail(features, samples.shape[0], tail_samples))


def raw_log_mel(samples: Floats, mel_bins: int) -> Floats:
    """Log-mel features (F, n // 160) float32 of samples (n,), not normalised."""
    frames = feature_frames(samples.shape[0])
    if frames == 0:
        return np.zeros((mel_bins, 0), dtype=np.float32)
    overlapping = _frames(_preemphasise(samples), frames)
    features = np.empty((mel_bins, frames), dtype=np.float32)
    blocks = max(1, round(frames / BLOCK_FRAMES))
    for start, stop in pairwise(frames * edge // blocks for edge in range(blocks + 1)):
        _mel_power(overlapping[start:stop], features[:, start:stop])
    features += LOG_GUARD
    np.log(features, out=features)
    return features


def without_tail(features: Floats, samples: int, tail_samples: int) -> Floats:
    """The features (F, T) of a window of `samples` that its audio has; all, where it has few."""
    frames = features.shape[1] - feature_frames(samples) + feature_frames(samples - tail_samples)
    return features if not tail_samples or frames < LEAST_FRAMES else features[:, :frames]


def normalised(features: Floats, window: Floats) -> Floats:
    """Features (F, T) by the mean and unbiased deviation of those of their window (F, n)."""
    frames = window.shape[1]
    if frames <= 1:
        return np.zeros_like(features)
    mean = window.mean(axis=1, keepdims=True)
    centred = window - mean
    deviation = np.sqrt(np.square(centred).sum(axis=1, keepdims=True) / np.float32(frames - 1))
    if features is not window:
        centred = features - mean
    scaled: Floats = centred / (deviation + DEVIATION_GUARD)
    return scaled


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


def _mel_power(frames: Floats, features: Floats) -> None:
    """Writes the power of frames (T, 512) in every mel band into `features` (F, T)."""
    mel_bins = features.shape[0]
    spectrum = np.fft.rfft(frames * hann_window())
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    if frames.shape[0] < FEW_FRAMES:
        np.matmul(mel_bank(mel_bins), power.T, out=features)
        return
    for band in _mel_bands(mel_bins):
        np.matmul(band.weights, power.T[band.bins], out=features[band.rows])


@dataclass(frozen=True, slots=True)
class _Band:
    """Neighbouring mel filters, and the FFT bins that any of them uses."""

    rows: slice
    bins: slice
    weights: Floats


@cache
def _mel_bands(mel_bins: int) -> tuple[_Band, ...]:
    """The mel bank cut into bands: most of it is zeros, and small products stay on one thread."""
    bank = mel_bank(mel_bins)
    bands = [_band(bank, 0, 1)]
    for row in range(1, mel_bins):
        grown = _band(bank, bands[-1].rows.start, row + 1)
        if grown.weights.size <= MAX_BAND_WEIGHTS:
            bands[-1] = grown
        else:
            bands.append(_band(bank, row, row + 1))
    return tuple(bands)


def _band(bank: Floats, first: int, end: int) -> _Band:
    used = np.flatnonzero(bank[first:end].any(axis=0))
    start, stop = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
    weights = np.ascontiguousarray(bank[first:end, start:stop])
    return _Band(slice(first, end), slice(start, stop), weights)
