"""Names of sizes in; the numbers that make a model as large as the real one of that name out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Size:
    """Shape of a model; the defaults are those of Parakeet TDT 0.6B v3."""

    mel_bins: int = 128
    layers: int = 24
    width: int = 1024
    heads: int = 8
    feed_forward: int = 4
    """Inner width of a feed-forward block, in widths."""
    kernel: int = 9
    """Taps of the convolution module."""
    channels: int = 256
    """Of the subsampling convolutions."""
    predictor_layers: int = 2
    predictor_width: int = 640
    joint_width: int = 640
    vocabulary: int = 8193
    """Blank included."""
    durations: int = 5


WINDOW, CACHED, BOTH = "window", "cached", "both"
FORMS: Final = (WINDOW, CACHED, BOTH)
"""Which encoders a model has: one for whole windows, one that keeps its past, or both."""

FULL: Final = "0.6b"
TINY: Final = "tiny"

SIZES: Final[dict[str, Size]] = {
    FULL: Size(),
    "110m": Size(mel_bins=80, layers=17, width=512, predictor_layers=1, vocabulary=1025),
    TINY: Size(
        mel_bins=80, layers=2, width=64, heads=4, channels=16,
        predictor_layers=1, predictor_width=32, joint_width=32, vocabulary=257,
    ),
}  # fmt: skip
"""By the name of the Parakeet TDT that has it; `tiny` is for trying a benchmark out."""
