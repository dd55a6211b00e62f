"""Samples (B, n) float32 at 16 kHz in; log-mel features (B, F, T) out, in torch, on any device.

The same features as `parakeet_streaming.model.features`, for a batch; normalising is a step of its
own, because training also normalises windows of one recording each by itself.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from parakeet_streaming.audio.mel import FFT_SAMPLES, hann_window, mel_bank, mel_edges_hz
from parakeet_streaming.model.features import DEVIATION_GUARD, LOG_GUARD, PREEMPHASIS
from parakeet_streaming.timeline import HOP_SAMPLES

_WIDEST_BINS = 36
_LONGEST_FRAMES = 30


def raw_log_mel(samples: Tensor, lengths: Tensor, mel_bins: int) -> tuple[Tensor, Tensor]:
    """Log-mel features (B, F, T), not normalised, and their lengths (B,), of `lengths` samples."""
    inside = torch.arange(samples.shape[1], device=samples.device)[None, :] < lengths[:, None]
    emphasised = samples.clone()
    emphasised[:, 1:] -= float(PREEMPHASIS) * samples[:, :-1]
    padded = functional.pad(emphasised * inside, (FFT_SAMPLES // 2, FFT_SAMPLES // 2))
    window, bank = _constants(mel_bins, samples.device)
    frames = padded.unfold(1, FFT_SAMPLES, HOP_SAMPLES)[:, : samples.shape[1] // HOP_SAMPLES]
    spectrum = torch.view_as_real(torch.fft.rfft(frames * window))
    power = spectrum.square().sum(dim=-1)
    features = ((power @ bank) + float(LOG_GUARD)).log().transpose(1, 2)
    return features, torch.div(lengths, HOP_SAMPLES, rounding_mode="floor")


def normalise(features: Tensor, lengths: Tensor) -> Tensor:
    """Features (B, F, T) normalised by mean and deviation over each row's length; 0 after it."""
    inside = torch.arange(features.shape[2], device=features.device)[None, :] < lengths[:, None]
    mask = inside[:, None, :].to(features.dtype)
    count = lengths[:, None, None].to(features.dtype)
    mean = (features * mask).sum(dim=2, keepdim=True) / count.clamp(min=1)
    centred = (features - mean) * mask
    variance = centred.square().sum(dim=2, keepdim=True) / (count - 1).clamp(min=1)
    return centred / (variance.sqrt() + float(DEVIATION_GUARD))


def other_voices(features: Tensor, likely: float, generator: torch.Generator) -> Tensor:
    """Log-mels (B, F, T) as if some speakers' vocal tracts were up to 18 % shorter, or 15 % longer.

    Every frequency of a row is scaled by one factor, pitch and all, but not time (Jaitly and
    Hinton, "Vocal Tract Length Perturbation", 2013); what lies above the highest filter repeats it.
    """
    batch, bins, _ = features.shape
    drawn, factor = torch.rand(2, batch, generator=generator).numpy()
    factors = np.where(drawn < likely, 0.82 + 0.33 * factor, 1.0)
    peaks_hz = mel_edges_hz(bins)[1:-1]
    at = np.interp(factors[:, None] * peaks_hz, peaks_hz, np.arange(bins))
    below = np.minimum(at.astype(np.int64), bins - 2)
    lower, part = torch.from_numpy(below), torch.from_numpy(at - below).float()
    index = lower.to(features.device)[:, :, None].expand_as(features)
    return torch.lerp(
        features.gather(1, index),
        features.gather(1, index + 1),
        part.to(features.device)[:, :, None],
    )


def mask_some(features: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
    """Sets random bands and moments to the mean, 0 (Park et al., "SpecAugment", 2019).

    Two bands of up to 36 bins, and one moment of up to 0.3 s for every 1.2 s.
    """
    batch, bins, frames = features.shape
    device = features.device
    kept = torch.ones(batch, bins, frames, dtype=torch.bool, device=device)
    at_bin = torch.arange(bins, device=device)[None, :]
    for _ in range(2):
        width, start = torch.rand(2, batch, 1, generator=generator).to(device)
        first = start * (bins - _WIDEST_BINS)
        kept &= ~((at_bin >= first) & (at_bin < first + width * _WIDEST_BINS))[:, :, None]
    at_frame = torch.arange(frames, device=device)[None, :]
    for _ in range(1 + frames // 120):
        width, start = torch.rand(2, batch, 1, generator=generator).to(device)
        first = start * lengths[:, None]
        kept &= ~((at_frame >= first) & (at_frame < first + width * _LONGEST_FRAMES))[:, None, :]
    return features * kept


@cache
def _constants(mel_bins: int, device: torch.device) -> tuple[Tensor, Tensor]:
    window = torch.from_numpy(hann_window().copy()).to(device)
    return window, torch.from_numpy(mel_bank(mel_bins).T.copy()).to(device)
