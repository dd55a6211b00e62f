"""Whole windows of samples in; their encoder frames (B, U, D) on the device out.

Rules of this file:

1. Windows of about one length share a call: padding one to many times its length would cost more
   than a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.model.features import LEAST_FRAMES
from parakeet_streaming.ports import EncoderInput, Floats
from parakeet_streaming.timeline import encoder_frames, feature_frames
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.devices import upload
from parakeet_streaming.torch_runtime.mel import LogMel, normalised


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a call that were encoded together."""

    rows: tuple[int, ...]
    """Their numbers in the call."""
    frames: Tensor
    """(B, U, D); what stands after a row's length means nothing."""


class WindowEncoder:
    """Log-mel features and the encoder, from nothing to a window's frames."""

    def __init__(
        self,
        encoder: Encoder,
        mel: LogMel,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`dtype`: what the encoder computes in."""
        self._dtype = dtype
        self._encoder = encoder
        self._mel = mel
        self._device = device

    def encode(self, inputs: Sequence[EncoderInput], rows: Sequence[int]) -> list[Group]:
        """Encodes those rows of a call; each has a frame at least."""
        lengths = {row: encoder_frames(inputs[row].samples.shape[0]) for row in rows}
        return [self._group(inputs, together) for together in alike(lengths)]

    def _group(self, inputs: Sequence[EncoderInput], rows: tuple[int, ...]) -> Group:
        windows = [inputs[row] for row in rows]
        facts = [
            (size, feature_frames(size), heard_frames(each, feature_frames(size)))
            for each in windows
            for size in [each.samples.shape[0]]
        ]
        samples, told = upload(
            padded([each.samples for each in windows]), np.array(facts, np.int64), self._device
        )
        sizes, counts, heard = told.unbind(1)
        features = normalised(self._mel.raw(samples, sizes), counts, heard)
        frames, _ = self._encoder(features.transpose(1, 2).to(self._dtype), counts)
        return Group(rows, frames)


def alike(lengths: dict[int, int]) -> list[tuple[int, ...]]:
    """Rows by their lengths, in groups in which none is more than twice as long as another."""
    groups: list[list[int]] = []
    for row in sorted(lengths, key=lambda each: lengths[each]):
        if not groups or lengths[row] > 2 * lengths[groups[-1][0]]:
            groups.append([])
        groups[-1].append(row)
    return [tuple(sorted(each)) for each in groups]


def heard_frames(given: EncoderInput, frames: int) -> int:
    """Of the feature frames of a window, how many its statistics are taken of."""
    size = given.samples.shape[0]
    heard = frames - feature_frames(size) + feature_frames(size - given.tail_samples)
    return frames if not given.tail_samples or heard < LEAST_FRAMES else heard


def padded(rows: Sequence[Floats]) -> Floats:
    """Rows of samples as (B, n), zeros after each."""
    whole = np.zeros((len(rows), max(each.shape[0] for each in rows)), dtype=np.float32)
    for place, each in zip(whole, rows, strict=True):
        place[: each.shape[0]] = each
    return whole
