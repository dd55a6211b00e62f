"""Frames (B, U, D) in; for each, a mixture of all frames and of past frames, out, in torch.

Attention over relative positions (Dai et al., "Transformer-XL", 2019): the score of two
frames depends on their contents and on their distance. Positions are computed where they are used,
so no table limits the length.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def relative_positions(frames: Tensor, past: int = 0) -> Tensor:
    """Sines and cosines of distances for frames (B, U, D) after `past` more frames.

    (1, past + 2U - 1, D), for distances of past + U - 1 down to 1 - U.
    """
    count, width = frames.shape[1], frames.shape[2]
    distance = torch.arange(past + 2 * count - 1, device=frames.device, dtype=torch.float32)
    distance = (past + count - 1) - distance
    even = torch.arange(0, width, 2, device=frames.device, dtype=torch.float32)
    angle = distance[:, None] * torch.exp(even * (-math.log(10_000.0) / width))[None, :]
    return torch.stack((torch.sin(angle), torch.cos(angle)), dim=-1).flatten(1)[None]


class Attention(nn.Module):
    """Attention of every frame to every valid frame, by content and by distance."""

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = width // heads
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Linear(width, width, bias=bias)
        self.keys = nn.Linear(width, width, bias=bias)
        self.values = nn.Linear(width, width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.positions = nn.Linear(width, width, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(self.heads, 1, self.head_width))
        self.position_bias = nn.Parameter(torch.zeros(self.heads, 1, self.head_width))

    def forward(self, frames: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        normed = self.norm(frames)
        return self.attend(normed, self.keys(normed), self.values(normed), mask, positions)

    def attend(
        self, normed: Tensor, keys: Tensor, values: Tensor, mask: Tensor, positions: Tensor
    ) -> Tensor:
        """Attention of frames (B, U, D) to keys and values (B, n, D), the last U of them their own.

        `mask` (B, n) is True where there is a frame; `positions` are those of
        `relative_positions` with n - U past frames.
        """
        queries = self._by_head(self.queries(normed))
        if positions.dtype != normed.dtype and not torch.is_autocast_enabled(normed.device.type):
            positions = positions.to(normed.dtype)
        distances = self._by_head(self.positions(positions))
        by_distance = _shifted((queries + self.position_bias) @ distances.transpose(2, 3))
        scores = by_distance * (1.0 / math.sqrt(self.head_width))
        absent = ~mask[:, None, None, :]
        attended = functional.scaled_dot_product_attention(
            queries + self.content_bias.to(queries.dtype),
            self._by_head(keys),
            self._by_head(values),
            attn_mask=scores.masked_fill(absent, -1e4).to(queries.dtype),
        )
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out

    def _by_head(self, frames: Tensor) -> Tensor:
        """(B, n, D) as (B, heads, n, D / heads)."""
        shape = (frames.shape[0], frames.shape[1], self.heads, self.head_width)
        return frames.reshape(shape).transpose(1, 2)


def _shifted(scores: Tensor) -> Tensor:
    """Scores by distance (B, heads, U, n + U - 1) as scores by frame (B, heads, U, n)."""
    batch, heads, count, distances = scores.shape
    padded = functional.pad(scores, (1, 0)).reshape(batch, heads, distances + 1, count)
    shifted = padded[:, :, 1:].reshape(batch, heads, count, distances)
    return shifted[..., : distances - count + 1]
