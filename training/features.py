"""Samples (B, n) float32 at 16 kHz in; log-mel features (B, F, T) out, in torch, on any device.

The same features as `parakeet_streaming.model.features`, for a batch; normalising is a step of its
own, because training also normalises windows of one recording each by itself.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from parakeet_streaming.model.features import (
    DEVIATION_GUARD,
    FFT_SAMPLES,
    LOG_GUARD,
    PREEMPHASIS,
    hann_window,
    mel_bank,
)
from parakeet_streaming.timeline import HOP_SAMPLES


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
    """Features (B, F, T) freed of each row's mean and deviation over its length; 0 behind it."""
    inside = torch.arange(features.shape[2], device=features.device)[None, :] < lengths[:, None]
    mask = inside[:, None, :].to(features.dtype)
    count = lengths[:, None, None].to(features.dtype)
    mean = (features * mask).sum(dim=2, keepdim=True) / count.clamp(min=1)
    centred = (features - mean) * mask
    variance = centred.square().sum(dim=2, keepdim=True) / (count - 1).clamp(min=1)
    return centred / (variance.sqrt() + float(DEVIATION_GUARD))


def mask_some(features: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
    """Sets random bands and moments to the mean, 0 (Park et al., "SpecAugment", 2019).

    Two bands of up to 24 bins, and one moment of up to 0.2 s for every 1.5 s.
    """
    batch, bins, frames = features.shape
    device = features.device
    kept = torch.ones(batch, bins, frames, dtype=torch.bool, device=device)
    at_bin = torch.arange(bins, device=device)[None, :]
    for _ in range(2):
        width, start = torch.rand(2, batch, 1, generator=generator).to(device)
        first = start * (bins - 24)
        kept &= ~((at_bin >= first) & (at_bin < first + width * 24))[:, :, None]
    at_frame = torch.arange(frames, device=device)[None, :]
    for _ in range(1 + frames // 150):
        width, start = torch.rand(2, batch, 1, generator=generator).to(device)
        first = start * lengths[:, None]
        kept &= ~((at_frame >= first) & (at_frame < first + width * 20))[:, None, :]
    return features * kept


@cache
def _constants(mel_bins: int, device: torch.device) -> tuple[Tensor, Tensor]:
    window = torch.from_numpy(hann_window().copy()).to(device)
    return window, torch.from_numpy(mel_bank(mel_bins).T.copy()).to(device)
