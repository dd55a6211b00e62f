"""Raw token logits (V,) in, a confidence from 0 to 1 out.

Only the token part of the logits counts; how sure the decoder is of a duration says nothing of the
word. Both measures are NVIDIA NeMo's (`asr_confidence_utils.py`), save that the probability is
plain and not stretched so that a uniform guess gives 0.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np

from parakeet_streaming.errors import OptionError
from parakeet_streaming.ports import Floats

ENTROPY_ALPHA: Final = 0.33
"""Exponent of the Tsallis entropy, NeMo's default."""


class Confidence(Protocol):
    """A measure of how sure a token is."""

    def __call__(self, logits: Floats, token: int | None = None, /) -> float:
        """Of the most likely token, or of another one that a bias named in its place."""
        ...


def probability(logits: Floats, token: int | None = None) -> float:
    """Softmax probability of the most likely token, or of that one."""
    shifted = np.exp(logits - logits.max())
    return float((1.0 if token is None else shifted[token]) / shifted.sum())


def entropy(logits: Floats, _: int | None = None, *, alpha: float = ENTROPY_ALPHA) -> float:
    """Tsallis entropy, exponentially normalised: 1 for one sure token, 0 for all alike.

    It measures all tokens together, whichever was named.
    """
    shifted = np.exp((logits - logits.max()).astype(np.float64))
    probabilities = shifted / shifted.sum()
    tsallis = (1.0 - float((probabilities**alpha).sum())) / (1.0 - alpha)
    worst = math.exp((1.0 - math.pow(logits.shape[-1], 1.0 - alpha)) / (1.0 - alpha))
    # Of tokens all alike, rounding may leave a hair less than the worst.
    return max((math.exp(tsallis) - worst) / (1.0 - worst), 0.0)


_MEASURES: Final[dict[str, Confidence]] = {
    "probability": probability,
    "entropy": entropy,
}


def measure(name: str) -> Confidence:
    """The measure of that name.

    Raises:
        OptionError: neither `probability` nor `entropy`.
    """
    if name not in _MEASURES:
        raise OptionError(f"confidence {name!r} does not exist; use one of {', '.join(_MEASURES)}")
    return _MEASURES[name]
