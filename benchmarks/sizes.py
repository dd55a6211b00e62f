"""The numbers that make a model as large as the real one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Shape of a model; the defaults are those of Parakeet TDT 0.6B v3."""

    mel_bins: int = 128
    layers: int = 24
    width: int = 1024
    heads: int = 8
    feed_forward: int = 4096
    kernel: int = 9
    """Taps of the convolution module."""
    channels: int = 256
    """Of the subsampling convolutions."""
    predictor_layers: int = 2
    predictor_width: int = 640
    vocabulary: int = 8193
    """Blank included."""
    durations: int = 5
