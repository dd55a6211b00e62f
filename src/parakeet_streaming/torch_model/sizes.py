"""A number of a model's size in; nothing out: refuses one that no model has.

Sizes come from the config of an archive or a checkpoint, and the networks are made of them. Each
bound is far above what models have, and such that what is exported can be loaded.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.catalog.limits import (
    MOST_ENCODER_LAYERS,
    MOST_LSTM_LAYERS,
    MOST_MEL_BINS,
    MOST_TOKENS_A_FRAME,
    MOST_WIDTH,
)
from parakeet_streaming.errors import OptionError
from parakeet_streaming.plain_text import shown

MOST: Final = {
    "mel_bins": MOST_MEL_BINS,
    "subsampling_channels": 4096,  # 256
    "width": MOST_WIDTH,
    "layers": MOST_ENCODER_LAYERS,
    "heads": 256,  # 8
    "feed_forward": 32,  # 4
    "kernel": 1023,  # 9 or 31
    "vocabulary": 2**16 + 1,  # 1,025 or 8,193
    "predictor_width": MOST_WIDTH,
    "predictor_layers": MOST_LSTM_LAYERS,
    "joint_width": MOST_WIDTH,
    "max_symbols": MOST_TOKENS_A_FRAME,
}
"""Of each size its bound; beside it, where `limits.py` does not say it, what models have."""
MOST_DURATIONS: Final = 16
"""Models have 5."""
MOST_WEIGHTS: Final = 10**10
"""Numbers of one model, 40 GB in float32: the largest Parakeet has 1.1 billion."""


def check_size(name: str, value: object) -> None:
    """Refuses a size out of its bounds.

    Raises:
        OptionError: no whole number, or one below 1 or above its bound.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST[name]:
        raise OptionError(f"{name} is {shown(value)}; 1 to {MOST[name]} is possible")


def check_part(name: str, value: object) -> None:
    """Refuses a part that is not from 0 up to, but not including, 1.

    Raises:
        OptionError: another value.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise OptionError(f"{name} is {shown(value)}; 0 up to 1 is possible")
