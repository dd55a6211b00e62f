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
from training.cached_steps import encoded, random_steps
from training.features import mask_some, normalise
from training.windows import random_windows, stitched


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
    device = features.device.type
    if way is Way.CACHED:
        if masked:
            # Before the utterance is cut, so that a band is masked in all of its steps.
            mean = features.mean(dim=2, keepdim=True)
            features = mean + mask_some(features - mean, lengths, generator)
        steps = random_steps(features, lengths, generator)
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            with _middle_frames(encoder) as middles:
                frames = encoded(encoder, steps)
            return Frames(
                stitched(frames, steps.stitch),
                stitched(middles[0], steps.stitch),
                steps.frame_lengths,
            )
    windows = None
    if way is Way.WINDOWS:
        windows = random_windows(features, lengths, generator)
        features, lengths = windows.features, windows.lengths
    features = normalise(features, lengths)
    if masked:
        features = mask_some(features, lengths, generator)
    with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
        with _middle_frames(encoder) as middles:
            frames, frame_lengths = encoder(features, lengths)
        if windows is None:
            return Frames(frames, middles[0], frame_lengths)
        return Frames(
            stitched(frames, windows.stitch),
            stitched(middles[0], windows.stitch),
            windows.frame_lengths,
        )


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
