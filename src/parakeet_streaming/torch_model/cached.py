"""A step of features and the kept past of each stream in; frames and the next past out, in torch.

This is the encoder of `fastconformer.py`, one step at a time. A step is the chunk and the right
context only: each layer keeps the keys and values of the left context, and the frames that its
convolution reaches back to. One step over all features from an empty past is the whole encoder.

```
past frames, keys and values per layer   |  ·  ·  K K K K K |
one step                                                     | look-back | chunk · right |
                                          at the right edge ↑  8 features: the subsampling's reach
```

Rules of this file:

1. A row's past stands at the right edge of its slots, so that a distance is the same in every row.
2. The graph gives keys, values and convolution inputs of every frame of the step. The caller keeps
   those of the chunk only: the next step encodes frames of the right context again, with more
   frames to their right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from parakeet_streaming.timeline import SUBSAMPLING
from parakeet_streaming.torch_model.attention import relative_positions
from parakeet_streaming.torch_model.fastconformer import (
    ConformerLayer,
    Encoder,
    within,
)


class Past(Protocol):
    """What a layer has of the frames before a step.

    It is told the step's own keys, values and convolution inputs: where many steps of a stream run
    as one batch, one row's past is another row's chunk.
    """

    def kept(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, K, D) of the left context."""

    def convolved(self, inputs: Tensor) -> Tensor:
        """What the convolution reaches back to, (B, R, D)."""


@dataclass(frozen=True, slots=True)
class KeptPast:
    """A past that earlier steps left."""

    keys: Tensor
    """(B, K, D)."""
    values: Tensor
    """(B, K, D)."""
    inputs: Tensor
    """(B, R, D)."""

    def kept(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        return self.keys, self.values

    def convolved(self, inputs: Tensor) -> Tensor:
        return self.inputs


class CachedEncoder(nn.Module):
    """One step of many streams, each with its own fill of the past."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self,
        features: Tensor,
        lengths: Tensor,
        look_back: Tensor,
        keys: Tensor,
        values: Tensor,
        convolved: Tensor,
        filled: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Encodes a step.

        Args:
            features: (B, F, 8 + T), normalised; the first 8 are the look-back.
            lengths: (B,) feature frames of each row, the 8 included.
            look_back: (B,) how many of the first 8 there are: 8, or 0 where a stream begins.
            keys: (L, B, K, D) of the past, K at least 1.
            values: (L, B, K, D).
            convolved: (L, B, kernel // 2, D), what the convolutions reach back to; zeros where a
                stream begins.
            filled: (B,) how many of the K there are, the last ones.

        Returns:
            Frames (B, U, D) and lengths (B,) of the step; keys and values (L, B, U, D) of its
            frames; and (L, B, kernel // 2 + U, D): the inputs of the convolutions, past included.
        """
        kept: list[tuple[Tensor, Tensor, Tensor]] = []
        frames, lengths = encode_step(
            self.encoder,
            (features, lengths, look_back),
            (keys.shape[2], filled),
            lambda layer: KeptPast(keys[layer], values[layer], convolved[layer]),
            lambda _, *step: kept.append(step),
        )
        new_keys, new_values, new_convolved = (
            torch.stack(each) for each in zip(*kept, strict=True)
        )
        return frames, lengths, new_keys, new_values, new_convolved


def encode_step(
    encoder: Encoder,
    step: tuple[Tensor, Tensor, Tensor],
    slots_and_filled: tuple[int, Tensor],
    past_of: Callable[[int], Past],
    keep: Callable[[int, Tensor, Tensor, Tensor], None],
) -> tuple[Tensor, Tensor]:
    """One step, with pasts that are fetched, and what is new handed over, layer by layer.

    Args:
        encoder: the networks.
        step: features (B, F, 8 + T), their lengths (B,) and look-backs (B,).
        slots_and_filled: K, and how many of them each row has (B,).
        past_of: gives a layer's past.
        keep: gets a layer's number, keys and values (B, U, D), and inputs (B, R + U, D).

    Returns:
        Frames (B, U, D) and their lengths (B,).
    """
    features, lengths, look_back = step
    slots, filled = slots_and_filled
    frames, lengths = encoder.subsampling(features, lengths, SUBSAMPLING - look_back)
    frames, lengths = frames[:, 1:], lengths - 1
    mask = within(lengths, frames)
    numbers = torch.arange(slots, device=filled.device)[None, :]
    present = torch.cat((numbers >= slots - filled[:, None], mask), dim=1)
    positions = relative_positions(frames, slots)
    for at, layer in enumerate(encoder.layers):
        frames, *new = _walk(layer, frames, mask, present, positions, past_of(at))  # type: ignore[arg-type]  # a ModuleList forgets its modules' type
        keep(at, *new)
    return frames, lengths


def _walk(
    layer: ConformerLayer,
    frames: Tensor,
    mask: Tensor,
    present: Tensor,
    positions: Tensor,
    past: Past,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One layer: its frames, keys, values and the input of its convolution."""
    frames = frames + 0.5 * layer.feed_forward_in(frames)
    attention, convolution = layer.attention, layer.convolution
    normed = attention.norm(frames)
    keys, values = attention.keys(normed), attention.values(normed)
    past_keys, past_values = past.kept(keys, values)
    all_keys, all_values = torch.cat((past_keys, keys), 1), torch.cat((past_values, values), 1)
    frames = frames + attention.attend(normed, all_keys, all_values, present, positions)
    inputs = convolution.gate(frames, mask)
    reached = past.convolved(inputs)
    gated = torch.cat((reached, inputs), dim=1)
    depthwise = convolution.depthwise
    ahead = functional.pad(gated.transpose(1, 2), (0, reached.shape[1]))
    convolved = functional.conv1d(
        ahead, depthwise.weight, depthwise.bias, groups=depthwise.groups
    ).transpose(1, 2)
    frames = frames + convolution.after_depthwise(convolved, mask)
    frames = frames + 0.5 * layer.feed_forward_out(frames)
    return layer.norm(frames), keys, values, gated
