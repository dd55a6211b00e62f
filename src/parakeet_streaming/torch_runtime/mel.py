"""Samples (B, n) on a device in; log-mel features (B, T, F) float32, normalised or not, out.

The features of `model/features.py`, for many windows at once and wherever the samples are.

Rules of this file:

1. A row's samples end at its size: what stands after it has no part in any feature.
2. Statistics are float32 and of a row's own frames, in two passes.
3. Features after a row's frames are 0 where they are normalised, and finite before.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from parakeet_streaming.audio.mel import FFT_SAMPLES, hann_window, mel_bank
from parakeet_streaming.model.features import DEVIATION_GUARD, LOG_GUARD, PREEMPHASIS
from parakeet_streaming.timeline import HOP_SAMPLES


class LogMel:
    """The window and the filters on one device."""

    def __init__(self, mel_bins: int, device: torch.device) -> None:
        self.mel_bins = mel_bins
        self._window = torch.from_numpy(hann_window().copy()).to(device)
        self._bank = torch.from_numpy(mel_bank(mel_bins).T.copy()).to(device)

    def raw(self, samples: Tensor, sizes: Tensor) -> Tensor:
        """Log-mels (B, n // 160, F) of samples (B, n), of which rows have `sizes` (B,)."""
        count = samples.shape[1] // HOP_SAMPLES
        if count == 0:
            return samples.new_zeros((samples.shape[0], 0, self.mel_bins))
        earlier = functional.pad(samples[:, :-1], (1, 0))
        emphasised = samples - earlier * float(PREEMPHASIS)
        # Not by a product: what stands there may be left of another call, and be no number.
        emphasised = emphasised.masked_fill(numbers(samples, 1) >= sizes[:, None], 0.0)
        half = FFT_SAMPLES // 2
        padded = functional.pad(emphasised, (half, half))
        frames = padded.unfold(1, FFT_SAMPLES, HOP_SAMPLES)[:, :count]
        spectrum = torch.view_as_real(torch.fft.rfft(frames * self._window))
        power = spectrum.square().sum(dim=-1)
        return torch.log(power @ self._bank + float(LOG_GUARD))


def normalised(features: Tensor, frames: Tensor, heard: Tensor) -> Tensor:
    """Features (B, T, F), of which rows have `frames` (B,), by mean and deviation of the `heard`.

    `heard` (B,): how many of the first frames statistics are taken of.
    """
    number = numbers(features, 1)[..., None]
    counted = (number < heard[:, None, None]).to(features.dtype)
    count = heard[:, None, None].to(features.dtype)
    mean = (features * counted).sum(dim=1, keepdim=True) / count.clamp(min=1)
    centred = features - mean
    squares = (centred * counted).square().sum(dim=1, keepdim=True)
    deviation = torch.sqrt(squares / (count - 1).clamp(min=1))
    scaled = centred / (deviation + float(DEVIATION_GUARD))
    inside = (number < frames[:, None, None]) & (heard > 1)[:, None, None]
    return torch.where(inside, scaled, torch.zeros((), device=features.device))


def numbers(like: Tensor, axis: int) -> Tensor:
    """(1, n): 0, 1, 2, ... along an axis of a tensor."""
    return torch.arange(like.shape[axis], device=like.device)[None, :]
