"""Raw token logits (V,) in, a confidence from 0 to 1 out.

Only the token part of the logits counts; how sure the decoder is of a duration says nothing of the
word. Both measures are NVIDIA NeMo's (`asr_confidence_utils.py`), save that the probability is
plain and not stretched so that a uniform guess gives 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from parakeet_streaming.errors import OptionError
from parakeet_streaming.ports import Floats

ENTROPY_ALPHA: Final = 0.33
"""Exponent of the Tsallis entropy, NeMo's default."""


def probability(logits: Floats) -> float:
    """Softmax probability of the most likely token."""
    shifted = np.exp(logits - logits.max())
    return float(1.0 / shifted.sum())


def entropy(logits: Floats, alpha: float = ENTROPY_ALPHA) -> float:
    """Tsallis entropy, exponentially normalised: 1 for one sure token, 0 for all alike."""
    shifted = np.exp((logits - logits.max()).astype(np.float64))
    probabilities = shifted / shifted.sum()
    tsallis = (1.0 - float((probabilities**alpha).sum())) / (1.0 - alpha)
    worst = math.exp((1.0 - math.pow(logits.shape[-1], 1.0 - alpha)) / (1.0 - alpha))
    # Of tokens all alike, rounding may leave a hair less than the worst.
    return max((math.exp(tsallis) - worst) / (1.0 - worst), 0.0)


_MEASURES: Final[dict[str, Callable[[Floats], float]]] = {
    "probability": probability,
    "entropy": entropy,
}


def measure(name: str) -> Callable[[Floats], float]:
    """The measure of that name.

    Raises:
        OptionError: neither `probability` nor `entropy`.
    """
    if name not in _MEASURES:
        raise OptionError(f"confidence {name!r} does not exist; use one of {', '.join(_MEASURES)}")
    return _MEASURES[name]
