"""Log-mel features of whole utterances in; the encoder's frames of them, out, as one way to run it.

A recording is encoded whole, a live stream in windows, a cached stream in steps that keep what was
before (`windows.py`, `cached_steps.py`). Each way ends in the frames of whole utterances, so that
losses see whole texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from parakeet_streaming.torch_model.fastconformer import Encoder
from training.cached_steps import Steps, encoded, random_steps
from training.features import mask_some, normalise
from training.windows import Windows, random_windows, stitched


class Way(Enum):
    """How utterances are encoded."""

    WHOLE = "whole"
    WINDOWS = "windows"
    CACHED = "cached"


@dataclass(frozen=True)
class Frames:
    """Encoder frames of whole utterances."""

    last: Tensor
    """(B, U, D)."""
    middle: Tensor
    """(B, U, D) from the middle of the encoder."""
    lengths: Tensor
    """(B,)."""


def encode(
    encoder: Encoder,
    features: Tensor,
    lengths: Tensor,
    way: Way,
    *,
    masked: bool,
    generator: torch.Generator,
    bfloat16: bool = False,
) -> Frames:
    """Encodes log-mels (B, F, T), not normalised, of `lengths` (B,) frames.

    Args:
        encoder: the networks.
        features: float32.
        lengths: at least 1.
        way: whole, or in windows or steps of a size drawn at random.
        masked: sets random bands and moments to the mean.
        generator: of what is drawn.
        bfloat16: multiplies in it.
    """
    if masked and way is Way.CACHED:
        # Before the utterance is cut, so that a band is masked in all of its steps.
        mean = features.mean(dim=2, keepdim=True)
        features = mean + mask_some(features - mean, lengths, generator)
    pieces: Steps | Windows | None = None
    if way is Way.CACHED:
        pieces = random_steps(features, lengths, generator)
    elif way is Way.WINDOWS:
        pieces = random_windows(features, lengths, generator)
        features, lengths = pieces.features, pieces.lengths
    if way is not Way.CACHED:
        features = normalise(features, lengths)
        if masked:
            features = mask_some(features, lengths, generator)
    with (
        torch.autocast(features.device.type, torch.bfloat16, enabled=bfloat16),
        _middle_frames(encoder) as middles,
    ):
        if isinstance(pieces, Steps):
            frames = encoded(encoder, pieces)
        else:
            frames, lengths = encoder(features, lengths)
    if pieces is None:
        return Frames(frames, middles[0], lengths)
    last, middle = (stitched(each, pieces.stitch) for each in (frames, middles[0]))
    return Frames(last, middle, pieces.frame_lengths)


@contextmanager
def _middle_frames(encoder: Encoder) -> Iterator[list[Tensor]]:
    """Collects the output of the middle layer, which its last norm gives.

    CTC on it as well keeps a deep encoder from learning few recordings by heart (Lee and Watanabe,
    "Intermediate Loss Regularization for CTC-based Speech Recognition", 2021).
    """
    collected: list[Tensor] = []
    layer = encoder.layers[(len(encoder.layers) - 1) // 2]
    hook = layer.norm.register_forward_hook(lambda _, __, frames: collected.append(frames))
    try:
        yield collected
    finally:
        hook.remove()
