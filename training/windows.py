"""Log-mel features of whole utterances in; random windows of them, and how to stitch frames, out.

```
utterance   |─────────────|────────────|───────|     cut at random encoder frames
window 1    |·············|····|                     each piece is encoded with the left and
window 2         |········|············|····|        right context a live stream would give,
window 3                       |·······|·······|     normalised by itself
```

or into a start as short as a live stream's first window, and the rest:

```
window 1    |··|··|
window 2    |··|·····························|
```

A live stream never hears an utterance whole: it encodes windows, normalises each by its own
statistics, and decodes their middles one after the other. Training on the stitched middles shows
the model just that, edges and all, while words stay whole and the loss sees the full text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from parakeet_streaming.timeline import SUBSAMPLING

# Encoder frames.
LEFT_CHOICES = (12, 25, 62, 125)
LONGEST_RIGHT = 50
PIECES = (2, 3)
SHORT_START = (3, 15)
"""Shortest and longest first piece of the draws with a short start: 0.24 to 1.2 s."""
LONGEST_RIGHT_AT_START = 12
START_SHARE = 0.6
"""Part of the draws with a short start: one second is normalised least like the whole."""


@dataclass(frozen=True)
class Windows:
    """Windows of a batch; row b's piece p is row b * pieces + p."""

    features: Tensor
    """(B * pieces, F, T) not normalised."""
    lengths: Tensor
    """(B * pieces,) feature frames, at least 1."""
    stitch: Tensor
    """(B, U): which of the windows' frames, flattened, is each row's frame."""
    frame_lengths: Tensor
    """(B,) encoder frames."""


def random_windows(features: Tensor, lengths: Tensor, generator: torch.Generator) -> Windows:
    """Cuts features (B, F, T) of `lengths` (B,) feature frames."""
    frame_lengths = torch.div(lengths + SUBSAMPLING - 1, SUBSAMPLING, rounding_mode="floor")
    from_start = float(torch.rand(1, generator=generator)) < START_SHARE
    left = LEFT_CHOICES[int(torch.randint(len(LEFT_CHOICES), (1,), generator=generator))]
    longest_right = LONGEST_RIGHT_AT_START if from_start else LONGEST_RIGHT
    right = round(math.exp(float(torch.rand(1, generator=generator)) * math.log(longest_right)))
    if from_start:
        shortest, longest = SHORT_START
        drawn = torch.randint(shortest, longest + 1, (features.shape[0], 1), generator=generator)
        inner = torch.minimum(drawn.to(lengths.device), frame_lengths[:, None])
    else:
        pieces = PIECES[int(torch.randint(len(PIECES), (1,), generator=generator))]
        part = torch.rand(features.shape[0], pieces - 1, generator=generator).sort(dim=1)[0]
        inner = (part.to(lengths.device) * frame_lengths[:, None]).long()
    first = torch.cat((torch.zeros_like(inner[:, :1]), inner), dim=1)
    end = torch.cat((inner, frame_lengths[:, None]), dim=1)
    return cut(features, lengths, first, end, left, right)


def cut(
    features: Tensor, lengths: Tensor, first: Tensor, end: Tensor, left: int, right: int
) -> Windows:
    """Cuts pieces from encoder frames `first` to `end` (B, pieces), with context around each."""
    batch, bins, total = features.shape
    pieces = first.shape[1]
    begin = (first - left).clamp(min=0)
    stop = torch.minimum((end + right) * SUBSAMPLING, lengths[:, None])
    spans = (stop - begin * SUBSAMPLING).clamp(min=1)
    widest = int(spans.max())
    offsets = torch.arange(widest, device=features.device)
    index = (begin[:, :, None] * SUBSAMPLING + offsets).clamp(max=total - 1)
    windows = features[:, None].expand(-1, pieces, -1, -1)
    windows = windows.gather(3, index[:, :, None, :].expand(-1, -1, bins, -1))
    frames = torch.arange(int(end.max()), device=features.device)
    piece = (frames[None, None, :] >= end[:, :, None]).sum(dim=1).clamp(max=pieces - 1)
    width = -(-widest // SUBSAMPLING)
    within = (frames[None, :] - begin.gather(1, piece)).clamp(min=0, max=width - 1)
    row = torch.arange(batch, device=features.device)[:, None]
    return Windows(
        windows.flatten(0, 1), spans.flatten(), (row * pieces + piece) * width + within, end[:, -1]
    )


def stitched(frames: Tensor, stitch: Tensor) -> Tensor:
    """Frames (B * n, U', D) of pieces as frames (B, U, D) of the utterances that they are of.

    `stitch` (B, U) says which of the pieces' frames, flattened, is each frame.
    """
    return frames.flatten(0, 1)[stitch]
