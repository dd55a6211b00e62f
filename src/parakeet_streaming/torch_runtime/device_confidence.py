"""Raw token logits (B, V) on a device in; confidences (B,) float32 from 0 to 1 out.

The measures of `model/confidence.py`, for many rows and wherever the logits are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.errors import OptionError
from parakeet_streaming.model.confidence import ENTROPY_ALPHA

Confidence = Callable[[Tensor, Tensor], Tensor]
"""Of logits (B, V) and the tokens (B,) that are given."""


def probability(logits: Tensor, tokens: Tensor) -> Tensor:
    """Softmax probability of the tokens."""
    given = logits.gather(-1, tokens[:, None])[:, 0]
    return torch.exp(given - torch.logsumexp(logits, dim=-1))


def entropy(logits: Tensor, _: Tensor) -> Tensor:
    """Tsallis entropy, exponentially normalised: 1 for one sure token, 0 for all alike."""
    probabilities = torch.softmax(logits.double(), dim=-1)
    tsallis = (1.0 - (probabilities**ENTROPY_ALPHA).sum(dim=-1)) / (1.0 - ENTROPY_ALPHA)
    most = math.pow(logits.shape[-1], 1.0 - ENTROPY_ALPHA)
    worst = math.exp((1.0 - most) / (1.0 - ENTROPY_ALPHA))
    return ((torch.exp(tsallis) - worst) / (1.0 - worst)).clamp(min=0.0).float()


_MEASURES: Final[dict[str, Confidence]] = {"probability": probability, "entropy": entropy}


def measure_on_device(name: str) -> Confidence:
    """The measure of that name.

    Raises:
        OptionError: neither `probability` nor `entropy`.
    """
    if name not in _MEASURES:
        raise OptionError(f"confidence {name!r} does not exist; use one of {', '.join(_MEASURES)}")
    return _MEASURES[name]
